import type { Grant } from "../../broker/core/policy/model.ts"
import { isPlainMap, memberOf } from "../../broker/core/policy/plain.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import { isLoginTool } from "../../broker/wire/tool-login.ts"
import { writtenFields } from "./grant-words.ts"

/**
 * The variables that a grant of a store sets, in the policy's order. Of an item that is read as a whole, only files in the
 * policy folder show the names: for every other store the pattern of its variables stands for them, such as `STRIPE_*`.
 */
export function variablesIn(grant: Grant, providers: ProviderSchemaTable): readonly string[] {
  const fields = writtenFields(grant)
  const prefix = memberOf(memberOf(fields, "read_all"), "prefix")
  const whole = typeof prefix === "string" ? (namesInFile(grant, providers) ?? [`${prefix}*`]) : []
  return [...namesIn(memberOf(fields, "read")), ...namesIn(memberOf(fields, "env")), ...whole]
}

/** The name of a login is no variable: the tool has the value in a file of its own. */
const namesIn = (read: unknown): readonly string[] =>
  isPlainMap(read) ? Object.keys(read).filter((name) => !isLoginTool(memberOf(read[name], "as"))) : []

/** Null when no file shows the names, or a job's claims choose what is read. */
function namesInFile({ fields, template, connection, files }: Grant, providers: ProviderSchemaTable) {
  const reader = providers.get(connection.provider)?.files
  if (reader === undefined || template !== undefined) return null
  const named = reader.namedBy(fields, connection.settings).find((one) => one.variables !== undefined)
  const text = named === undefined ? undefined : files?.get(named.path)
  if (named === undefined || text === undefined) return null
  const read = named.variables?.(reader.read(named.path, new TextEncoder().encode(text)).parts)
  return read?.ok ? read.value : null
}
