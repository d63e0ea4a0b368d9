import type { KmsKey, Permissions } from "./permissions.ts"
import { StoreRefusal } from "./refusal.ts"

export interface StoredParameter {
  readonly name: string
  readonly type: "String" | "StringList" | "SecureString"
  /** From the first to the latest. */
  readonly versions: readonly { readonly value: string; readonly labels?: readonly string[] }[]
  readonly key?: KmsKey
}

const MAX_NAMES = 10
const NAME = /^(?:\/?[A-Za-z0-9_.-]+|(?:\/[A-Za-z0-9_.-]+){2,15})(?::[A-Za-z0-9_.-]{1,100})?$/
const INPUTS = ["Names", "WithDecryption"]

/**
 * GetParameters. One name that the caller may not read refuses all, as in AWS; one that is not there is said beside the
 * others. Stricter than AWS is known to be: no name comes twice, in whatever versions.
 */
export function getParameters(
  input: Readonly<Record<string, unknown>>,
  parameters: ReadonlyMap<string, StoredParameter>,
  { prefix, permissions }: { readonly prefix: string; readonly permissions: Permissions },
): object {
  const { Names: names, WithDecryption: decrypt = false } = input
  if (Object.keys(input).some((key) => !INPUTS.includes(key)) || typeof decrypt !== "boolean")
    throw new StoreRefusal("ValidationException", "GetParameters has no such parameter")
  if (!Array.isArray(names) || names.length < 1 || names.length > MAX_NAMES)
    throw new StoreRefusal("ValidationException", "Member must have length less than or equal to 10")
  if (!names.every((name): name is string => typeof name === "string" && NAME.test(name)))
    throw new StoreRefusal("ValidationException", "Parameter name must be a fully qualified name.")
  const asked = names.map((text) => ({ text, name: text.split(":")[0] ?? "", selector: text.split(":")[1] }))
  if (new Set(asked.map(({ name }) => name)).size < asked.length)
    throw new StoreRefusal("ValidationException", "A name comes twice.")
  const arnOf = (name: string) => `${prefix}parameter/${name.replace(/^\//, "")}`
  for (const { name } of asked) permissions.demand("ssm:GetParameters", arnOf(name))

  const missing: string[] = []
  const found: object[] = []
  for (const { text, name, selector } of asked.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const parameter = parameters.get(name)
    const index = parameter ? versionIndex(parameter, selector) : -1
    const version = parameter?.versions[index]
    if (!parameter || !version) {
      missing.push(text)
      continue
    }
    found.push({
      ...shownParameter(parameter, index, { arn: arnOf(name), decrypt, permissions }),
      ...(selector === undefined ? {} : { Selector: `:${selector}` }),
    })
  }
  return { Parameters: found, InvalidParameters: missing }
}

/** A version of a parameter, as answers have it. */
export function shownParameter(
  parameter: StoredParameter,
  index: number,
  { arn, decrypt, permissions }: { readonly arn: string; readonly decrypt: boolean; readonly permissions: Permissions },
): object {
  const { name, type } = parameter
  const value = parameter.versions[index]?.value ?? ""
  return {
    ARN: arn,
    Name: name,
    Type: type,
    Value: decrypt || type !== "SecureString" ? decrypted(parameter, value, permissions) : "AQICAHg",
    Version: index + 1,
    DataType: "text",
    LastModifiedDate: 1795348800.5,
  }
}

function versionIndex({ versions }: StoredParameter, selector: string | undefined): number {
  if (selector === undefined) return versions.length - 1
  if (/^[0-9]+$/.test(selector)) return Number(selector) - 1
  return versions.findIndex(({ labels }) => labels?.includes(selector))
}

function decrypted({ type, key }: StoredParameter, value: string, permissions: Permissions): string {
  if (type !== "SecureString" || !key) return value
  if (!permissions.may("kms:Decrypt", key.arn))
    throw new StoreRefusal(
      "AccessDeniedException",
      "The ciphertext refers to a customer master key that does not exist, or you are not allowed to access.",
    )
  if (!key.enabled) throw new StoreRefusal("InvalidKeyId", `${key.arn} is disabled.`)
  return value
}
