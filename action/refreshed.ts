import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync } from "node:fs"
import { dirname, join } from "node:path"
import { LEASE_ID } from "../broker/wire/lease-id.ts"
import { isOver, type StepLease } from "./lease.ts"
import { isFolder, isJobFolder, savedState } from "./runner.ts"
import { isTime } from "./time.ts"

const MAX_BYTES = 1024 * 1024
/** Of a file that another program filled, so many of the newest are revoked; the broker ends the others by itself. */
const MAX_LEASES = 100

/**
 * The leases that later steps opened for this step's files, as `refresh.js` noted them, oldest first; without those that are over.
 *
 * Takes the file away first: `refresh.js` looks after each line whether its file is still in its place, and asks the broker
 * only then. So each lease that was asked for is read here.
 */
export function takeRefreshedLeases(): readonly StepLease[] {
  const folder = savedState("files")
  if (!isJobFolder(folder)) return []
  const path = join(folder, ".refresh", "leases")
  let text: string
  try {
    // A link in the place of a folder would have another folder's file renamed.
    if (!isFolder(folder) || !isFolder(dirname(path))) return []
    renameSync(path, `${path}.taken`)
    text = readOwn(`${path}.taken`)
  } catch {
    // Most steps have no such file.
    return []
  }
  const leases = new Map<string, StepLease>()
  for (const line of text.split("\n")) {
    const [act, id = "", expiresAt] = line.split(" ")
    if (!LEASE_ID.test(id)) continue
    if (act === "ask") leases.set(id, { id, expiresAt: null })
    if (act === "got" && isTime(expiresAt)) leases.set(id, { id, expiresAt })
    if (act === "end") leases.delete(id)
  }
  return [...leases.values()].filter((lease) => !isOver(lease)).slice(-MAX_LEASES)
}

function readOwn(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = fstatSync(file)
    return stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(file, "latin1") : ""
  } finally {
    closeSync(file)
  }
}
