import type { ErrorCode } from "../wire/error-codes.ts"
import { type ExpectedCall, FOREIGN_TEXT, type ProviderCase, type Reply } from "./case.ts"

// The recorded stories of `read_all` that all stores share. Tests only: never in a bundle.

/** The differences between stores, for the stories of an item or folder that is read as a whole. */
export interface WholeStore {
  readonly way: Pick<ProviderCase, "connection" | "secrets">
  /** What `read_all` names, and the grant's other keys. */
  readonly from: string
  readonly grant?: object
  /** Its answers before the request for the values. */
  readonly before: readonly Reply[]
  /** Its answer with these values by name: the only request for values. */
  readonly found: (values: Readonly<Record<string, string>>) => Reply
  /** All requests, in their order. */
  readonly calls: readonly ExpectedCall[]
  /** Its refusal when the login may not read there. */
  readonly denied: Reply
  /** Its answer when there is no such item or folder; left out when it cannot tell it from an empty one. */
  readonly missing?: Reply
}

/** The same stories for each store: everything or nothing, in safe variables, after any failure. */
export function wholeStories(store: WholeStore): readonly ProviderCase[] {
  const { from, before, found, calls, denied, missing } = store
  const value = found({ API_KEY: "sk_1", ID: "acct_1" })
  const story = (name: string, last: readonly Reply[], expect: ProviderCase["expect"]): ProviderCase => ({
    name: `with read_all ${name}`,
    ...store.way,
    grant: { ...store.grant, read_all: { from, prefix: "STRIPE_" } },
    ttlSeconds: 900,
    replies: [...before, ...last],
    expect,
  })
  const refuses = (what: string, last: readonly Reply[], code: ErrorCode, detailHolds: string) =>
    story(`refuses ${what}, and says what to change`, last, { code, detailHolds })
  return [
    { ...story("gives every value in a variable of its name", [value], BOTH), calls },
    refuses("nothing", [found({})], "secret_not_found", `${from} has no values`),
    refuses(
      "two names for one variable",
      [found({ API_KEY: FOREIGN_TEXT, API__KEY: "b" })],
      "secret_unusable",
      "a second field for STRIPE_API_KEY",
    ),
    refuses(
      "a variable that changes how later steps run",
      [found({ EDITOR: FOREIGN_TEXT })],
      "secret_unusable",
      "STRIPE_EDITOR",
    ),
    refuses(
      "more values than a grant may have",
      [found(Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`N${at}`, FOREIGN_TEXT])))],
      "secret_unusable",
      "may have at most 64 variables",
    ),
    refuses(
      "a value that a variable cannot hold",
      [found({ API_KEY: "sk", PEM: `${FOREIGN_TEXT}\r\n` })],
      "secret_unusable",
      `${from}, for STRIPE_PEM, has a NUL or a carriage return`,
    ),
    refuses(
      "an item that is too large in all",
      [found(Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`N${at}`, "x".repeat(60_000)])))],
      "secret_unusable",
      "more than 256 KiB",
    ),
    refuses("what the login may not read", [denied], "provider_denied", from),
    ...(missing ? [refuses("what does not exist", [missing], "secret_not_found", from)] : []),
    ...SPOILED.map(([what, reply]) =>
      story(`hands out nothing of ${what}`, [reply(value)], { code: "provider_response_invalid" }),
    ),
    ...TRANSIENT.flatMap(([what, reply, code]) => [
      story(`asks again after ${what}`, [reply, value], BOTH),
      story(`gives up on ${what} that does not pass`, Array<Reply>(5).fill(reply), { code }),
    ]),
  ]
}

const BOTH = {
  values: {
    STRIPE_API_KEY: { secret: true, env: "STRIPE_API_KEY", value: "sk_1" },
    STRIPE_ID: { secret: true, env: "STRIPE_ID", value: "acct_1" },
  },
  revocation: "expires-only",
  expiresAt: null,
} as const

const SPOILED: readonly (readonly [what: string, reply: (value: Reply) => Reply])[] = [
  ["an oversized answer", () => ({ failure: "too-large" })],
  ["a redirect", () => ({ failure: "redirect" })],
  ["a page that passes for an answer", (value) => ({ ...value, body: `<!doctype html>${FOREIGN_TEXT}` })],
  ["a list", (value) => ({ ...value, body: `["${FOREIGN_TEXT}"]` })],
]

const TRANSIENT: readonly (readonly [what: string, reply: Reply, code: ErrorCode])[] = [
  ["throttling", { status: 429, headers: { "retry-after": "1" }, body: FOREIGN_TEXT }, "provider_throttled"],
  ["a server error", { status: 500, body: FOREIGN_TEXT }, "provider_unavailable"],
  ["a slow answer", { failure: "timeout" }, "provider_unavailable"],
]
