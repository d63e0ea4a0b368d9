import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { memberOf, parseJson } from "../json.ts"
import { replaceJobFile } from "../runner.ts"

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
  replaceJobFile(path, Buffer.from(JSON.stringify(fresh)))
}

function readEntries(path: string): readonly unknown[] | null {
  let file: number | null = null
  try {
    // The command can put anything there: a link, or a pipe that never ends.
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    const about = fstatSync(file)
    const entries = about.isFile() && about.size <= MAX_BYTES ? parseJson(readFileSync(file)) : null
    return Array.isArray(entries) ? entries : null
  } catch {
    return null
  } finally {
    if (file !== null) closeSync(file)
  }
}
