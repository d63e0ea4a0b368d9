import type { Log } from "../../ports/log.ts"
import { jsonLine } from "../web/json-line.ts"

/** How long a line waits for others, in milliseconds: a write to a pipe blocks, and one line costs as much as fifty. */
const GATHER_MS = 50

export interface LineLog {
  readonly log: Log
  /** Writes the waiting lines. Call it before the process ends. */
  flush(): void
}

/** Writes one JSON line for each request or event. `write` is usually the process's standard output. */
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
      lines.push(`${jsonLine({ at: new Date().toISOString(), ...event })}\n`)
      timer ??= setTimeout(flush, GATHER_MS)
    },
  }
}
