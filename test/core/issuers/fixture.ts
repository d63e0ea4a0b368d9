import { base64url, exportJWK, generateKeyPair } from "jose"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { IssuerConfig } from "../../../broker/core/policy/model.ts"
import type { Http, HttpRequest } from "../../../broker/ports/http.ts"
import { TestClock } from "../../support/clock.ts"
import sample from "../../vectors/claims/github-environment.json" with { type: "json" }

export const ISSUER_URL = "https://token.actions.githubusercontent.com"
export const DISCOVERY_URL = `${ISSUER_URL}/.well-known/openid-configuration`
export const JWKS_URL = `${ISSUER_URL}/.well-known/jwks`
export const AUDIENCE = "https://broker.example.com"
export const THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

/** Ten seconds into the life of the sample tokens. */
export const NOW_SECONDS = sample.iat + 10

export type Json = Record<string, unknown>

export function issuer(overrides: Partial<IssuerConfig> = {}): IssuerConfig {
  return {
    name: "github",
    family: "github-actions",
    url: ISSUER_URL,
    owners: new Map([["octo-org", "123456"]]),
    repositoryPolicies: false,
    ...overrides,
  }
}

export function listed(...issuers: IssuerConfig[]): ReadonlyMap<string, IssuerConfig> {
  return new Map(issuers.map((each) => [each.name, each]))
}

/** The clock of these tests, at the time of the fixture. */
export const testClock = () => new TestClock(NOW_SECONDS * 1000)

export interface TestKey {
  readonly kid: string
  readonly jwk: { readonly kty: "RSA"; readonly n: string; readonly e: string }
  /** The signature of a text, base64url. */
  sign(text: string): Promise<string>
}

export async function makeKey(kid: string, modulusLength = 2048): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { modulusLength })
  const { n = "", e = "" } = await exportJWK(publicKey)
  const sign = async (text: string) =>
    base64url.encode(new Uint8Array(await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, utf8(text))))
  return { kid, jwk: { kty: "RSA", n, e }, sign }
}

export function publicJwk(key: TestKey, members: Json = {}): Json {
  return { ...key.jwk, kid: key.kid, alg: "RS256", use: "sig", ...members }
}

/** The sample job's claims; undefined leaves one out. */
export function claims(overrides: Json = {}): Json {
  return JSON.parse(JSON.stringify({ ...sample, ...overrides }))
}

export interface TokenParts {
  readonly claims?: Json
  readonly header?: Json
  /** The texts as they are, in place of the two above. */
  readonly rawHeader?: string
  readonly rawPayload?: string
}

/** A token with a good signature, whatever it says. */
export async function token(key: TestKey, parts: TokenParts = {}): Promise<string> {
  const header =
    parts.rawHeader ?? JSON.stringify({ alg: "RS256", kid: key.kid, typ: "JWT", x5t: "x5t", ...parts.header })
  const payload = parts.rawPayload ?? JSON.stringify(parts.claims ?? claims())
  const signingInput = `${base64url.encode(header)}.${base64url.encode(payload)}`
  return `${signingInput}.${await key.sign(signingInput)}`
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(text))
}

type Answer = { readonly status?: number; readonly body: unknown } | Error

/** The network as the verifier sees it: answers what a test laid out, and fails on a request that nobody expected. */
export class TestNetwork {
  readonly requests: HttpRequest[] = []
  readonly #answers = new Map<string, Answer>()
  #gate: Promise<void> | null = null

  readonly http: Http = async (request) => {
    this.requests.push(request)
    const answer = this.#answers.get(request.url)
    if (!answer) throw new Error(`nobody expected a request to ${request.url}`)
    await this.#gate
    if (answer instanceof Error) throw answer
    const { status = 200, body } = answer
    const bytes = body instanceof Uint8Array ? body : utf8(typeof body === "string" ? body : JSON.stringify(body))
    return { status, header: () => null, body: bytes }
  }

  /** The address of each request so far. */
  get urls(): string[] {
    return this.requests.map((request) => request.url)
  }

  /** Waits until that many requests were made, answered or not. */
  async reached(count: number): Promise<void> {
    while (this.requests.length < count) await Promise.resolve()
  }

  answer(url: string, answer: Answer): void {
    this.#answers.set(url, answer)
  }

  /** An issuer's two documents, good ones. */
  publish(keys: readonly Json[], issuerUrl = ISSUER_URL, jwksUrl = JWKS_URL): void {
    this.answer(`${issuerUrl}/.well-known/openid-configuration`, { body: { issuer: issuerUrl, jwks_uri: jwksUrl } })
    this.answer(jwksUrl, { body: { keys } })
  }

  /** Lets answers wait until the function that it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return () => {
      this.#gate = null
      resolve()
    }
  }
}

/** How a promise failed, which must be with a BrokerError: its code and its detail. */
export async function refusal(outcome: Promise<unknown>): Promise<BrokerError> {
  const error = await outcome.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  )
  if (error instanceof BrokerError) return error
  throw error
}
