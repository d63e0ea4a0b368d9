import { closeSync, constants, fstatSync, openSync, renameSync, statSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { LEASE_ID } from "../../broker/wire/lease-id.ts"
import type { Lease } from "../answer.ts"
import { readRegular } from "../disk/safe-file.ts"
import { ActionError } from "../failure.ts"
import { isFolder, isJobFolder } from "../job-folder.ts"
import { isOver, type StepLease } from "../lease.ts"
import { savedState } from "../runner.ts"
import { isTime } from "../time.ts"
import { leasesFile } from "./place.ts"

const MAX_BYTES = 1024 * 1024
/** Of a file that another program filled, so many of the newest are revoked; the broker ends the others by itself. */
const MAX_LEASES = 100

/**
 * The leases of one renewal, as lines of a file in the step's folder. Each is there before the broker is asked, so that the
 * post step revokes it whatever becomes of this process.
 */
export class RenewalLeases {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** @throws {ActionError} `lease_not_found` when the step's folder is gone, as are those below */
  ask(id: string): void {
    this.#append(`ask ${id}`)
  }

  confirm({ id, expiresAt }: Lease): void {
    this.#append(`got ${id} ${expiresAt}`)
  }

  /** There is nothing to revoke. If that cannot be written, the post step asks once more, which changes nothing. */
  forget(id: string): void {
    try {
      this.#append(`end ${id}`)
    } catch {}
  }

  /**
   * The file is the action's: it is never created here, so that nothing is asked for after the post step took it. It is looked
   * at again after the line is in it: the post step moves it before it reads.
   */
  #append(line: string): void {
    try {
      const file = openSync(this.#path, constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0))
      try {
        writeSync(file, `${line}\n`)
        if (statSync(this.#path).ino === fstatSync(file).ino) return
      } finally {
        closeSync(file)
      }
    } catch {}
    throw new ActionError("lease_not_found", "The Daypass step that gave this credential has ended.")
  }
}

/**
 * The leases that later steps opened for this step's files, as `renew.js` noted them, oldest first. Those that are over are
 * left out.
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
    // A link in the place of a folder would have another folder's file renamed.
    if (!isFolder(folder) || !isFolder(dirname(path))) return []
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
