import { join } from "node:path"
import type { Credential } from "../answer.ts"
import type { PlannedFile } from "../deliver/files.ts"
import { requiredValue } from "../federated.ts"
import { replaceJobFile } from "../runner.ts"
import { freshenAzureCli } from "./azure-cli-entries.ts"

const names = (text: string): ReadonlySet<string> => new Set(text.split(" "))

/**
 * Variables from which Azure's SDKs, `az` or Terraform would take another credential or another account, and those that the
 * plan sets. Terraform takes the token of a variable or a file before it asks a URL, and reads it once only.
 */
export const AZURE_RIVALS = names(
  "AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_AUTHORITY_HOST AZURE_FEDERATED_TOKEN_FILE AZURE_CLIENT_SECRET AZURE_CLIENT_CERTIFICATE_PATH AZURE_CLIENT_CERTIFICATE_PASSWORD AZURE_USERNAME AZURE_PASSWORD AZURE_TOKEN_CREDENTIALS AZURE_CONFIG_DIR IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET ARM_CLIENT_ID ARM_CLIENT_ID_FILE_PATH ARM_TENANT_ID ARM_CLIENT_SECRET ARM_CLIENT_SECRET_FILE_PATH ARM_CLIENT_CERTIFICATE ARM_CLIENT_CERTIFICATE_PATH ARM_CLIENT_CERTIFICATE_PASSWORD ARM_OIDC_TOKEN ARM_OIDC_TOKEN_FILE_PATH ARM_OIDC_REQUEST_URL ARM_OIDC_REQUEST_TOKEN ARM_OIDC_AZURE_SERVICE_CONNECTION_ID ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID ARM_USE_OIDC ARM_USE_MSI ARM_MSI_ENDPOINT ARM_USE_AKS_WORKLOAD_IDENTITY",
)

/** The values of the format `azure-federated` that the plan delivers in its own way. */
const PLANNED_VALUES = names(
  "federated-token federated-token-file use-oidc client-id arm-client-id tenant-id arm-tenant-id authority-host",
)

export interface AzurePlan {
  readonly variables: ReadonlyMap<string, string>
  readonly files: readonly PlannedFile[]
  /** The file with the broker's token. */
  readonly tokenFile: string
  /** Puts a new token in the place of the old one, wherever tools read it from. */
  write(token: string): void
}

/**
 * How the command logs in to Azure. The SDKs read the token's file again when they need a new access token, so the action
 * keeps the file fresh. Terraform's providers read a file once, but ask a URL each time, as GitHub's is asked: they get the
 * action's endpoint. `az` gets a folder of its own, so that it uses no session of the machine and leaves none.
 */
export function planAzure(
  credential: Credential,
  has: { readonly folder: string; readonly url: string; readonly authorization: string },
): AzurePlan {
  const tokenFile = join(has.folder, "token")
  const [client, tenant] = [requiredValue(credential, "client-id"), requiredValue(credential, "tenant-id")]
  const token = Buffer.from(requiredValue(credential, "federated-token"))
  const cliFolder = join(has.folder, "cli")
  return {
    variables: new Map([
      ["AZURE_CLIENT_ID", client],
      ["AZURE_TENANT_ID", tenant],
      ["AZURE_AUTHORITY_HOST", requiredValue(credential, "authority-host")],
      ["AZURE_FEDERATED_TOKEN_FILE", tokenFile],
      ["AZURE_CONFIG_DIR", cliFolder],
      ["ARM_CLIENT_ID", client],
      ["ARM_TENANT_ID", tenant],
      ["ARM_USE_OIDC", "true"],
      ["ARM_OIDC_REQUEST_URL", has.url],
      ["ARM_OIDC_REQUEST_TOKEN", has.authorization],
    ]),
    files: [{ path: tokenFile, bytes: token, mode: 0o600 }],
    tokenFile,
    write(next) {
      replaceJobFile(tokenFile, Buffer.from(next))
      freshenAzureCli(cliFolder, client, next)
    },
  }
}

/** The credential without what the plan delivers: the subscription stays. */
export function withoutPlanned(credential: Credential): Credential {
  return { ...credential, values: credential.values.filter(({ name }) => !PLANNED_VALUES.has(name)) }
}
