import { type Credential, requiredValue } from "../answer.ts"
import { names } from "./variables.ts"

/** The values of the format `azure-federated` that make up the login. */
export const AZURE_LOGIN_VALUES = names(
  "federated-token federated-token-file use-oidc client-id arm-client-id tenant-id arm-tenant-id authority-host",
)

/**
 * The variables that say as whom to log in, and where: for Azure's libraries, and for Terraform's providers. The token is not
 * among them.
 * @throws {ActionError} `answer_unusable`
 */
export function loginVariables(credential: Credential): readonly (readonly [string, string])[] {
  const [client, tenant] = [requiredValue(credential, "client-id"), requiredValue(credential, "tenant-id")]
  return [
    ["AZURE_CLIENT_ID", client],
    ["AZURE_TENANT_ID", tenant],
    ["AZURE_AUTHORITY_HOST", requiredValue(credential, "authority-host")],
    ["ARM_CLIENT_ID", client],
    ["ARM_TENANT_ID", tenant],
    ["ARM_USE_OIDC", "true"],
  ]
}
