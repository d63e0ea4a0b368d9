import * as z from "zod"
import type { BrokerError } from "../../../core/errors.ts"
import { memberOf } from "../../../core/policy/plain.ts"
import { Secret } from "../../../core/secret.ts"
import type { HttpResponse } from "../../../ports/http.ts"
import { denied, invalid, jsonOf, type OtherSide, readJson } from "../../call.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../../stored-value.ts"
import { errorCode, type Operation, refusedSession, transientAwsFailure } from "../signed-call.ts"
import { arnPrefix } from "../store-settings.ts"
import type { Connection, Place } from "./grant.ts"

export const GET_PARAMETERS: Operation = { service: "ssm", target: "AmazonSSM.GetParameters" }

export const GET_PARAMETERS_BY_PATH: Operation = { service: "ssm", target: "AmazonSSM.GetParametersByPath" }

const MAX_NAMES = 10
/** AWS may send pages that are not full, even empty ones. So a path may need more pages than its parameters fill. */
export const MAX_PAGES = 32

/** The parameters of one call: at most ten, each once. */
export type Batch = readonly Place[]

/** Distributes places among calls. Two versions of a parameter need two calls: an answer is matched by the parameter's name. */
export function batchesOf(places: readonly Place[]): readonly Batch[] {
  const batches: Place[][] = []
  for (const place of places) {
    const open = batches.find((batch) => batch.length < MAX_NAMES && batch.every(({ name }) => name !== place.name))
    if (open) open.push(place)
    else batches.push([place])
  }
  return batches
}

/** Builds the input. Source: AWS Systems Manager API Reference, GetParameters. */
export const buildGetParameters = (batch: Batch): object => ({
  Names: batch.map(({ text }) => text),
  WithDecryption: true,
})

/** A place and the value stored there. */
export type Answer = readonly [place: string, stored: StoredValue]

const parameter = z.object({
  ARN: z.string(),
  Name: z.string(),
  Type: z.enum(["String", "StringList", "SecureString"]),
  Value: z.string(),
  Version: z.number(),
  /** The requested version or label, after a colon. Servers other than AWS leave it out. */
  Selector: z.string().optional(),
})

const answer = z.object({
  Parameters: z.array(parameter).default([]),
  InvalidParameters: z.array(z.string()).default([]),
})

/**
 * Reads an answer and compares it with the request: each parameter once, of this account and region, in the right version.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readParameters(
  side: OtherSide,
  response: HttpResponse,
  { batch, connection }: { readonly batch: Batch; readonly connection: Connection },
): readonly Answer[] {
  if (response.status !== 200) throw readFailure(side, response, batch)
  const { Parameters: found, InvalidParameters: missing } = readJson(side, response, answer, "a list of parameters")
  const absent = batch.find(({ text, name }) => missing.includes(text) || missing.includes(name))
  if (absent) throw secretNotFound(side, absent.text, NOT_THERE)
  if (missing.length > 0 || found.length !== batch.length)
    throw invalid(side, "does not contain the requested parameters")
  return batch.map((place) => {
    const one = found.find(({ Name: name }) => name === place.name)
    if (one?.ARN !== arnOf(place, connection)) throw invalid(side, "is for another parameter")
    if (!isVersion(place, one)) throw invalid(side, "is for another version of a parameter")
    return [place.text, storedOf(one, connection)]
  })
}

const storedOf = (
  { Type, Value, Version }: z.infer<typeof parameter>,
  { plain_is_public: isPublic }: Connection,
): StoredValue => ({
  value: new Secret(Value),
  isPublic: isPublic && Type !== "SecureString",
  version: String(Version),
})

const NOT_THERE =
  "does not exist: the connection's account and region have no parameter of this name, or the parameter has no such version or label"

function isVersion({ version }: Place, { Version, Selector }: z.infer<typeof parameter>): boolean {
  if (typeof version === "number" && version !== Version) return false
  return Selector === undefined || Selector.slice(Selector.lastIndexOf(":") + 1) === String(version ?? "")
}

/** ARNs have one slash between the kind and the name, even if the name begins with a slash. */
const arnOf = ({ name }: Pick<Place, "name">, connection: Connection) =>
  `${arnPrefix("ssm", connection)}parameter/${name.replace(/^\//, "")}`

/** The next page of a path; the first one has no token. */
export interface Page {
  /** With a slash at the end, as in the grant. */
  readonly path: string
  readonly token?: string | undefined
}

/** Builds the input: the parameters of this level only. Source: AWS Systems Manager API Reference, GetParametersByPath. */
export const buildGetParametersByPath = ({ path, token }: Page): object => ({
  Path: path.slice(0, -1),
  Recursive: false,
  WithDecryption: true,
  MaxResults: MAX_NAMES,
  ...(token === undefined ? {} : { NextToken: token }),
})

const page = z.object({ Parameters: z.array(parameter).default([]), NextToken: z.string().max(8_192).nullish() })

/**
 * The parameters of one page, by their names below the path, and the token of the next page.
 *
 * @throws {BrokerError} as `readParameters`
 */
export function readPage(
  side: OtherSide,
  response: HttpResponse,
  { path }: Page,
  connection: Connection,
): { readonly found: readonly (readonly [string, StoredValue])[]; readonly next: string | undefined } {
  if (response.status !== 200) throw readFailure(side, response, [{ text: path, name: path, version: null }])
  const { Parameters: parameters, NextToken: next } = readJson(side, response, page, "a page of parameters")
  const found = parameters.map((one): readonly [string, StoredValue] => {
    const name = one.Name.slice(path.length)
    if (!one.Name.startsWith(path) || name.includes("/") || one.ARN !== arnOf({ name: one.Name }, connection))
      throw invalid(side, "is for another path")
    return [name, storedOf(one, connection)]
  })
  return { found, next: next || undefined }
}

/** Turns a refusal of the whole call into a BrokerError, which repeats no text of AWS. */
function readFailure(side: OtherSide, response: HttpResponse, batch: Batch): BrokerError {
  const failure = transientAwsFailure(side, response)
  if (failure !== null) return failure
  const code = errorCode(response)
  const about = namedIn(response, batch)
  if (code === "InvalidKeyId")
    return secretUnusable(
      side,
      about,
      "cannot be decrypted. Check whether its KMS key is disabled or scheduled for deletion",
    )
  if (code === "ValidationException") return secretNotFound(side, about, "is not a valid name for Parameter Store")
  if (code !== "AccessDeniedException" && code !== "AccessDenied") return refusedSession(side, code)
  return denied(
    side,
    `${code} for ${about}: the connection's role needs ssm:GetParameters${about.endsWith("/") ? "ByPath" : ""} on it, and kms:Decrypt on the key of a SecureString if it is one of your own KMS keys`,
  )
}

/**
 * The parameter that caused the refusal of a call. AWS refuses the whole call, and names the parameter only in its message.
 * This searches the message for the ARNs of our own locators, and repeats no other text of it.
 */
function namedIn(response: HttpResponse, batch: Batch): string {
  const json = jsonOf(response)
  const said = [memberOf(json, "message"), memberOf(json, "Message")]
    .filter((text) => typeof text === "string")
    .join(" ")
  const words = new Set(said.split(/[\s"']+/))
  const named = batch.find(({ name }) =>
    [...words].some((word) => word.endsWith(`:parameter/${name.replace(/^\//, "")}`)),
  )
  if (named) return named.text
  return batch.length === 1 ? (batch[0] as Place).text : `one of ${batch.map(({ text }) => text).join(", ")}`
}
