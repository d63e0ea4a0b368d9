import type { ErrorCode } from "../wire/error-codes.ts"
import { FOREIGN_TEXT, type ProviderCase, type Reply } from "./case.ts"

// The parts that the recorded stories of all stores share. Tests only: never in a bundle.

/** A request for locators through this connection, in the variables VALUE_1, VALUE_2 and so on. */
export const askingBy =
  (way: Pick<ProviderCase, "connection" | "secrets">) =>
  (...locators: readonly string[]) => ({
    ...way,
    grant: { read: Object.fromEntries(locators.map((locator, at) => [`VALUE_${at + 1}`, locator])) },
    ttlSeconds: 900,
  })

/** The expected result: these texts, all secret, in the same variables. */
export const minted = (...texts: readonly string[]) => ({
  values: Object.fromEntries(
    texts.map((value, at) => [`VALUE_${at + 1}`, { secret: true, env: `VALUE_${at + 1}`, value }]),
  ),
  revocation: "expires-only" as const,
  expiresAt: null,
})

type Asked = Pick<ProviderCase, "connection" | "secrets" | "grant" | "ttlSeconds">

/** Stories of one refused request. The answers `before` come first, then the replies of each story. */
export const refusing =
  (asked: Asked, ...before: readonly Reply[]) =>
  (
    ...met: readonly (readonly [
      what: string,
      replies: Reply | readonly Reply[],
      code: ErrorCode,
      detailHolds: string,
    ])[]
  ): readonly ProviderCase[] =>
    met.map(([what, replies, code, detailHolds]) => ({
      name: `refuses ${what}, and says what to change`,
      ...asked,
      replies: [...before, replies].flat(),
      expect: { code, detailHolds },
    }))

/** Stories of one request whose answer is invalid, or contains something else than what was requested. */
export const handingOutNothing =
  (asked: Asked, ...before: readonly Reply[]) =>
  (...met: readonly (readonly [what: string, replies: Reply | readonly Reply[]])[]): readonly ProviderCase[] =>
    met.map(([what, replies]) => ({
      name: `hands out nothing of ${what}`,
      ...asked,
      replies: [...before, replies].flat(),
      expect: { code: "provider_response_invalid" },
    }))

/** The differences between stores over HTTP, for the failures that all stores must handle in the same way. */
export interface FailingStore {
  readonly asking: ReturnType<typeof askingBy>
  readonly locator: string
  /** Its answers before the request for the value: a login, the lookup of a name. */
  readonly before: readonly Reply[]
  /** Its answer with the value of the locator. */
  readonly found: (text: string) => Reply
  /** Its answer with a binary value; left out when the store has none. */
  readonly binary?: Reply
  /** It stores only bytes; a NUL makes a value binary. */
  readonly isOfBytes?: true
  /** Its locators select fields of JSON, after a #. */
  readonly picksFields: boolean
  /** Its answer when it throttles the request for the value. */
  readonly throttled: Reply
  /** Its other transient failures of the request for the value. */
  readonly failing: readonly Named[]
}

type Named = readonly [what: string, reply: Reply]

/** The failures that every store can have: the same stories for each store, so that none is forgotten. */
export const storeFailures = (store: FailingStore): readonly ProviderCase[] => [
  ...unusable(store),
  ...(store.picksFields ? fields(store) : []),
  ...spoiled(store),
  ...transient(store),
]

function unusable({ asking, locator, before, found, binary, isOfBytes }: FailingStore): readonly ProviderCase[] {
  const replies: readonly (readonly [...Named, detailHolds: string])[] = [
    ["an empty value", found(""), "is empty: set a value, or add allow_empty"],
    ["a value with a NUL", found(`${FOREIGN_TEXT}\0`), isOfBytes ? "is binary: deliver it as a file" : "has a NUL"],
    ["a value with a carriage return", found(`${FOREIGN_TEXT}\r\n`), "carriage return, which a variable cannot hold"],
    ["a value that is too large", found(FOREIGN_TEXT.repeat(4_000)), "is larger than 64 KiB"],
    ...(binary ? [["a binary value in a variable", binary, "is binary: deliver it as a file"] as const] : []),
  ]
  return replies.map(([what, reply, detailHolds]) => ({
    name: `refuses ${what}, and says what to change`,
    ...asking(locator),
    replies: [...before, reply],
    expect: { code: "secret_unusable", detailHolds },
  }))
}

function fields({ asking, locator, before, found, binary }: FailingStore): readonly ProviderCase[] {
  const replies: readonly (readonly [...Named, code: ErrorCode, detailHolds: string])[] = [
    ["of JSON that has it not", found(`{"host":"${FOREIGN_TEXT}"}`), "secret_not_found", "a field that does not exist"],
    ["of what is not JSON", found(FOREIGN_TEXT), "secret_unusable", "is not JSON"],
    ["of a list", found(`["${FOREIGN_TEXT}"]`), "secret_unusable", "is not a JSON object"],
    ["that holds a map", found(`{"port":{"x":"${FOREIGN_TEXT}"}}`), "secret_unusable", "is not a single text"],
    ["that holds null", found('{"port":null}'), "secret_unusable", "is not a single text"],
    ...(binary ? [["of what is binary", binary, "secret_unusable", "is not JSON"] as const] : []),
  ]
  return replies.map(([what, reply, code, detailHolds]) => ({
    name: `refuses a field ${what}`,
    ...asking(`${locator}#port`),
    replies: [...before, reply],
    expect: { code, detailHolds },
  }))
}

const PAGE = `<!doctype html><p>${FOREIGN_TEXT}`

/** Invalid replies that can arrive in place of any answer. */
const spoilings = (answer: Reply): readonly Named[] => [
  ["an oversized answer", { failure: "too-large" }],
  ["a redirect", { failure: "redirect" }],
  ["a page of somebody else's", { status: 200, headers: { "content-type": "text/html" }, body: PAGE }],
  ["a page that passes for an answer", { ...answer, body: PAGE }],
  ["garbage", { ...answer, body: `\0${FOREIGN_TEXT}` }],
]

function spoiled({ asking, locator, before, found }: FailingStore): readonly ProviderCase[] {
  const value = found("the value")
  const answers = [...before, value]
  const story = ([what, reply]: Named, at: number): ProviderCase => ({
    name: `hands out nothing of ${what} in place of answer ${at + 1}`,
    ...asking(locator),
    replies: [...answers.slice(0, at), reply],
    expect: { code: "provider_response_invalid" },
  })
  return [
    ...answers.flatMap((answer, at) => spoilings(answer).map((spoiling) => story(spoiling, at))),
    story(["a list", { ...value, body: `["${FOREIGN_TEXT}"]` }], before.length),
  ]
}

/** Transient failures, from any service, with the error code if they persist. */
const TRANSIENT: readonly (readonly [...Named, code: ErrorCode])[] = [
  ["throttling", { status: 429, headers: { "retry-after": "1" }, body: FOREIGN_TEXT }, "provider_throttled"],
  ["a server error", { status: 500, body: FOREIGN_TEXT }, "provider_unavailable"],
  ["a service that is unavailable", { status: 503, body: FOREIGN_TEXT }, "provider_unavailable"],
  ["a slow answer", { failure: "timeout" }, "provider_unavailable"],
  ["a broken connection", { failure: "unreachable" }, "provider_unavailable"],
]

function transient({ asking, locator, before, found, throttled, failing }: FailingStore): readonly ProviderCase[] {
  const answers = [...before, found("the value")]
  const own: readonly Named[] = [["throttling", throttled], ...failing]
  const givesUp = (what: string, reply: Reply, code: ErrorCode, at: number): ProviderCase => ({
    name: `gives up on ${what} that does not pass, in place of answer ${at + 1}`,
    ...asking(locator),
    replies: [...answers.slice(0, at), ...Array.from({ length: 5 }, () => reply)],
    expect: { code },
  })
  return [
    ...TRANSIENT.map(([what, reply]) => ({
      name: `asks again after ${what}, whichever call meets it`,
      ...asking(locator),
      replies: answers.flatMap((answer) => [reply, answer]),
      expect: minted("the value"),
    })),
    ...own.map(([what, reply]) => ({
      name: `asks again after ${what} of the store's own`,
      ...asking(locator),
      replies: [...before, reply, found("the value")],
      expect: minted("the value"),
    })),
    ...TRANSIENT.flatMap(([what, reply, code]) => answers.map((_, at) => givesUp(what, reply, code, at))),
    givesUp("throttling of the store's own", throttled, "provider_throttled", before.length),
  ]
}
