import { join } from "node:path"
import type { Credential } from "../answer.ts"
import { requiredValue } from "../federated.ts"
import { type FilesContext, listed, NOTHING, ownerFile, type ToolPlan } from "./planned.ts"
import { valueNamed } from "./renewable.ts"

/** The values of a credential of the format `azure-federated`, and the variables of Azure's libraries for them. */
const VARIABLES: ReadonlyMap<string, string> = new Map([
  ["tenant-id", "AZURE_TENANT_ID"],
  ["client-id", "AZURE_CLIENT_ID"],
  ["authority-host", "AZURE_AUTHORITY_HOST"],
])
const TOKEN_VALUES: ReadonlySet<string> = new Set(["federated-token", "federated-token-file"])

/**
 * Writes the federated token to a file, from which Azure's libraries read it (WorkloadIdentityCredential). Terraform's
 * providers read a path as well. Nothing writes the file again between steps: these libraries start no program.
 */
export function planAzureFiles(credentials: readonly Credential[], { folder }: FilesContext): ToolPlan {
  const federated = credentials.filter(({ format }) => format === "azure-federated")
  if (federated.length === 0) return NOTHING
  const path = ({ grant }: Credential) => join(folder, "azure", `${grant}.token`)
  const [only] = federated.length === 1 ? federated : []
  const grants = federated.map(({ grant }) => grant)
  return {
    files: federated.map((credential) => ownerFile(path(credential), requiredValue(credential, "federated-token"))),
    variables: only === undefined ? new Map() : new Map([...variablesOf(only), ...tokenVariables(path(only))]),
    rest: new Map(
      federated.map((credential) => [
        credential.grant,
        { ...credential, values: credential.values.filter((value) => isKept(value, only !== undefined)) },
      ]),
    ),
    places: new Map(grants.map((grant) => [grant, [`azure/${grant}.token`]])),
    notes: [
      ...(only === undefined
        ? [`Azure's programs need AZURE_FEDERATED_TOKEN_FILE: there are several files in azure/.`]
        : []),
      `The federated token of ${listed(grants)} is not fetched again between steps. A login with it must happen before it ends. For longer work, use the input \`run\`.`,
    ],
    warnings: [],
  }
}

const tokenVariables = (path: string): readonly (readonly [string, string])[] => [
  ["AZURE_FEDERATED_TOKEN_FILE", path],
  ["ARM_OIDC_TOKEN_FILE_PATH", path],
]

const variablesOf = (credential: Credential): readonly (readonly [string, string])[] =>
  [...VARIABLES].flatMap(([name, variable]) => {
    const value = valueNamed(credential, name)
    return value === "" ? [] : [[variable, value] as const]
  })

/** What stays besides the token: public values whose variable this plan does not set itself. */
function isKept({ name, env, secret }: Credential["values"][number], isOnly: boolean): boolean {
  return isOnly && !secret && env !== undefined && !TOKEN_VALUES.has(name) && !VARIABLES.has(name)
}
