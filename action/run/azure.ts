import { join } from "node:path"
import { requiredValue } from "../answer.ts"
import { AZURE_LOGIN_VALUES, loginVariables } from "../clouds/azure.ts"
import { names } from "../clouds/variables.ts"
import { ownerFile } from "../deliver/files.ts"
import { replaceFile } from "../disk/safe-file.ts"
import { deliveryRefused } from "../failure.ts"
import { freshenAzureCli } from "./azure-cli-entries.ts"
import type { Cloud, Login } from "./cloud.ts"
import { readToken, TOKEN } from "./token.ts"

/**
 * How the command logs in to Azure. The SDKs read the token's file again when they need a new access token, so the action
 * keeps the file fresh. Terraform's providers read a file once, but ask a URL each time, as GitHub's is asked: they get the
 * action's endpoint. `az` gets a folder of its own, so that it uses no session of the machine and leaves none.
 */
export const AZURE: Cloud = {
  name: "azure",
  format: "azure-federated",
  gives: "Azure login",
  scheme: "bearer",
  loginValues: AZURE_LOGIN_VALUES,
  // From these, Azure's SDKs, `az` or Terraform would take another credential or another account. Terraform takes the token of a
  // variable or a file before it asks a URL, and reads it once only.
  withheld: names(
    "AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_AUTHORITY_HOST AZURE_FEDERATED_TOKEN_FILE AZURE_CLIENT_SECRET AZURE_CLIENT_CERTIFICATE_PATH AZURE_CLIENT_CERTIFICATE_PASSWORD AZURE_USERNAME AZURE_PASSWORD AZURE_TOKEN_CREDENTIALS AZURE_CONFIG_DIR IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET ARM_CLIENT_ID ARM_CLIENT_ID_FILE_PATH ARM_TENANT_ID ARM_CLIENT_SECRET ARM_CLIENT_SECRET_FILE_PATH ARM_CLIENT_CERTIFICATE ARM_CLIENT_CERTIFICATE_PATH ARM_CLIENT_CERTIFICATE_PASSWORD ARM_OIDC_TOKEN ARM_OIDC_TOKEN_FILE_PATH ARM_OIDC_REQUEST_URL ARM_OIDC_REQUEST_TOKEN ARM_OIDC_AZURE_SERVICE_CONNECTION_ID ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID ARM_USE_OIDC ARM_USE_MSI ARM_MSI_ENDPOINT ARM_USE_AKS_WORKLOAD_IDENTITY",
  ),

  /** With a third of the token's five minutes left, it is still good for a login. */
  renewal: () => ({ below: (lifeMs) => lifeMs / 3, answerWithinMs: 5_000 }),

  read: readToken,

  plan(logins, { folder, authorization }) {
    const { credential, url } = onlyOne(logins)
    const [path, cliFolder] = [join(folder, "token"), join(folder, "cli")]
    return {
      variables: new Map([
        ...loginVariables(credential),
        ["AZURE_FEDERATED_TOKEN_FILE", path],
        ["AZURE_CONFIG_DIR", cliFolder],
        ["ARM_OIDC_REQUEST_URL", url],
        ["ARM_OIDC_REQUEST_TOKEN", authorization],
      ]),
      files: [ownerFile(path, requiredValue(credential, TOKEN))],
      places: new Map([[credential.grant, ["AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_REQUEST_URL"]]]),
      freshFile: {
        path,
        write({ value: token = "" }) {
          replaceFile(path, token)
          freshenAzureCli(cliFolder, requiredValue(credential, "client-id"), token)
        },
      },
    }
  },
}

function onlyOne([login, second]: readonly Login[]): Login {
  if (login === undefined) throw new Error("unreachable: a cloud is planned for at least one grant")
  if (second === undefined) return login
  const both = `${login.credential.grant} and ${second.credential.grant}`
  throw deliveryRefused(
    `One command cannot have two logins of Azure, because both use the same variables: ${both}. Use two steps.`,
  )
}
