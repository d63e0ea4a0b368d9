import { base64url, CompactSign, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from "jose"
import { beforeAll, describe, expect, test } from "vitest"
import { algorithmsOf, readPublicKey, type SignatureAlgorithm } from "../../../broker/core/public-key.ts"
import type { IssuerFamily } from "../../../broker/issuers/family.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { createVerifier } from "../../../broker/issuers/verify.ts"
import { cryptography } from "../../support/cryptography.ts"
import { AUDIENCE, claims, issuer, type Json, listed, refusal, TestNetwork, testClock } from "./fixture.ts"

const ALGORITHMS: readonly SignatureAlgorithm[] = [
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const),
]
const every: IssuerFamily = {
  ...githubActions,
  facts: { ...githubActions.facts, name: "every" },
  algorithms: ALGORITHMS,
}
const config = (overrides: Json = {}) => issuer({ family: "every", ...overrides })

/** One key of each type, by an algorithm that it is for. */
const privateKeys = new Map<string, JWK>()
const publicKeys = new Map<string, JWK>()
const KINDS = ["RS256", "ES256", "ES384", "ES512", "EdDSA"] as const

beforeAll(async () => {
  for (const kind of KINDS) {
    const pair = await generateKeyPair(kind, { extractable: true })
    const { alg, ...privateJwk } = await exportJWK(pair.privateKey)
    privateKeys.set(kind, privateJwk)
    const { d, p, q, dp, dq, qi, oth, ...publicJwk } = privateJwk
    publicKeys.set(kind, { ...publicJwk, kid: kind })
  }
})

const kindOf = (alg: string) => (/^[RP]S/.test(alg) ? "RS256" : alg)
const jwks = (members: Json = {}) => ({ keys: [...publicKeys.values()].map((key) => ({ ...key, ...members })) })

async function signed(alg: string, overrides: Json = {}): Promise<string> {
  const key = (await importJWK(privateKeys.get(kindOf(alg)) ?? {}, alg)) as CryptoKey
  const payload = new TextEncoder().encode(JSON.stringify(claims(overrides)))
  return new CompactSign(payload).setProtectedHeader({ alg, kid: kindOf(alg), typ: "JWT" }).sign(key)
}

/** A token that claims an algorithm and a key, with a signature by another pair of both. */
async function confused(alg: string, kid: string, by: string): Promise<string> {
  const [, payload, signature] = (await signed(by)).split(".")
  return [base64url.encode(JSON.stringify({ alg, kid, typ: "JWT" })), payload, signature].join(".")
}

function verifierOf(network: TestNetwork, family: IssuerFamily = every) {
  return createVerifier({
    audience: AUDIENCE,
    cryptography,
    http: network.http,
    clock: testClock(),
    families: new Map([[family.facts.name, family]]),
  })
}

function published(body: unknown = jwks()): TestNetwork {
  const network = new TestNetwork()
  network.publish((body as { keys: Json[] }).keys)
  return network
}

describe("a signature", () => {
  test.each(ALGORITHMS)("with %s is verified", async (alg) => {
    const verified = await verifierOf(published()).verify(await signed(alg), listed(config()))
    expect(verified.identity.unitId).toBe("456789")
  })

  test.each(ALGORITHMS)("with %s of another payload is refused", async (alg) => {
    const [header, , signature] = (await signed(alg)).split(".")
    const [, payload] = (await signed(alg, { jti: "other" })).split(".")
    const verifying = verifierOf(published()).verify([header, payload, signature].join("."), listed(config()))
    expect((await refusal(verifying)).code).toBe("token_signature_invalid")
  })

  test.each(KINDS)("by a key for %s counts for no algorithm of another type of key", async (kind) => {
    const verifier = verifierOf(published())
    for (const alg of [...ALGORITHMS, "HS256", "none"].filter((one) => kindOf(one) !== kind)) {
      for (const by of [kind, ...(alg === "HS256" || alg === "none" ? [] : [alg])]) {
        const error = await refusal(verifier.verify(await confused(alg, kind, by), listed(config())))
        expect(error.code, `${alg} by ${by}`).toBe("token_signature_invalid")
      }
    }
  })

  test("of RSA is not taken for the other padding, nor for another hash", async () => {
    const verifier = verifierOf(published())
    for (const [alg, by] of [
      ["PS256", "RS256"],
      ["RS256", "PS256"],
      ["RS512", "RS256"],
      ["RS256", "RS512"],
    ] as const) {
      const error = await refusal(verifier.verify(await confused(alg, "RS256", by), listed(config())))
      expect(error.code, `${alg} by ${by}`).toBe("token_signature_invalid")
    }
  })

  test("with an algorithm that the key's own alg excludes is refused", async () => {
    const network = published({ keys: [{ ...publicKeys.get("RS256"), alg: "RS256" }] })
    await expect(verifierOf(network).verify(await signed("RS256"), listed(config()))).resolves.toBeDefined()
    const error = await refusal(verifierOf(network).verify(await signed("PS256"), listed(config())))
    expect(error.code).toBe("token_signature_invalid")
  })

  test("with an algorithm that the family excludes is refused, although its key is published", async () => {
    const family = { ...every, algorithms: ["RS256", "ES256"] } as const
    const network = published()
    await expect(verifierOf(network, family).verify(await signed("ES256"), listed(config()))).resolves.toBeDefined()
    const error = await refusal(verifierOf(network, family).verify(await signed("EdDSA"), listed(config())))
    expect(error.detail).toBe("The subject token must be signed with RS256 or ES256.")
  })
})

describe("keys that the organisation file lists", () => {
  const list = () =>
    jwks().keys.flatMap((key) => {
      const read = readPublicKey(key)
      return read.ok ? [read.value] : []
    })

  test.each(KINDS)("verify %s, and nothing is fetched", async (alg) => {
    const network = new TestNetwork()
    const inline = config({ keys: { by: "list", list: list() } })
    await expect(verifierOf(network).verify(await signed(alg), listed(inline))).resolves.toBeDefined()
    expect(network.urls).toEqual([])
  })

  test("are all that count: a key that only the issuer publishes is refused, and nothing is fetched", async () => {
    const network = published()
    const inline = config({ keys: { by: "list", list: list().filter(({ kid }) => kid !== "ES256") } })
    const verifier = verifierOf(network)
    expect((await refusal(verifier.verify(await signed("ES256"), listed(inline)))).code).toBe("token_signature_invalid")
    await expect(verifier.verify(await signed("ES384"), listed(inline))).resolves.toBeDefined()
    expect(network.urls).toEqual([])
  })

  test("count from the moment when the file changes", async () => {
    const verifier = verifierOf(new TestNetwork())
    const before = config({ keys: { by: "list", list: list() } })
    const after = config({ keys: { by: "list", list: list().filter(({ kid }) => kid !== "ES256") } })
    await expect(verifier.verify(await signed("ES256"), listed(before))).resolves.toBeDefined()
    expect((await refusal(verifier.verify(await signed("ES256"), listed(after)))).code).toBe("token_signature_invalid")
  })
})

describe("a place that the organisation file fixes", () => {
  const ELSEWHERE = "https://keys.example.com:6443/openid/v1/jwks"
  const fixed = (url = ELSEWHERE) => config({ keys: { by: "url", url } })

  test("is the only one that is asked, also on another host", async () => {
    const network = new TestNetwork()
    network.answer(ELSEWHERE, { body: jwks() })
    await expect(verifierOf(network).verify(await signed("ES256"), listed(fixed()))).resolves.toBeDefined()
    expect(network.urls).toEqual([ELSEWHERE])
  })

  test("that fails is named as the issuer's, and the issuer's own place is not asked instead", async () => {
    const network = published()
    network.answer(ELSEWHERE, { status: 403, body: {} })
    const error = await refusal(verifierOf(network).verify(await signed("ES256"), listed(fixed())))
    expect(error.code).toBe("issuer_unavailable")
    expect(error.detail).toContain("its key set was answered with status 403")
    expect(network.urls).toEqual([ELSEWHERE])
  })

  test("that is not plain is not asked", async () => {
    const network = new TestNetwork()
    const error = await refusal(verifierOf(network).verify(await signed("ES256"), listed(fixed(`${ELSEWHERE}#x`))))
    expect(error.detail).toContain("its jwks_url is not in its plain spelling")
    expect(network.urls).toEqual([])
  })

  test("has its own cache: keys of the former place do not count", async () => {
    const network = published()
    network.answer(ELSEWHERE, { body: { keys: jwks().keys.filter(({ kid }) => kid !== "ES256") } })
    const verifier = verifierOf(network)
    await expect(verifier.verify(await signed("ES256"), listed(config()))).resolves.toBeDefined()
    const error = await refusal(verifier.verify(await signed("ES256"), listed(fixed())))
    expect(error.code).toBe("token_signature_invalid")
  })
})

test("a family can have its keys at a path of the issuer's host", async () => {
  const network = new TestNetwork()
  network.answer("https://token.actions.githubusercontent.com/keys", { body: jwks() })
  const family = { ...every, keys: { by: "host-path", path: "/keys" } } as const
  await expect(verifierOf(network, family).verify(await signed("ES256"), listed(config()))).resolves.toBeDefined()
})

test("each type of key is for its own algorithms", () => {
  const found = KINDS.map((kind) => {
    const read = readPublicKey(publicKeys.get(kind) ?? {})
    return read.ok ? algorithmsOf(read.value).join(" ") : read.fault.fault
  })
  expect(found).toEqual(["RS256 RS384 RS512 PS256 PS384 PS512", "ES256", "ES384", "ES512", "EdDSA"])
})

test("an issuer that is listed with a slash at its end, or without one, is told so", async () => {
  const token = await signed("ES256")
  const error = await refusal(verifierOf(published()).verify(token, listed(config({ url: `${issuer().url}/` }))))
  expect(error).toMatchObject({
    code: "token_issuer_unknown",
    detail: expect.stringContaining("differs only by a slash at its end: list it exactly so."),
  })
})
