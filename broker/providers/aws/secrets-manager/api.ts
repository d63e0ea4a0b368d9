import * as z from "zod"
import type { BrokerError } from "../../../core/errors.ts"
import { Secret } from "../../../core/secret.ts"
import type { HttpResponse } from "../../../ports/http.ts"
import { bytesOfBase64 } from "../../bytes.ts"
import { denied, invalid, type OtherSide, readJson } from "../../call.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../../stored-value.ts"
import { errorCode, type Operation, refusedSession, transientAwsFailure } from "../signed-call.ts"
import { arnPrefix } from "../store-settings.ts"
import { type Connection, type Place, stageOf } from "./grant.ts"

/**
 * Each call reads one secret. BatchGetSecretValue only reads current versions, and needs another permission in addition to the
 * one for each secret. With one call for each secret, each error belongs to one secret.
 */
export const GET_SECRET_VALUE: Operation = { service: "secretsmanager", target: "secretsmanager.GetSecretValue" }

/** Builds the input. Source: AWS Secrets Manager API Reference, GetSecretValue. */
export function buildGetSecretValue({ name, version }: Place): Readonly<Record<string, string>> {
  if (version === null) return { SecretId: name }
  return { SecretId: name, ...("id" in version ? { VersionId: version.id } : { VersionStage: version.stage }) }
}

const answer = z.object({
  ARN: z.string(),
  Name: z.string(),
  VersionId: z.string(),
  VersionStages: z.array(z.string()).default([]),
  SecretString: z.string().optional(),
  SecretBinary: z.base64().optional(),
})

/** A place and the value stored there. */
export type Answer = readonly [place: string, stored: StoredValue]

/**
 * Reads an answer and compares it with the request: the secret's name, its account and region, its version.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readSecretValue(
  side: OtherSide,
  response: HttpResponse,
  { place, connection }: { readonly place: Place; readonly connection: Connection },
): Answer {
  if (response.status !== 200) throw readFailure(side, response, place.text)
  const found = readJson(side, response, answer, "a secret's value")
  const prefix = `${arnPrefix("secretsmanager", connection)}secret:${place.name}-`
  if (
    found.Name !== place.name ||
    !found.ARN.startsWith(prefix) ||
    !/^[A-Za-z0-9]{6}$/.test(found.ARN.slice(prefix.length))
  )
    throw invalid(side, "is for another secret")
  const stage = stageOf(place)
  const isAsked = stage === null ? asId(place) === found.VersionId : found.VersionStages.includes(stage)
  if (!isAsked) throw invalid(side, "is for another version of the secret")
  const { SecretString: text, SecretBinary: binary, VersionId: version } = found
  if (text !== undefined && binary === undefined) return [place.text, { value: new Secret(text), version }]
  if (text === undefined && binary !== undefined)
    return [place.text, { value: new Secret(bytesOfBase64(binary)), version }]
  throw invalid(side, "must have exactly one value")
}

const asId = ({ version }: Place) => (version !== null && "id" in version ? version.id : null)

/** Turns a refusal into a BrokerError. It repeats no text of AWS, and only distinguishes known codes. */
function readFailure(side: OtherSide, response: HttpResponse, locator: string): BrokerError {
  const failure = transientAwsFailure(side, response)
  if (failure !== null) return failure
  const code = errorCode(response)
  const missing = saidOf(MISSING, code)
  if (missing !== undefined) return secretNotFound(side, locator, missing)
  const unusable = saidOf(UNUSABLE, code)
  if (unusable !== undefined) return secretUnusable(side, locator, unusable)
  if (!DENIED.has(code)) return refusedSession(side, code)
  return denied(
    side,
    `${code} for ${locator}: the connection's role needs secretsmanager:GetSecretValue on it, and kms:Decrypt on its key if it is one of your own KMS keys. In the role's policy, end the secret's ARN in -??????`,
  )
}

const saidOf = (table: Readonly<Record<string, string>>, code: string) =>
  Object.hasOwn(table, code) ? table[code] : undefined

const NO_NAME = "does not have a valid name or version for Secrets Manager"

const MISSING: Readonly<Record<string, string>> = {
  __proto__: null as never,
  ResourceNotFoundException:
    "does not exist: the connection's account and region have no secret of this name, or the secret has no such version",
  ValidationException: NO_NAME,
  InvalidParameterException: NO_NAME,
}

const UNUSABLE: Readonly<Record<string, string>> = {
  __proto__: null as never,
  InvalidRequestException:
    "cannot be read in its current state. Most often, it is marked for deletion: restore it, or read another secret",
  DecryptionFailure: "cannot be decrypted. Check whether its KMS key is disabled or scheduled for deletion",
}

const DENIED: ReadonlySet<string> = new Set(["AccessDeniedException", "AccessDenied"])
