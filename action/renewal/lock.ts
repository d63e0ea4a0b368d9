import { closeSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { openRegular, writeNew } from "../disk/safe-file.ts"

/** A holder ends by itself before. What is older was left behind, and its process number belongs to another process. */
const LONGEST_HOLD_MS = 60_000
/** A holder writes its process number at once. */
const UNSIGNED_MS = 2_000
const NAME = /^lock\.(0|[1-9][0-9]{0,8})$/

interface Lock {
  release(): void
}

/**
 * Takes the lock of a folder; null while another process holds it. Never waits.
 *
 * A lock is a file `lock.N`; the highest one counts. A process that finds the holder dead takes over with `lock.N+1`, which
 * only one process can create, and removes nothing of others. So of many that see a killed holder, exactly one goes on. If
 * two processes do hold it in a rare order of events, both renew: that costs an exchange, and nothing breaks.
 */
export function tryLock(folder: string): Lock | null {
  const taken = locksIn(folder)
  const highest = taken.at(-1)
  if (highest !== undefined && isHeld(pathOf(folder, highest))) return null
  const mine = (highest ?? -1) + 1
  try {
    writeNew(pathOf(folder, mine), String(process.pid))
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") return null
    throw thrown
  }
  return {
    release() {
      // The own one last: until then, others wait.
      for (const number of [...taken, mine]) rmSync(pathOf(folder, number), { force: true })
    },
  }
}

const pathOf = (folder: string, number: number) => join(folder, `lock.${number}`)

function locksIn(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other)
}

function isHeld(path: string): boolean {
  try {
    const { descriptor, size, writtenAt } = openRegular(path)
    try {
      const age = Math.abs(Date.now() - writtenAt)
      if (size > 16 || age > LONGEST_HOLD_MS) return false
      const holder = readFileSync(descriptor, "latin1")
      return holder === "" ? age < UNSIGNED_MS : /^[1-9][0-9]{0,9}$/.test(holder) && isAlive(Number(holder))
    } finally {
      closeSync(descriptor)
    }
  } catch {
    // It is gone, or it is a link, which no holder makes.
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM"
  }
}
