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
 * One secret a call. BatchGetSecretValue reads current versions alone, and wants a permission besides the one for each
 * secret; one call a secret says of each what is wrong with it.
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

/** What stands at a place. */
export type Answer = readonly [place: string, stored: StoredValue]

/**
 * Reads an answer, and holds it against what was asked: the secret's name, its account and region, its version.
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
  const { SecretString: text, SecretBinary: binary } = found
  if (text !== undefined && binary === undefined) return [place.text, { value: new Secret(text) }]
  if (text === undefined && binary !== undefined) return [place.text, { value: new Secret(bytesOfBase64(binary)) }]
  throw invalid(side, "has no value, or two")
}

const asId = ({ version }: Place) => (version !== null && "id" in version ? version.id : null)

/** Turns a refusal into one of our errors. What AWS wrote stays out of it; only known codes are told apart. */
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
    `${code} for ${locator}: the connection's role needs secretsmanager:GetSecretValue on it, and kms:Decrypt on its key if that is one of your own. A policy that names the secret by its ARN ends in -??????`,
  )
}

const saidOf = (table: Readonly<Record<string, string>>, code: string) =>
  Object.hasOwn(table, code) ? table[code] : undefined

const NO_NAME = "is no name or version that Secrets Manager takes"

const MISSING: Readonly<Record<string, string>> = {
  __proto__: null as never,
  ResourceNotFoundException:
    "is not there: the connection's account and region have no secret of this name, or the secret has no such version",
  ValidationException: NO_NAME,
  InvalidParameterException: NO_NAME,
}

const UNUSABLE: Readonly<Record<string, string>> = {
  __proto__: null as never,
  InvalidRequestException:
    "cannot be read in the state that it is in: most often it is marked for deletion. Restore it, or name another",
  DecryptionFailure: "cannot be decrypted: see whether its KMS key is disabled, or about to be deleted",
}

const DENIED: ReadonlySet<string> = new Set(["AccessDeniedException", "AccessDenied"])
