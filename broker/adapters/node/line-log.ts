import type { Log } from "../../ports/log.ts"

/** How long a line waits for others, in milliseconds: writing to a pipe blocks, and costs as much for one line as for fifty. */
const GATHER_MS = 50

export interface LineLog {
  readonly log: Log
  /** Writes what waits. To be called before the process ends. */
  flush(): void
}

/** One JSON line a request or event. `write` is the process's standard output, or whatever takes its place. */
export function createLineLog(write: (text: string) => void): LineLog {
  let lines: string[] = []
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (lines.length === 0) return
    write(lines.join(""))
    lines = []
  }
  return {
    flush,
    log(event) {
      lines.push(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`)
      timer ??= setTimeout(flush, GATHER_MS)
    },
  }
}
