import { base64url, type CryptoKey, exportJWK, generateKeyPair } from "jose"
import type { Claims, Identity } from "../../../../broker/core/identity.ts"
import type { IssuerConfig, IssuerKeys } from "../../../../broker/core/policy/model.ts"
import { readPublicKey } from "../../../../broker/core/public-key.ts"
import type { IssuerFamily, SignatureAlgorithm } from "../../../../broker/issuers/family.ts"
import { identify } from "../../../../broker/issuers/identify.ts"
import { createVerifier, type VerifiedToken } from "../../../../broker/issuers/verify.ts"
import { TestClock } from "../../../support/clock.ts"
import { cryptography } from "../../../support/cryptography.ts"
import { AUDIENCE, type Json, listed, TestNetwork, utf8 } from "../fixture.ts"
import type { FamilyCase } from "./family-case.ts"

/** A key of an algorithm: what its issuer publishes, and how it signs. */
export interface SigningKey {
  readonly alg: SignatureAlgorithm
  readonly kid: string
  readonly jwk: Json
  sign(text: string): Promise<string>
}

const KEYS = new Map<SignatureAlgorithm, Promise<SigningKey>>()

/** One key for each algorithm in the whole suite: making an RSA key takes longer than a hundred tests. */
export function keyOf(alg: SignatureAlgorithm): Promise<SigningKey> {
  const known = KEYS.get(alg) ?? makeKey(alg)
  KEYS.set(alg, known)
  return known
}

/** A key that no issuer publishes, under the `kid` of one that is. */
export async function foreignKey(alg: SignatureAlgorithm): Promise<SigningKey> {
  return makeKey(alg)
}

async function makeKey(alg: SignatureAlgorithm): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const kid = `key-${alg}`
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" }
  return { alg, kid, jwk, sign: (text) => signature(alg, privateKey, text) }
}

async function signature(alg: SignatureAlgorithm, key: CryptoKey, text: string): Promise<string> {
  const bits = alg.slice(2)
  const parameters = alg.startsWith("RS")
    ? { name: "RSASSA-PKCS1-v1_5" }
    : alg.startsWith("PS")
      ? { name: "RSA-PSS", saltLength: Number(bits) / 8 }
      : alg.startsWith("ES")
        ? { name: "ECDSA", hash: `SHA-${bits}` }
        : { name: "Ed25519" }
  return base64url.encode(new Uint8Array(await crypto.subtle.sign(parameters, key, utf8(text))))
}

export interface Parts {
  readonly claims: Json
  readonly header?: Json
}

/** A token with a good signature, whatever it says. */
export async function token(key: SigningKey, { claims, header }: Parts): Promise<string> {
  const head = { alg: key.alg, kid: key.kid, typ: "JWT", ...header }
  const signingInput = `${base64url.encode(JSON.stringify(head))}.${base64url.encode(JSON.stringify(claims))}`
  return `${signingInput}.${await key.sign(signingInput)}`
}

export interface FamilyFixture {
  readonly kase: FamilyCase
  /** The key of the family's first algorithm. */
  key(): Promise<SigningKey>
  readonly audience: string
  /** Ten seconds after the first sample was issued. */
  readonly now: number
  /** The first sample's claims, for the broker's audience; undefined leaves one out. */
  claims(overrides?: Json, sample?: Json): Json
  /** Verifies a token text at a time, by default `now`. The issuer's keys stay cached between calls. */
  verifyText(text: string, config?: IssuerConfig): Promise<VerifiedToken>
  /** Signs and verifies the first sample with other claims. */
  verify(overrides: Json, config?: IssuerConfig): Promise<VerifiedToken>
  /** The identity that claims make, without a token: the fault, or the identity. */
  identify(overrides: Json, sample?: Json): Identity | string
  /** How many requests the issuer got. */
  requests(): number
}

/** Stands in front of an issuer of the family that publishes one key for each of its algorithms. */
export function fixtureOf(kase: FamilyCase): FamilyFixture {
  const { family, config } = kase
  const [sample] = kase.samples
  if (sample === undefined) throw new Error("a family's case needs a sample")
  const now = Number(sample.claims["iat"]) + 10
  const audience = config.audience ?? AUDIENCE
  const network = new TestNetwork()
  const published = Promise.all(family.algorithms.map(keyOf)).then((keys) => publish(network, family, config, keys))
  const listing = family.keys.by === "nowhere" ? listingOf(family) : {}
  const families = new Map([[family.facts.name, family]])
  const clock = new TestClock(now * 1000)
  const verifier = createVerifier({ audience: AUDIENCE, cryptography, http: network.http, clock, families })
  const key = () => keyOf(family.algorithms[0] ?? "RS256")
  const claimsOf = (overrides: Json = {}, claims = sample.claims): Json =>
    JSON.parse(JSON.stringify({ ...claims, aud: audience, ...overrides }))
  const verifyText = async (text: string, other = config) => {
    await published
    return verifier.verify(text, listed({ ...other, ...(await listing) }))
  }
  return {
    kase,
    key,
    audience,
    now,
    claims: claimsOf,
    verifyText,
    verify: async (overrides, other) => verifyText(await token(await key(), { claims: claimsOf(overrides) }), other),
    identify: (overrides, claims) => {
      const identified = identify(claimsOf(overrides, claims) as Claims, config, family)
      return identified.ok ? identified.value : identified.fault
    },
    requests: () => network.requests.length,
  }
}

/** The keys of a family that publishes none, as its one process lists them for itself. */
async function listingOf({ algorithms, facts }: IssuerFamily): Promise<{ readonly keys: IssuerKeys }> {
  const list = (await Promise.all(algorithms.map(keyOf))).map(({ jwk }) => {
    const read = readPublicKey(jwk, facts.keySpelling)
    if (!read.ok) throw new Error(read.fault.fault)
    return read.value
  })
  return { keys: { by: "list", list } }
}

function publish(
  network: TestNetwork,
  { keys }: IssuerFamily,
  { url }: IssuerConfig,
  published: readonly SigningKey[],
) {
  const body = { keys: published.map(({ jwk }) => jwk) }
  const base = url.replace(/\/$/, "")
  if (keys.by === "path") return network.answer(`${base}${keys.path}`, { body })
  if (keys.by === "host-path") return network.answer(`${new URL(url).origin}${keys.path}`, { body })
  const jwksUrl = new URL("/the/keys", url).href
  network.answer(`${base}/.well-known/openid-configuration`, { body: { issuer: url, jwks_uri: jwksUrl } })
  return network.answer(jwksUrl, { body })
}
