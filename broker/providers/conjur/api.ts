import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { bytesOfBase64 } from "../bytes.ts"
import { type Call, denied, invalid, type OtherSide, readJson, transientFailure } from "../call.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import type { Connection } from "./grant.ts"

/** A batch of some large values in base64. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
/** How long Conjur's access tokens live unless they say otherwise (`host_authorization_token_ttl`). */
const DEFAULT_LOGIN_SECONDS = 8 * 60
/** A token is kept no longer than this, whatever it says of itself. */
const MAX_LOGIN_SECONDS = 60 * 60
/** The limit for a batch's ids in its URL: servers accept about 8,000 characters. */
const MAX_IDS_LENGTH = 4_000

/**
 * Builds the login. It requests the answer as plain JSON. Base64, the form in which the token is sent later, would depend
 * on a header that proxies may change. Source: Conjur REST API, Authenticate with authn-jwt.
 */
export function buildLogin({ url, account, authenticator, host }: Connection, token: Secret<string>): Call {
  const login = host === undefined ? "" : `/${encodeURIComponent(`host/${host}`)}`
  return {
    method: "POST",
    url: `${url}/authn-jwt/${authenticator}/${account}${login}/authenticate`,
    headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ jwt: token.reveal() }).toString(),
  }
}

const accessToken = z.object({ protected: z.string().min(1), payload: z.string().min(1), signature: z.string().min(1) })

/** The access token in base64, as the header needs it, and its end. @throws {BrokerError} */
export function readLogin(side: OtherSide, response: HttpResponse, subject: string, now: Date): Login<Secret<string>> {
  const transient = transientFailure(side, response)
  if (transient !== null) throw transient
  if (response.status !== 200) throw denied(side, LOGIN_REFUSALS[response.status] ?? loginRefused(subject))
  const { protected: header, payload, signature } = readJson(side, response, accessToken, "an access token")
  if (![header, payload, signature].every((part) => /^[\w+/=-]+$/.test(part)))
    throw invalid(side, "is not an access token")
  const seconds = lifeOf(payload)
  if (seconds <= 0) throw invalid(side, "is an access token that never was valid")
  const text = JSON.stringify({ protected: header, payload, signature })
  return { value: new Secret(btoa(text)), endsAt: new Date(now.getTime() + seconds * 1000) }
}

/**
 * How long a new token lives, in seconds: the difference of its own `exp` and `iat`, so that the two clocks need not agree.
 * Nothing else depends on the payload, whose signature only Conjur can verify.
 */
function lifeOf(payload: string): number {
  try {
    const said: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")))
    const [issuedAt, end] = [memberOf(said, "iat"), memberOf(said, "exp")]
    if (Number.isSafeInteger(issuedAt) && Number.isSafeInteger(end))
      return Math.min(MAX_LOGIN_SECONDS, Number(end) - Number(issuedAt))
  } catch {
    // Not JSON in base64: a form that Conjur may change.
  }
  return DEFAULT_LOGIN_SECONDS
}

/** Splits variables into batches whose URLs every server accepts. */
export function batchesOf(variables: readonly string[], connection: Connection): readonly (readonly string[])[] {
  const batches: string[][] = []
  let length = MAX_IDS_LENGTH
  for (const variable of variables) {
    const own = encodeURIComponent(fullId(connection, variable)).length + 1
    length += own
    if (length > MAX_IDS_LENGTH) {
      batches.push([])
      length = own
    }
    batches.at(-1)?.push(variable)
  }
  return batches
}

/** Builds the request for some variables. Source: Conjur REST API, Batch retrieval of secrets. */
export const buildRead = (connection: Connection, token: Secret<string>, variables: readonly string[]): Call => ({
  method: "GET",
  url: `${connection.url}/secrets?variable_ids=${variables.map((variable) => encodeURIComponent(fullId(connection, variable))).join(",")}`,
  headers: {
    accept: "application/json",
    // With this header all values are in base64. Plain JSON could only contain text.
    "accept-encoding": "base64",
    authorization: `Token token="${token.reveal()}"`,
  },
  maxBytes: MAX_ANSWER_BYTES,
})

/**
 * Whether a batch may have been refused because of one variable. Conjur names it only in a message, which is not used. So
 * each variable is then requested alone.
 */
export const isForOne = ({ status }: HttpResponse): boolean => status === 403 || status === 404 || status === 406

/**
 * The values of these variables, each under its full id.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readValues(
  side: OtherSide,
  response: HttpResponse,
  variables: readonly string[],
  connection: Connection,
): readonly (readonly [string, StoredValue])[] {
  const transient = transientFailure(side, response)
  if (transient !== null) throw transient
  const [first = ""] = variables
  switch (response.status) {
    case 200:
      break
    case 401:
      throw denied(side, "it ended the broker's login. Check the clocks of Conjur and the broker")
    case 403:
      throw denied(side, `the host may not read ${first}. Give it the privileges read and execute on that variable`)
    case 404:
      throw secretNotFound(
        side,
        first,
        "names a variable that does not exist, has no value, or is not visible to the host",
      )
    case 406:
      throw secretUnusable(
        side,
        first,
        "is binary, and a proxy between the broker and Conjur removes the header Accept-Encoding: base64, without which only text can be read",
      )
    default:
      throw denied(side, `it did not accept the request for ${first}. Conjur's log has the reason`)
  }
  const values = readJson(side, response, z.record(z.string(), z.string()), "a map of variables")
  const inBase64 = response.header("content-encoding")?.toLowerCase() === "base64"
  return variables.map((variable) => {
    const id = fullId(connection, variable)
    const value = Object.hasOwn(values, id) ? values[id] : undefined
    if (value === undefined) throw invalid(side, "lacks a requested variable")
    return [variable, { value: inBase64 ? new Secret(bytesOf(side, value)) : new Secret(value) }] as const
  })
}

const fullId = ({ account }: Connection, variable: string) => `${account}:variable:${variable}`

/** Conjur breaks base64 into lines. */
function bytesOf(side: OtherSide, base64: string): Uint8Array {
  try {
    return bytesOfBase64(base64.replaceAll("\n", ""))
  } catch {
    throw invalid(side, "has a value that is not in base64, although its header says so")
  }
}

const loginRefused = (subject: string) =>
  `the JWT authenticator does not accept the broker's token. Check that the authenticator is enabled. Compare its jwks-uri or provider-uri, issuer and audience with the broker's URL and the connection's audience, and the host's annotations with the token's claims. The token's sub is ${subject}`

/** The meaning of refused logins by status, because Conjur often sends nothing else. */
const LOGIN_REFUSALS: Readonly<Record<number, string>> = {
  403: "the host may not use the JWT authenticator. Add it to the group that the authenticator's policy allows to authenticate",
  404: "it has no such authenticator or account. Check the connection's url, account and authenticator",
}
