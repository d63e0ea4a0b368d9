import * as z from "zod"
import type { BrokerError } from "../../../core/errors.ts"
import { memberOf } from "../../../core/policy/plain.ts"
import { Secret } from "../../../core/secret.ts"
import type { HttpResponse } from "../../../ports/http.ts"
import { bytesOfBase64 } from "../../bytes.ts"
import { type Call, invalid, jsonOf, type OtherSide, readJson } from "../../call.ts"
import type { Located } from "../../read-grant.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../../stored-value.ts"
import { readRefusal } from "../refusals.ts"
import { crc32c } from "./crc32c.ts"
import { type Connection, isNumber, type Place } from "./grant.ts"
import { accessRefusals } from "./refusals.ts"

/** The limit for a payload of 64 KiB, the maximum in Secret Manager, in base64. */
const MAX_ANSWER_BYTES = 128 * 1024

/**
 * Builds the request for one version's payload. Regional secrets are only at the endpoint of their region.
 * Source: Secret Manager API reference, projects.secrets.versions.access and projects.locations.secrets.versions.access.
 */
export function buildAccess(settings: Connection, token: Secret<string>, { secret, version }: Place): Call {
  const { project, location, endpoint = endpointOf(location) } = settings
  const parent = `projects/${encodeURIComponent(project)}${location === undefined ? "" : `/locations/${location}`}`
  return {
    method: "GET",
    url: `${endpoint}/v1/${parent}/secrets/${secret}/versions/${version ?? "latest"}:access`,
    headers: { accept: "application/json", authorization: `Bearer ${token.reveal()}` },
    maxBytes: MAX_ANSWER_BYTES,
  }
}

const endpointOf = (location: string | undefined) =>
  `https://secretmanager.${location === undefined ? "" : `${location}.rep.`}googleapis.com`

const answer = z.object({
  name: z.string(),
  payload: z.object({
    data: z.base64(),
    // An int64, which is a text of decimal digits in JSON. Versions from before July 2021 have none (the API's discovery
    // document says "Optional").
    dataCrc32c: z
      .string()
      .regex(/^(?:0|[1-9][0-9]{0,9})$/)
      .optional(),
  }),
})

/**
 * The payload of the requested version. The answer's name is checked, and its checksum if it has one.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readPayload(
  side: OtherSide,
  response: HttpResponse,
  settings: Connection,
  { locator, place }: Located<Place>,
): StoredValue {
  if (response.status !== 200) throw refusalOf(side, response, settings, locator)
  const { name, payload } = readJson(side, response, answer, "a secret's payload")
  if (!isNameOf(name, settings, place)) throw invalid(side, "is another secret, or another version of it")
  const bytes = bytesOfBase64(payload.data)
  if (payload.dataCrc32c !== undefined && String(crc32c(bytes)) !== payload.dataCrc32c)
    throw invalid(side, "was damaged on its way: the checksum differs")
  return { value: new Secret(bytes), version: name.slice(name.lastIndexOf("/") + 1) }
}

const VERSION_NAME =
  /^projects\/([^/]+)\/(?:locations\/([^/]+)\/)?secrets\/([A-Za-z0-9_-]{1,255})\/versions\/([1-9][0-9]*)$/

/**
 * Whether a version's full name fits the requested place. Google always answers with the numbers of project and version.
 * Only Google knows which version an alias means, so that cannot be checked.
 */
function isNameOf(name: string, { project, location }: Connection, asked: Place): boolean {
  const [, inProject = "", inLocation, secret, number] = VERSION_NAME.exec(name) ?? []
  return (
    (inProject === project || (/^[0-9]+$/.test(inProject) && !/^[0-9]+$/.test(project))) &&
    inLocation === location &&
    secret === asked.secret &&
    (asked.version === null || !isNumber(asked.version) || number === asked.version)
  )
}

function refusalOf(side: OtherSide, response: HttpResponse, settings: Connection, locator: string): BrokerError {
  const status = memberOf(memberOf(jsonOf(response), "error"), "status")
  if (response.status === 404 && status === "NOT_FOUND")
    return secretNotFound(side, locator, "names a secret, a version or an alias that does not exist")
  if (response.status === 400 && status === "FAILED_PRECONDITION")
    return secretUnusable(
      side,
      locator,
      "names a version that is disabled or destroyed, or whose encryption key is. A locator without a version means the newest one, in any state",
    )
  return readRefusal(side, response, accessRefusals(settings, locator))
}
