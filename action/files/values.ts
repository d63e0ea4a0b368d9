import { join } from "node:path"
import type { Credential, Value } from "../answer.ts"
import { KEY_VARIABLE } from "../clouds/aws.ts"
import { planEnvironment } from "../deliver/environment.ts"
import { ownerFile } from "../deliver/files.ts"
import { listed } from "../words.ts"
import { writeDotenv } from "./dotenv.ts"
import { type FilesContext, NOTHING, type ToolPlan } from "./planned.ts"

/**
 * Writes the values that no tool has a file for to `values.env` and `values.json`. Public values, and paths of single files,
 * also become variables.
 * @param withTool grants that a tool's files hold. Their public values are variables only: alone they are of no use
 * @throws {ActionError} `delivery_refused`, as for variables, and for a value that dotenv cannot hold
 */
export function planValues(
  credentials: readonly Credential[],
  { folder }: Pick<FilesContext, "folder">,
  withTool: ReadonlySet<string>,
): ToolPlan {
  const written = credentials
    .map((one) => only(one, (value) => isForValues(value) && (value.secret || !withTool.has(one.grant))))
    .filter(hasValues)
  const inDotenv = planEnvironment(written.map((one) => only(one, hasVariable)).filter(hasValues))
  const dotenv = writeDotenv(inDotenv, (variable) => ownerOf(variable, written))
  const toEnvironment = credentials.map((one) => only(one, isForEnvironment)).filter(hasValues)
  return {
    ...NOTHING,
    files: [
      ...(inDotenv.size === 0 ? [] : [ownerFile(join(folder, "values.env"), dotenv.text)]),
      ...(written.length === 0 ? [] : [ownerFile(join(folder, "values.json"), asJson(written))]),
    ],
    variables: planEnvironment(toEnvironment),
    places: new Map(
      credentials.map(({ grant }) => {
        const [inFiles, inEnvironment] = [written, toEnvironment].map(
          (list) => list.find((one) => one.grant === grant)?.values ?? [],
        )
        const files = [
          ...(inFiles?.some(hasVariable) ? ["values.env"] : []),
          ...(inFiles?.length ? ["values.json"] : []),
        ]
        return [grant, [...files, ...(inEnvironment?.flatMap(({ env }) => env ?? []) ?? [])]]
      }),
    ),
    notes: quotedNotes(dotenv.quoted),
  }
}

/** A key id without its secret would stop AWS's SDKs, so it stays beside the secret. */
const isForEnvironment = ({ env, secret }: Value): boolean => env !== undefined && !secret && env !== KEY_VARIABLE

/** A value that is a login and nothing else is in its tool's file. */
const isForValues = ({ env, file, logins }: Value): boolean =>
  file === undefined && (logins === undefined || env !== undefined)

const hasVariable = ({ env }: Value): boolean => env !== undefined

const hasValues = ({ values }: Credential): boolean => values.length > 0

const only = (credential: Credential, isWanted: (value: Value) => boolean): Credential => ({
  ...credential,
  values: credential.values.filter(isWanted),
})

const ownerOf = (variable: string, credentials: readonly Credential[]): string =>
  credentials.find(({ values }) => values.some(({ env }) => env === variable))?.grant ?? ""

function asJson(credentials: readonly Credential[]): string {
  const byGrant = credentials.map(({ grant, values }) => [
    grant,
    Object.fromEntries(values.map(({ name, value }) => [name, value])),
  ])
  return `${JSON.stringify(Object.fromEntries(byGrant), null, 2)}\n`
}

function quotedNotes(quoted: readonly string[]): readonly string[] {
  if (quoted.length === 0) return []
  const are = quoted.length === 1 ? "is" : "are"
  return [
    `In values.env, ${listed(quoted)} ${are} in quotes. Shells and dotenv libraries remove them; \`docker run --env-file\` does not.`,
  ]
}
