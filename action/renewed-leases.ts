import { renameSync } from "node:fs"
import { LEASE_ID } from "../broker/wire/lease-id.ts"
import { isJobFolder } from "./job-folder.ts"
import { isOver, type StepLease } from "./lease.ts"
import { leasesFile } from "./renewal/place.ts"
import { savedState } from "./runner.ts"
import { readRegular } from "./safe-file.ts"
import { isTime } from "./time.ts"

const MAX_BYTES = 1024 * 1024
/** Of a file that another program filled, so many of the newest are revoked; the broker ends the others by itself. */
const MAX_LEASES = 100

/**
 * The leases that later steps opened for this step's files, as `renew.js` noted them, oldest first; without those that are over.
 *
 * Takes the file away first: `renew.js` looks after each line whether its file is still in its place, and asks the broker
 * only then. So each lease that was asked for is read here.
 */
export function takeRenewedLeases(): readonly StepLease[] {
  const folder = savedState("files")
  if (!isJobFolder(folder)) return []
  const path = leasesFile(folder)
  let text: string
  try {
    renameSync(path, `${path}.taken`)
    text = readRegular(`${path}.taken`, MAX_BYTES)?.toString("latin1") ?? ""
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
