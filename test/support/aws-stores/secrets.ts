import type { KmsKey, Permissions } from "./permissions.ts"
import { StoreRefusal } from "./refusal.ts"

export interface StoredSecret {
  readonly name: string
  /** The six characters that AWS puts behind the name in the ARN. */
  readonly suffix: string
  readonly versions: readonly SecretVersion[]
  readonly key?: KmsKey
  readonly markedForDeletion?: boolean
}

export interface SecretVersion {
  readonly id: string
  readonly stages: readonly string[]
  readonly value: string | Uint8Array
}

const NAME = /^[A-Za-z0-9/_+=.@!-]{1,512}$/
const INPUTS = ["SecretId", "VersionId", "VersionStage"]

/** GetSecretValue, for a secret's name alone: an ARN is refused, as nobody here has a reason to send one. */
export function getSecretValue(
  input: Readonly<Record<string, unknown>>,
  secrets: ReadonlyMap<string, StoredSecret>,
  { prefix, permissions }: { readonly prefix: string; readonly permissions: Permissions },
): object {
  const { SecretId: name, VersionId: id, VersionStage: stage } = input
  if (Object.keys(input).some((key) => !INPUTS.includes(key)))
    throw new StoreRefusal("ValidationException", "GetSecretValue has no such parameter")
  if (typeof name !== "string" || !NAME.test(name)) throw new StoreRefusal("ValidationException", "Invalid name.")
  if (id !== undefined && !(typeof id === "string" && id.length >= 32 && id.length <= 64))
    throw new StoreRefusal("InvalidParameterException", "VersionId has 32 to 64 characters")
  if (stage !== undefined && !(typeof stage === "string" && stage.length >= 1 && stage.length <= 256))
    throw new StoreRefusal("InvalidParameterException", "VersionStage has 1 to 256 characters")
  const secret = secrets.get(name)
  const arn = `${prefix}secret:${name}${secret ? `-${secret.suffix}` : ""}`
  permissions.demand("secretsmanager:GetSecretValue", arn)
  if (!secret) throw new StoreRefusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
  if (secret.markedForDeletion)
    throw new StoreRefusal(
      "InvalidRequestException",
      "You can't perform this operation on the secret because it was marked for deletion.",
    )
  const version = secret.versions.find((one) =>
    id === undefined ? one.stages.includes(typeof stage === "string" ? stage : "AWSCURRENT") : one.id === id,
  )
  if (!version)
    throw new StoreRefusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.")
  if (typeof stage === "string" && !version.stages.includes(stage))
    throw new StoreRefusal("InvalidRequestException", "You provided a VersionStage that is not that of the VersionId.")
  if (secret.key && !permissions.may("kms:Decrypt", secret.key.arn))
    throw new StoreRefusal("AccessDeniedException", "Access to KMS is not allowed")
  if (secret.key && !secret.key.enabled)
    throw new StoreRefusal("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text.")
  return {
    ARN: arn,
    Name: name,
    VersionId: version.id,
    ...(typeof version.value === "string"
      ? { SecretString: version.value }
      : { SecretBinary: Buffer.from(version.value).toString("base64") }),
    ...(version.stages.length > 0 && { VersionStages: version.stages }),
    CreatedDate: 1795348800.5,
  }
}
