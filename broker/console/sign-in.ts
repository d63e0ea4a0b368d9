import * as oauth from "oauth4webapi"
import * as z from "zod"
import { parseWith } from "../core/parse-with.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import { fail, ok, type Result } from "../core/result.ts"
import { Secret } from "../core/secret.ts"
import type { Broker } from "../exchange/broker.ts"
import { openIdOptions } from "../http/openid-http.ts"
import { HttpError } from "../ports/http.ts"
import type { SealContext } from "../signing/sealer.ts"
import { openCookie } from "./cookies.ts"
import { CALLBACK_PATH } from "./enter.ts"

/** How long a person may take at the provider: a second factor may have to be fetched from another room. */
export const SIGN_IN_SECONDS = 10 * 60

/** What a sign-in is for. */
export interface SignInWish {
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  readonly grant: string
  /** The page to go to afterwards. */
  readonly to: string
}

const waiting = z.strictObject({
  ...{ issuer: z.string(), grant: z.string(), to: z.string() },
  ...{ state: z.string(), nonce: z.string(), verifier: z.string() },
  /** Unix seconds. */
  until: z.int(),
})

const CONTEXT: SealContext = { kind: "console-sign-in", unit: "-", id: "-" }

type SignInBroker = Pick<Broker, "http" | "sealer" | "clock" | "url">

/** What the providers say of themselves, by the issuer's URL. */
export type KnownProviders = Map<string, { readonly server: oauth.AuthorizationServer; readonly at: number }>

/** Anybody can begin a sign-in. So that nobody makes the broker ask the provider again and again, it is asked this rarely. */
const PROVIDER_KNOWN_MS = 5 * 60_000

/**
 * Begins the authorization code flow with PKCE (RFC 6749, RFC 7636). Returns the provider's address, and the sealed text that the
 * browser keeps until it comes back. The fault is a sentence for the person.
 */
export async function beginSignIn(
  wish: SignInWish,
  issuer: IssuerConfig,
  broker: SignInBroker,
  known: KnownProviders,
): Promise<Result<{ readonly address: string; readonly cookie: string }, string>> {
  return await orFault(async () => {
    const { server, options, client } = await providerOf(issuer, broker, known)
    if (server.authorization_endpoint === undefined) throw new SignInFault("The provider offers no login in a browser.")
    const address = new URL(server.authorization_endpoint)
    oauth.checkProtocol(address, !options[oauth.allowInsecureRequests])
    const [state, nonce, verifier] = [
      oauth.generateRandomState(),
      oauth.generateRandomNonce(),
      oauth.generateRandomCodeVerifier(),
    ]
    for (const [name, value] of Object.entries({
      ...{ client_id: client.client_id, redirect_uri: `${broker.url}${CALLBACK_PATH}`, response_type: "code" },
      ...{ scope: scopeOf(server), state, nonce },
      ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" },
    })) {
      address.searchParams.set(name, value)
    }
    const until = Math.floor(broker.clock.now().getTime() / 1000) + SIGN_IN_SECONDS
    const text = JSON.stringify({ ...wish, state, nonce, verifier, until })
    return { address: address.href, cookie: await broker.sealer.seal(new Secret(text), CONTEXT) }
  })
}

/** What the browser kept; null when it kept nothing, or it is too old. */
export async function waitingSignIn(cookie: string | null, { sealer, clock }: SignInBroker) {
  const text = await openCookie(cookie, CONTEXT, sealer)
  const parsed = text && parseWith(waiting, JSON.parse(text.reveal()))
  return parsed?.success && parsed.data.until > clock.now().getTime() / 1000 ? parsed.data : null
}

export type WaitingSignIn = NonNullable<Awaited<ReturnType<typeof waitingSignIn>>>

/**
 * Takes the provider's answer, and fetches the ID token. The answer must carry this sign-in's `state`, the token its `nonce`, and
 * where the provider names itself in the answer (RFC 9207), it must be the one that was asked.
 */
export async function finishSignIn(
  answer: URLSearchParams,
  kept: WaitingSignIn,
  issuer: IssuerConfig,
  broker: SignInBroker,
  known: KnownProviders,
): Promise<Result<string, string>> {
  return await orFault(async () => {
    const { server, options, client } = await providerOf(issuer, broker, known)
    const valid = oauth.validateAuthResponse(server, client, answer, kept.state)
    const redirect = `${broker.url}${CALLBACK_PATH}`
    const response = await oauth.authorizationCodeGrantRequest(
      ...([server, client, oauth.None(), valid, redirect, kept.verifier, options] as const),
    )
    const expected = { expectedNonce: kept.nonce, requireIdToken: true }
    const { id_token: idToken } = await oauth.processAuthorizationCodeResponse(server, client, response, expected)
    if (idToken === undefined) throw new SignInFault("The provider sent no ID token.")
    return idToken
  })
}

async function providerOf({ url, audience = "" }: IssuerConfig, { http, clock }: SignInBroker, known: KnownProviders) {
  const issuer = new URL(url)
  const options = openIdOptions(http, issuer)
  const before = known.get(url)
  const isFresh = before !== undefined && clock.elapsed() - before.at < PROVIDER_KNOWN_MS
  const server = isFresh
    ? before.server
    : await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
  if (!isFresh) known.set(url, { server, at: clock.elapsed() })
  const client: oauth.Client = { client_id: audience }
  return { server, options, client }
}

/** The groups of a person are what most policies go by; some providers send them only when they are asked. */
const scopeOf = ({ scopes_supported: known = [] }: oauth.AuthorizationServer): string =>
  ["openid", "email", "profile", ...(known.includes("groups") ? ["groups"] : [])].join(" ")

class SignInFault extends Error {}

async function orFault<Value>(act: () => Promise<Value>): Promise<Result<Value, string>> {
  try {
    return ok(await act())
  } catch (error) {
    return fail(sentenceOf(error))
  }
}

/** Our own sentence. It quotes nothing of the provider but OAuth's error codes. */
function sentenceOf(error: unknown): string {
  if (error instanceof SignInFault) return error.message
  const cause = error instanceof Error ? error.cause : undefined
  const network = [error, cause].find((one) => one instanceof HttpError)
  if (network instanceof HttpError) return `The provider cannot be asked (${network.reason}). Try again later.`
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    const code = /^[a-z_]{1,64}$/.test(error.error) ? error.error : "unknown error"
    if (code === "access_denied") return "The sign-in was refused, by you or by the provider (access_denied)."
    return `The provider refused (${code}). Compare the client's settings with docs/console.md.`
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError)
    return "The provider does not accept the client without a secret. Register a public client: see docs/console.md."
  if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError)
    return "The provider's answer is not one to this sign-in, or not what OpenID Connect asks for. Begin again."
  throw error
}
