import * as z from "zod"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { bytesOfBase64 } from "../bytes.ts"
import { type Call, denied, invalid, type OtherSide, passingFailure, readJson } from "../call.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import type { Connection } from "./grant.ts"

/** A batch of some large values in base64. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
/** Conjur's access tokens live eight minutes; one that is nearly over is not begun with. */
const LOGIN_SECONDS = 7 * 60
/** Of a batch's ids in its URL: servers take about 8,000 characters of one. */
const MAX_IDS_LENGTH = 4_000

/**
 * Builds the login. The answer is asked for as it is, in JSON: that it comes in base64, as it is sent later, depends on a
 * header that proxies may change. Source: Conjur REST API, Authenticate with authn-jwt.
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

/** The access token as its header wants it, in base64, and when to stop using it. @throws {BrokerError} */
export function readLogin(side: OtherSide, response: HttpResponse, subject: string, now: Date): Login<Secret<string>> {
  const passing = passingFailure(side, response)
  if (passing !== null) throw passing
  if (response.status !== 200) throw denied(side, LOGIN_REFUSALS[response.status] ?? loginRefused(subject))
  const { protected: header, payload, signature } = readJson(side, response, accessToken, "an access token")
  if (![header, payload, signature].every((part) => /^[\w+/=-]+$/.test(part))) throw invalid(side, "is no access token")
  const text = JSON.stringify({ protected: header, payload, signature })
  return { value: new Secret(btoa(text)), endsAt: new Date(now.getTime() + LOGIN_SECONDS * 1000) }
}

/** Cuts variables into batches whose URLs every server takes. */
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
    // Values are then in base64, whatever they are; in JSON alone there could be nothing but text.
    "accept-encoding": "base64",
    authorization: `Token token="${token.reveal()}"`,
  },
  maxBytes: MAX_ANSWER_BYTES,
})

/**
 * Whether a batch was refused for one of its variables. Conjur names it in a sentence only, which is not gone by: each is
 * asked for alone then.
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
  const passing = passingFailure(side, response)
  if (passing !== null) throw passing
  const [first = ""] = variables
  switch (response.status) {
    case 200:
      break
    case 401:
      throw denied(side, "it ended the broker's login. Check the clocks of both")
    case 403:
      throw denied(side, `the host may not read ${first}. Permit it to read and execute that variable`)
    case 404:
      throw secretNotFound(
        side,
        first,
        "names a variable that is not there, has no value, or is not for the host to see",
      )
    case 406:
      throw secretUnusable(
        side,
        first,
        "is binary, and something between the broker and Conjur takes away the header Accept-Encoding: base64, without which only text can be read",
      )
    default:
      throw denied(side, `it did not accept the request for ${first}. See Conjur's own log for the reason`)
  }
  const values = readJson(side, response, z.record(z.string(), z.string()), "a map of variables")
  const inBase64 = response.header("content-encoding")?.toLowerCase() === "base64"
  return variables.map((variable) => {
    const id = fullId(connection, variable)
    const value = Object.hasOwn(values, id) ? values[id] : undefined
    if (value === undefined) throw invalid(side, "lacks a variable that was asked for")
    return [variable, { value: inBase64 ? new Secret(bytesOf(side, value)) : new Secret(value) }] as const
  })
}

const fullId = ({ account }: Connection, variable: string) => `${account}:variable:${variable}`

/** Conjur breaks base64 into lines. */
function bytesOf(side: OtherSide, base64: string): Uint8Array {
  try {
    return bytesOfBase64(base64.replaceAll("\n", ""))
  } catch {
    throw invalid(side, "has a value that is not in base64, as it says")
  }
}

const loginRefused = (subject: string) =>
  `the JWT authenticator does not admit the broker's token. Compare its jwks-uri or provider-uri, issuer and audience with the broker's URL and the connection's audience, and the host's annotations with the token's claims; see that it is enabled. The token's sub is ${subject}`

/** What refused logins mean, by status; for most, Conjur says no more than that. */
const LOGIN_REFUSALS: Readonly<Record<number, string>> = {
  403: "the host may not use the JWT authenticator. Make it a member of the group that the authenticator's policy permits to authenticate",
  404: "it has no such authenticator or account. Check the connection's url, account and authenticator",
}
