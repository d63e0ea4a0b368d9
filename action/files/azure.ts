import { join } from "node:path"
import { type Credential, requiredValue } from "../answer.ts"
import { AZURE_LOGIN_VALUES, loginVariables } from "../clouds/azure.ts"
import { besidesLogin } from "../clouds/login.ts"
import { ownerFile } from "../deliver/files.ts"
import { listed } from "../words.ts"
import { type FilesContext, NOTHING, type ToolPlan } from "./planned.ts"

/**
 * Writes the federated token to a file, from which Azure's libraries read it (WorkloadIdentityCredential). Terraform's
 * providers read a path as well. Nothing renews the file between steps: these libraries start no program.
 */
export function planAzureFiles(credentials: readonly Credential[], { folder }: FilesContext): ToolPlan {
  const federated = credentials.filter(({ format }) => format === "azure-federated")
  if (federated.length === 0) return NOTHING
  const path = ({ grant }: Credential) => join(folder, "azure", `${grant}.token`)
  const [only] = federated.length === 1 ? federated : []
  const grants = federated.map(({ grant }) => grant)
  return {
    ...NOTHING,
    files: federated.map((credential) => ownerFile(path(credential), requiredValue(credential, "federated-token"))),
    variables:
      only === undefined
        ? new Map()
        : new Map([
            ...loginVariables(only),
            ["AZURE_FEDERATED_TOKEN_FILE", path(only)],
            ["ARM_OIDC_TOKEN_FILE_PATH", path(only)],
          ]),
    rest: new Map(federated.map((one) => [one.grant, besidesLogin(one, AZURE_LOGIN_VALUES, only === undefined)])),
    places: new Map(grants.map((grant) => [grant, [`azure/${grant}.token`]])),
    notes: [
      ...(only === undefined
        ? [
            `Azure's programs of later steps choose one of ${listed(grants)} with AZURE_FEDERATED_TOKEN_FILE: the files are in azure/.`,
          ]
        : []),
      `Later steps cannot renew ${listed(grants)}: Azure's programs must log in before the token ends. For longer work, use the input \`run\`.`,
    ],
  }
}
