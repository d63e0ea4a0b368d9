import { describe, expect, it } from "vitest"
import type { Grant } from "../../../broker/core/policy/model.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { answerOf, tooLarge } from "../../../broker/exchange/answer.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import type { MintedGrant } from "../../../broker/exchange/mint.ts"
import type { Minted, MintRequest, Provider } from "../../../broker/providers/provider.ts"
import { NOW, world } from "./world.ts"

const AT = NOW.getTime()
const iso = (seconds: number) => new Date(AT + seconds * 1000).toISOString()

function grantOf(name: string): Grant {
  const connection = { name: "staged", provider: "staged", settings: {}, requireBoundToken: false }
  return { name, file: "p.yaml", line: 1, connection, fields: {}, ttlSeconds: 900, minTtlSeconds: 60 }
}

function mintedAs(name: string, minted: Partial<Minted>, ttlSeconds = 900): MintedGrant {
  const nothing: Minted = { values: {}, expiresAt: null, revocation: "expires-only" }
  return { granted: { grant: grantOf(name), ttlSeconds }, minted: { ...nothing, ...minted }, at: AT }
}

describe("an answer", () => {
  it("says of each value whether it is secret, and how the job receives it", () => {
    const values: Minted["values"] = {
      token: { value: new Secret("shh"), env: "TOKEN" },
      config: { value: new Secret("a: b"), file: { mode: "0600" } },
      region: { value: "eu" },
    }
    const { credentials } = answerOf("a-lease", "v1", [mintedAs("one", { values })])
    expect(credentials["one"]?.values).toStrictEqual({
      token: { value: "shh", secret: true, env: "TOKEN" },
      config: { value: "a: b", secret: true, file: { mode: "0600" } },
      region: { value: "eu", secret: false },
    })
  })

  it("names no end for what never ends, and ends its lease with the granted time", () => {
    const answer = answerOf("a-lease", "v1", [mintedAs("one", {}, 600)])
    expect(answer).toMatchObject({ lease: "a-lease", policy_version: "v1", expires_at: iso(600) })
    expect(answer.credentials["one"]).toMatchObject({
      provider: "staged",
      expires_at: null,
      revocation: "expires-only",
    })
  })

  it("says the granted lifetime where the request asked for a longer one", () => {
    const shortened = (requested?: number) =>
      answerOf("a-lease", "v1", [mintedAs("one", {}, 600)], requested).credentials["one"]?.shortened_to_seconds
    expect([601, 600, 599, undefined].map(shortened)).toEqual([600, undefined, undefined, undefined])
  })

  it("ends a lease with the last of its credentials", () => {
    const ending = (name: string, seconds: number) => mintedAs(name, { expiresAt: new Date(AT + seconds * 1000) })
    expect(answerOf("a-lease", "v1", [ending("one", 60), ending("two", 120)]).expires_at).toBe(iso(120))
  })
})

describe("what is too large for an answer", () => {
  const LIMIT = 2 * 1024 * 1024
  /** So many bytes of JSON, its quotation marks included. */
  const sized = (name: string, bytes: number) => mintedAs(name, { values: { v: { value: "x".repeat(bytes - 2) } } })

  it("is more than 2 MiB of JSON together, and not a byte less", () => {
    expect(tooLarge([sized("one", LIMIT / 2), sized("two", LIMIT / 2)])).toEqual([])
    expect(tooLarge([sized("one", LIMIT / 2), sized("two", LIMIT / 2 + 1)])).toHaveLength(1)
    expect(tooLarge([])).toEqual([])
  })

  it.each([[["small", "large", "middle"]], [["large", "middle", "small"]], [["middle", "small", "large"]]])(
    "is told by the largest grant, in whatever order they come: %j",
    (names) => {
      const bytes: Readonly<Record<string, number>> = { small: 1000, middle: LIMIT / 2, large: LIMIT }
      const [failure, ...others] = tooLarge(names.map((name) => sized(name, bytes[name] ?? 0)))
      expect(others).toEqual([])
      expect(failure?.granted.grant.name).toBe("large")
      expect(failure?.error).toMatchObject({
        code: "request_too_large",
        detail: expect.stringContaining("larger than 2 MiB together; the largest is large."),
      })
    },
  )

  it("counts secrets as they are revealed", () => {
    const secret = mintedAs("one", { values: { v: { value: new Secret("x".repeat(LIMIT)) } } })
    expect(tooLarge([secret])).toHaveLength(1)
  })
})

it("a provider is given the files that its grant names, and keeps what it threw to itself as the cause", async () => {
  const { broker, call } = await world({ grants: { one: "mints" } })
  const snapshot = await broker.policySource.snapshot()
  const files = new Map([["secrets.sops.yaml", "sealed"]])
  const withFiles: typeof snapshot = {
    ...snapshot,
    async policiesOf(subject) {
      const found = await snapshot.policiesOf(subject)
      const policies = found.policies.map((policy) => ({
        ...policy,
        grants: new Map([...policy.grants].map(([name, grant]) => [name, { ...grant, files }])),
      }))
      return { ...found, policies }
    },
  }
  const requests: MintRequest<unknown, unknown>[] = []
  const cause = new Error("something of the provider's")
  const staged = broker.providers.get("staged")
  if (!staged) throw new Error("the world has no provider")
  const breaking: Provider = {
    ...staged,
    async mint(request) {
      requests.push(request)
      throw cause
    },
  }
  const exchanged = exchange(call(), {
    ...broker,
    policySource: { ...broker.policySource, snapshot: async () => withFiles },
    providers: new Map([["staged", breaking]]),
  })
  await expect(exchanged).rejects.toMatchObject({
    code: "internal",
    detail: "A provider of this broker failed with an unexpected error.",
    cause,
  })
  expect(requests).toMatchObject([{ files }])
})
