import { join } from "node:path"
import type { Credential, Value } from "../answer.ts"
import { AWS_KEY_VARIABLE } from "../deliver/aws-neighbours.ts"
import { planEnvironment } from "../deliver/environment.ts"
import { writeDotenv } from "./dotenv.ts"
import { type FilesContext, listed, ownerFile, type ToolPlan } from "./planned.ts"

/**
 * Writes what has no file format of its own to `values.env` and `values.json`. Public values and the paths of single files
 * are variables as well.
 * @throws {ActionError} `delivery_refused`, as for variables, and for a value that dotenv cannot hold
 */
export function planValues(credentials: readonly Credential[], { folder }: FilesContext): ToolPlan {
  const written = credentials.map((credential) => ({ ...credential, values: credential.values.filter(isWritten) }))
  const withVariables = (isWanted: (value: Value) => boolean) =>
    credentials
      .map(({ values, ...rest }) => ({
        ...rest,
        values: values.filter((one) => one.env !== undefined && isWanted(one)),
      }))
      .filter(({ values }) => values.length > 0)
  const variables = planEnvironment(withVariables(isWritten))
  const grants = written.filter(({ values }) => values.length > 0)
  const ownerOf = (variable: string) => grants.find(({ values }) => values.some(({ env }) => env === variable))?.grant
  const dotenv = writeDotenv(variables, (variable) => ownerOf(variable) ?? "")
  return {
    files:
      grants.length === 0
        ? []
        : [
            ...(variables.size === 0 ? [] : [ownerFile(join(folder, "values.env"), dotenv.text)]),
            ownerFile(join(folder, "values.json"), `${JSON.stringify(byGrant(grants), null, 2)}\n`),
          ],
    variables: planEnvironment(withVariables((value) => !value.secret && value.env !== AWS_KEY_VARIABLE)),
    rest: new Map(),
    places: new Map(
      credentials.map(({ grant, values }) => [
        grant,
        [
          ...(values.some((one) => isWritten(one) && one.env !== undefined) ? ["values.env"] : []),
          ...(values.some(isWritten) ? ["values.json"] : []),
          ...values.flatMap(({ env, secret }) =>
            env !== undefined && !secret && env !== AWS_KEY_VARIABLE ? [env] : [],
          ),
        ],
      ]),
    ),
    notes:
      dotenv.quoted.length === 0
        ? []
        : [
            `In values.env, ${listed(dotenv.quoted)} ${dotenv.quoted.length === 1 ? "is" : "are"} in quotes. Shells and dotenv libraries remove them; \`docker run --env-file\` does not.`,
          ],
    warnings: [],
  }
}

/** Not the paths of single files: these are variables. */
const isWritten = ({ file }: Value): boolean => file === undefined

const byGrant = (credentials: readonly Credential[]) =>
  Object.fromEntries(
    credentials.map(({ grant, values }) => [grant, Object.fromEntries(values.map(({ name, value }) => [name, value]))]),
  )
