import { join } from "node:path"
import { readRegular, replaceFile } from "../disk/safe-file.ts"
import { memberOf, parseJson } from "../json.ts"

/** Where `az` keeps the logins of service principals on Linux and macOS. On Windows the file is encrypted and has another name. */
const ENTRIES = "service_principal_entries.json"
const MAX_BYTES = 1024 * 1024

/**
 * Puts a fresh token into the login that `az` keeps. `az` itself never replaces the token that it was logged in with, so
 * after five minutes it could get no access token for another resource (AADSTS700024), and after about an hour none at all.
 * A file in any other form stays as it is.
 */
export function freshenAzureCli(folder: string, clientId: string, token: string): void {
  const path = join(folder, ENTRIES)
  const entries = readEntries(path)
  if (entries === null) return
  const isOurs = (entry: unknown) =>
    memberOf(entry, "client_id") === clientId && typeof memberOf(entry, "client_assertion") === "string"
  if (!entries.some(isOurs)) return
  const fresh = entries.map((entry) => (isOurs(entry) ? { ...(entry as object), client_assertion: token } : entry))
  replaceFile(path, JSON.stringify(fresh))
}

/** The command can put anything there. */
function readEntries(path: string): readonly unknown[] | null {
  const bytes = readRegular(path, MAX_BYTES)
  const entries = bytes === null ? null : parseJson(bytes)
  return Array.isArray(entries) ? entries : null
}
