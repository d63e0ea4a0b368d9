import type { ClaimValue } from "../../broker/core/identity.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { isTrustPolicy, readTrustPolicy, roleIn } from "./aws.ts"
import { azureCredentialsIn, readAzureCredentials } from "./azure.ts"
import { isBinding, isPoolProvider, readBindings, readPoolProvider } from "./google.ts"
import { isObject } from "./json.ts"
import type { Door, Expected } from "./model.ts"
import { readVaultRole, vaultRoleIn } from "./vault.ts"

/** Parses the text of a document inside another document; null when it is not JSON. */
export type ParseText = (text: string) => ClaimValue | null

const KINDS =
  "a trust policy of AWS (or what aws iam get-role prints), a role of Vault's JWT auth method, a federated identity credential of Azure, a provider of a Google workload identity pool, and an IAM policy of Google Cloud"

/** Reads a document of the other side, and finds out by its keys which kind it is. The fault ends a sentence. */
export function readDoor(
  value: ClaimValue,
  { issuer, pools }: Pick<Expected, "issuer" | "pools">,
  parse: ParseText,
): Result<Door, string> {
  const credentials = azureCredentialsIn(value)
  if (credentials !== null) return ok(readAzureCredentials(credentials))
  if (!isObject(value)) return fail(`is of no kind that is known here: ${KINDS}`)
  const role = roleIn(value)
  if (role !== null) {
    const document = typeof role.document === "string" ? parse(decoded(role.document)) : role.document
    if (!isObject(document ?? undefined)) return fail("has an AssumeRolePolicyDocument that is not a policy")
    if (!isObject(document) || !isTrustPolicy(document))
      return fail("has an AssumeRolePolicyDocument without Statement")
    return ok(readTrustPolicy(document, issuer, role.arn))
  }
  if (isTrustPolicy(value)) return ok(readTrustPolicy(value, issuer, null))
  if (isBinding(value)) return ok(readBindings(value, pools))
  if (isPoolProvider(value)) return ok(readPoolProvider(value))
  const vault = vaultRoleIn(value)
  return vault === null ? fail(`is of no kind that is known here: ${KINDS}`) : ok(readVaultRole(vault))
}

/**
 * IAM's API returns the document with percent-encoding (RFC 3986). One without it stays as it is: the subjects in it have
 * their own percent-encoding, and without that one subject could look like another.
 */
function decoded(text: string): string {
  if (text.trimStart().startsWith("{")) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
