import { beforeAll, describe, expect, it } from "vitest"
import { idNameOf } from "../../../../broker/core/families/units.ts"
import type { Claims } from "../../../../broker/core/identity.ts"
import { identityIn } from "../../../../broker/issuers/families.ts"
import { identify } from "../../../../broker/issuers/identify.ts"
import { createVerifier } from "../../../../broker/issuers/verify.ts"
import { TestClock } from "../../../support/clock.ts"
import { cryptography } from "../../../support/cryptography.ts"
import {
  AUDIENCE,
  type Json,
  listed,
  makeKey,
  publicJwk,
  refusal,
  type TestKey,
  TestNetwork,
  token,
} from "../fixture.ts"
import { AZURE_DEVOPS_CASE, SERVICE_CONNECTION } from "./azure-devops.ts"
import { BITBUCKET_CASE } from "./bitbucket.ts"
import { BUILDKITE_CASE, WITHOUT_IDS } from "./buildkite.ts"
import type { FamilyCase } from "./family-case.ts"
import { HCP_TERRAFORM_CASE } from "./hcp-terraform.ts"
import { SEMAPHORE_CASE } from "./semaphore.ts"
import { SPACELIFT_CASE } from "./spacelift.ts"

const CASES = [BUILDKITE_CASE, HCP_TERRAFORM_CASE, BITBUCKET_CASE, AZURE_DEVOPS_CASE, SPACELIFT_CASE, SEMAPHORE_CASE]

let key: TestKey
beforeAll(async () => {
  key = await makeKey("k1")
})

/** Claims as they come out of a token; undefined leaves one out. */
const sent = (claims: Json): Json => JSON.parse(JSON.stringify(claims))

async function verify({ config }: FamilyCase, claims: Json, header: Json = { x5t: undefined }) {
  const network = new TestNetwork()
  network.publish([publicJwk(key)], config.url, `${new URL(config.url).origin}/keys`)
  const clock = new TestClock((Number(claims["iat"]) + 10) * 1000)
  const verifier = createVerifier({ audience: AUDIENCE, cryptography, http: network.http, clock })
  return verifier.verify(await token(key, { claims: sent(claims), header }), listed(config))
}

const factsIn = (one: FamilyCase, claims: Json): ReadonlySet<string> | null => {
  const identity = identify(sent(claims) as Claims, one.config, one.family)
  return identity.ok ? new Set(identity.value.cautions.map(({ fact }) => fact)) : null
}

describe.each(CASES.map((one) => [one.family.facts.title, one] as const))("a job of %s", (_, one) => {
  const { facts } = one.family
  const [first] = one.samples
  if (!first) throw new Error("no sample")

  it.each(one.samples)("is identified: $name", async ({ claims, identity, derived = {} }) => {
    const verified = await verify(one, claims)
    expect(verified.identity).toMatchObject({ issuer: one.config.name, issuerUrl: one.config.url, ...identity })
    expect(verified.identity.claims).toMatchObject(derived)
    expect(identityIn(sent(claims) as Claims, one.config)).toEqual({ ok: true, value: verified.identity })
  })

  it.each(one.refused)("is refused %s", async (_, change, fault) => {
    const error = await refusal(verify(one, { ...first.claims, ...change }))
    expect(error.code).toBe("token_claims_invalid")
    expect(error.detail).toMatch(/^In the subject token, .+\.$/)
    expect(error.detail).toContain(fault)
  })

  it("names no environment unless its token does", () => {
    for (const { claims, identity } of one.samples) {
      if (identity.environment === undefined) continue
      expect(claims[facts.roles.environment ?? ""]).toBe(identity.environment)
    }
  })

  it("never looks less surprising, or else, when a claim is left out", () => {
    for (const { claims } of one.samples) {
      const whole = factsIn(one, claims)
      for (const name of Object.keys(claims)) {
        const without = factsIn(one, { ...claims, [name]: undefined })
        expect(without === null || without.isSupersetOf(whole ?? new Set()), name).toBe(true)
      }
    }
  })

  it("is refused when a claim that every token has is missing, null, or of another type", () => {
    const always = [...facts.claims].filter(
      ([, { sent, registered, derived }]) => sent === "always" && !registered && !derived,
    )
    expect(always.length).toBeGreaterThan(4)
    for (const [name] of always) {
      for (const value of [undefined, null, [first.claims[name]], {}]) {
        expect(factsIn(one, { ...first.claims, [name]: value }), name).toBeNull()
      }
    }
  })

  it("has claims of the types that the family's table says, and none that it does not know", () => {
    const known = (name: string) =>
      facts.claims.has(name) || [...(facts.prefixes ?? [])].some(([p]) => name.startsWith(p))
    for (const { claims } of one.samples) {
      expect(Object.keys(claims).filter((name) => !known(name))).toEqual([])
    }
  })

  it("lives no longer than the family's tokens do", async () => {
    const longest = Math.min(one.config.maxTokenLifetimeSeconds ?? 3600, facts.maxTokenLifetimeSeconds)
    const exp = (more: number) => ({ ...first.claims, exp: Number(first.claims["iat"]) + longest + more })
    await expect(verify(one, exp(0))).resolves.toBeDefined()
    await expect(verify(one, exp(1))).rejects.toMatchObject({ code: "token_lifetime_too_long" })
  })

  it("is known again by its jti where every token has one, and else by its text", async () => {
    const once = await verify(one, first.claims)
    const again = await verify(one, first.claims, { x5t: "another" })
    const hasJti = facts.jti !== "never" && first.claims["jti"] !== undefined
    expect(once.tokenKey === again.tokenKey).toBe(hasJti)
    if (facts.jti === "always") {
      await expect(verify(one, { ...first.claims, jti: undefined })).rejects.toMatchObject({
        code: "token_claims_invalid",
      })
    }
  })

  it("is refused with another audience, and with a second one that is not listed", async () => {
    const audience = one.config.audience ?? AUDIENCE
    for (const aud of [
      "https://other.example.com",
      [audience, "https://other.example.com"],
      [],
      ["", audience],
      undefined,
    ]) {
      await expect(verify(one, { ...first.claims, aud })).rejects.toMatchObject({ code: "token_audience_mismatch" })
    }
    expect((await verify(one, { ...first.claims, aud: [audience] })).boundTo).toBeNull()
  })

  it("has a name for its id that policies and identity tokens use", () => {
    expect(idNameOf(facts.unit)).toBe(`${facts.unit}_id`)
    expect(facts.unitId.pattern.test(facts.unitId.longest)).toBe(true)
    expect(facts.unitId.pattern.test(String(first.identity.unitId))).toBe(true)
  })
})

it("a Buildkite job that asked for no ids learns the flag", async () => {
  const error = await refusal(verify(BUILDKITE_CASE, WITHOUT_IDS))
  expect(error.detail).toBe(
    "In the subject token, the claim pipeline_id is missing: add --claim organization_id,pipeline_id to the job's buildkite-agent oidc request-token.",
  )
})

it("a service connection of Azure DevOps learns to ask for the pipeline's token", async () => {
  const error = await refusal(verify(AZURE_DEVOPS_CASE, SERVICE_CONNECTION))
  expect(error.detail).toBe(
    "In the subject token, the claim org_id is missing: ask for the pipeline's own token, without serviceConnectionId.",
  )
})

describe("a token of Bitbucket for several audiences", () => {
  const [, sample] = BITBUCKET_CASE.samples
  const claims = sample?.claims ?? {}
  const [ari = ""] = BITBUCKET_CASE.config.otherAudiences ?? []
  const only = { ...BITBUCKET_CASE, config: { ...BITBUCKET_CASE.config, otherAudiences: [] } }

  it("is accepted when the organisation file lists the others, in any order, and is bound to no key", async () => {
    for (const aud of [
      [ari, AUDIENCE],
      [AUDIENCE, ari],
    ]) {
      expect((await verify(BITBUCKET_CASE, { ...claims, aud })).boundTo).toBeNull()
    }
  })

  it.each([
    ["lists each, and one of them stands twice", BITBUCKET_CASE, [AUDIENCE, ari, ari], "one of its audiences twice"],
    ["lists none", only, [ari, AUDIENCE], `must have exactly one audience, "?${AUDIENCE}`],
    [
      "lists not this one",
      BITBUCKET_CASE,
      [ari, AUDIENCE, "https://evil.example.com"],
      "also for the audience https://evil.example.com",
    ],
    ["lists them, but the broker's is missing", BITBUCKET_CASE, [ari, ari], "is not among them"],
    ["lists them, and one is no text", BITBUCKET_CASE, [ari, AUDIENCE, 7], "is also for the audience"],
    ["lists them, and one is a list", BITBUCKET_CASE, [ari, [AUDIENCE]], "is not among them"],
    ["lists it, but it stands alone", BITBUCKET_CASE, ari, "is for the audience"],
    [
      "lists them, and the broker's has a thumbprint",
      BITBUCKET_CASE,
      [ari, `${AUDIENCE}?jkt=${"a".repeat(43)}`],
      "is not among them",
    ],
  ])("is refused when the organisation file %s", async (_, one, aud, words) => {
    const error = await refusal(verify(one, { ...claims, aud }))
    expect(error.code).toBe("token_audience_mismatch")
    expect(error.detail).toMatch(new RegExp(words.replaceAll("?jkt", "\\?jkt")))
  })
})
