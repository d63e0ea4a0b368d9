// What Linux counts about other processes. On another system every answer is null: "not counted".
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"

/** Milliseconds of processor time since the start: of the main thread, and of all threads that still run. */
export interface CpuTime {
  readonly main: number
  readonly all: number
}

/** From the scheduler's own counters, in nanoseconds: `stat` counts in steps of 10 ms. */
export function cpuTimeOf(pids: readonly number[]): CpuTime | null {
  let main = 0
  let all = 0
  for (const pid of pids) {
    if (!existsSync(`/proc/${pid}/schedstat`)) return null
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const ms = onCpuMs(`/proc/${pid}/task/${thread}/schedstat`)
      all += ms
      if (thread === String(pid)) main += ms
    }
  }
  return { main, all }
}

function onCpuMs(path: string): number {
  try {
    return Number(readFileSync(path, "utf8").split(" ")[0]) / 1e6
  } catch {
    return 0 // The thread has ended since it was listed.
  }
}

/** Megabytes of memory that the process has in use (RSS). */
export function rssMbOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status says no VmRSS`)
  return Number(kilobytes) / 1024
}

const FLUSHES = ["syscalls:sys_enter_fsync", "syscalls:sys_enter_fdatasync"]

/**
 * How often the processes call fsync or fdatasync during `work`; null where `perf` is missing or may not count. `perf` counts
 * at the kernel's tracepoints and does not slow the process. `strace` stops it at every call, so that more exchanges gather
 * in one commit, and the count would be too small.
 */
export async function flushesDuring(pids: readonly number[], work: () => Promise<unknown>): Promise<number | null> {
  const perf = spawn("perf", ["stat", "-x", ",", "-e", FLUSHES.join(","), "-p", pids.join(",")], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  let said = ""
  perf.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk
  })
  const ended = new Promise<void>((resolve) => {
    perf.once("error", () => resolve())
    perf.once("close", () => resolve())
  })
  // perf says nothing when it has begun to count.
  await new Promise((resolve) => setTimeout(resolve, 300))
  await work()
  perf.kill("SIGINT")
  await ended
  const counts = [...said.matchAll(/^(\d+),[^\n]*sys_enter_f/gm)].map(([, count]) => Number(count))
  return counts.length === FLUSHES.length ? counts.reduce((sum, count) => sum + count, 0) : null
}
