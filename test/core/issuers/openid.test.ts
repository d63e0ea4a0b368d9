import { beforeAll, describe, expect, it } from "vitest"
import { OPENID } from "../../../broker/core/families/openid.ts"
import { readDiscovery } from "../../../broker/issuers/discovery.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { openid } from "../../../broker/issuers/openid/family.ts"
import { createVerifier, type SubjectTokenVerifier } from "../../../broker/issuers/verify.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { OPENID_CASE } from "./families/openid.ts"
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
  utf8,
} from "./fixture.ts"

const { config, samples, refused } = OPENID_CASE
const [first] = samples
const good = first?.claims ?? {}
const NOW_MS = (Number(good["iat"]) + 10) * 1000

let key: TestKey
let network: TestNetwork
let verifier: SubjectTokenVerifier

beforeAll(async () => {
  key = await makeKey("k1")
  network = new TestNetwork()
  network.publish([publicJwk(key)], config.url, `${config.url}/certs`)
  verifier = createVerifier({ audience: AUDIENCE, cryptography, http: network.http, clock: new TestClock(NOW_MS) })
})

const verify = async (claims: Json, lifetime?: number) =>
  verifier.verify(
    await token(key, { claims: JSON.parse(JSON.stringify(claims)), header: { x5t: undefined } }),
    listed({ ...config, maxTokenLifetimeSeconds: lifetime ?? 3_600 }),
  )

describe("an ID token", () => {
  it.each(samples)("of $name says who the person is", async ({ claims, identity, derived = {} }) => {
    const found = (await verify(claims, 3_900)).identity
    expect(found).toMatchObject(identity)
    expect(found.claims).toMatchObject(derived)
  })

  it.each(refused)("%s is refused", async (_, changes, fault) => {
    const error = await refusal(verify({ ...good, ...changes }))
    expect(error.code).toBe("token_claims_invalid")
    expect(error.detail).toMatch(fault)
  })

  it.each([
    ["of the broker, and not of the client", AUDIENCE],
    ["of two clients", ["daypass-cli", "another-client"]],
    ["of the client twice", ["daypass-cli", "daypass-cli"]],
    ["that only begins with the client", "daypass-cli-2"],
  ])("with the audience %s is refused", async (_, aud) => {
    expect((await refusal(verify({ ...good, aud }))).code).toBe("token_audience_mismatch")
  })

  it("lives an hour, and longer only where the organisation file says so, up to a day", async () => {
    const lives = (seconds: number) => ({ ...good, exp: Number(good["iat"]) + seconds })
    await expect(verify(lives(3_600))).resolves.toBeDefined()
    expect((await refusal(verify(lives(3_601)))).code).toBe("token_lifetime_too_long")
    await expect(verify(lives(86_400), 86_400)).resolves.toBeDefined()
    expect((await refusal(verify(lives(86_401), 100_000))).code).toBe("token_lifetime_too_long")
  })

  it("is known by its jti, or by its text where the provider sends none", async () => {
    const again = async (one: Json, other: Json) => (await verify(one)).tokenKey === (await verify(other)).tokenKey
    expect(await again(good, { ...good, nonce: "another" })).toBe(true)
    const { jti: _, ...without } = good
    expect(await again(without, { ...without, nonce: "another" })).toBe(false)
    expect((await refusal(verify({ ...good, jti: "" }))).code).toBe("token_claims_invalid")
  })

  it("cannot say itself what the family derives", () => {
    const claims = { ...good, outsider: true, interactive: true } as Parameters<typeof identityIn>[0]
    const read = identityIn(claims, config)
    expect(read.ok && read.value.claims).toMatchObject({ outsider: false, interactive: false })
  })

  it("of another person never becomes this one when a claim is left out", () => {
    const claims = good as Parameters<typeof identityIn>[0]
    for (const name of Object.keys(claims)) {
      const read = identityIn({ ...claims, [name]: null }, config)
      if (read.ok) expect([read.value.unitId, read.value.ownerId]).toEqual([claims["sub"], config.url])
    }
  })
})

describe("Google's keys", () => {
  const discovery = (jwks_uri: string, issuer: string) => utf8(JSON.stringify({ issuer, jwks_uri }))
  const elsewhere = openid.keys.by === "discovery" ? (openid.keys.elsewhere ?? {}) : {}
  const google = "https://accounts.google.com"

  it("are taken from the one other host that the family fixes, and no other issuer's are", () => {
    const certs = "https://www.googleapis.com/oauth2/v3/certs"
    expect(readDiscovery(discovery(certs, google), google, elsewhere[google])).toEqual({ ok: true, value: certs })
    const evil = "https://evil.example/certs"
    expect(readDiscovery(discovery(evil, google), google, elsewhere[google]).ok).toBe(false)
    expect(readDiscovery(discovery(certs, config.url), config.url, elsewhere[config.url]).ok).toBe(false)
  })
})

it("asks for no algorithm that shares a secret", () => {
  expect(openid.algorithms.every((algorithm) => /^(?:RS|PS|ES)\d{3}$|^EdDSA$/.test(algorithm))).toBe(true)
  expect(OPENID.audience).toBe("issuer")
})
