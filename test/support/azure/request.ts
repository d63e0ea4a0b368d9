import type { IncomingHttpHeaders } from "node:http"
import { mediaTypeOf } from "../servers.ts"
import { EntraRefusal } from "./answer.ts"

const GRANT_TYPE = "client_credentials"
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
const PARAMETERS = ["grant_type", "client_id", "scope", "client_assertion_type", "client_assertion"] as const
/** What MSAL sends about itself, the id of its request, and that it wants to hear about the client. */
const TELEMETRY = /^(?:x-client-[A-Za-z-]+|x-ms-lib-capability|client-request-id|client_info)$/
/** Claims that MSAL wants in the token, as JSON: that the client understands continuous access evaluation. */
const CLAIMS = "claims"
const GUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/
const DEFAULT_SCOPE = "/.default"

/** A token request whose form is right. */
export interface TokenCall {
  readonly clientId: string
  /** The scope without `/.default`. */
  readonly resource: string
  readonly assertion: string
}

/**
 * Reads a request for client credentials by a federated credential, as the token endpoint does before it looks at the token.
 *
 * It ignores the parameters in which MSAL describes itself. It is stricter than Entra in three things: it refuses every other
 * parameter that this flow does not have, a parameter that comes twice, and a client that also identifies itself in a header.
 * Entra ignores these.
 * @throws {EntraRefusal}
 */
export function readTokenCall(headers: IncomingHttpHeaders, body: string | null): TokenCall {
  const type = mediaTypeOf(headers["content-type"])
  if (body === null) throw new EntraRefusal(90013, "Invalid input received from the user.")
  const form = new URLSearchParams(type === "application/x-www-form-urlencoded" ? body : "")
  refuseUnknown(form)
  if (headers.authorization !== undefined) {
    throw new EntraRefusal(90013, "Invalid input received from the user. A client identifies itself once.")
  }
  refuseBrokenClaims(form.get(CLAIMS))
  const grantType = required(form, "grant_type")
  if (grantType !== GRANT_TYPE)
    throw new EntraRefusal(70003, `The app requested an unsupported grant type '${grantType}'.`)
  const clientId = required(form, "client_id")
  const scope = required(form, "scope")
  const assertion = form.get("client_assertion")
  if (assertion === null || form.get("client_assertion_type") === null) {
    throw new EntraRefusal(
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    )
  }
  if (form.get("client_assertion_type") !== ASSERTION_TYPE) {
    throw new EntraRefusal(7000216, "'client_assertion', 'client_secret' or 'request' is required for this grant type.")
  }
  if (!GUID.test(clientId)) throw new EntraRefusal(700016, `Application with identifier '${clientId}' was not found.`)
  return { clientId: clientId.toLowerCase(), resource: resourceOf(scope), assertion }
}

function resourceOf(scope: string): string {
  if (/\s/.test(scope)) {
    throw new EntraRefusal(28002, `The scope '${scope}' is not valid: a client asks for one resource at a time.`)
  }
  if (!scope.endsWith(DEFAULT_SCOPE)) {
    throw new EntraRefusal(
      1002012,
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.`,
    )
  }
  return scope.slice(0, -DEFAULT_SCOPE.length)
}

function refuseUnknown(form: URLSearchParams): void {
  const seen = new Set<string>()
  for (const name of form.keys()) {
    if (![...PARAMETERS, CLAIMS].includes(name) && !TELEMETRY.test(name)) {
      throw new EntraRefusal(90013, `Invalid input received from the user: there is no parameter ${name} in this flow.`)
    }
    if (seen.has(name)) throw new EntraRefusal(90013, `Invalid input received from the user: ${name} is there twice.`)
    seen.add(name)
  }
}

function refuseBrokenClaims(claims: string | null): void {
  try {
    const parsed: unknown = JSON.parse(claims ?? "{}")
    if (typeof parsed === "object" && parsed !== null) return
  } catch {
    // Not JSON.
  }
  throw new EntraRefusal(90013, "Invalid input received from the user: claims is not a JSON object.")
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name)
  if (value === null || value === "") {
    throw new EntraRefusal(900144, `The request body must contain the following parameter: '${name}'.`)
  }
  return value
}
