import { writeSync } from "node:fs"

/** Standard output, which the runner reads. */
let log: 1 | 2 = 1

/** From now on, the log is standard error: standard output belongs to the command's own result. */
export function logToStandardError(): void {
  log = 2
}

/** True once something was given to Node's stream: from then on, all goes through it, so that nothing overtakes. */
let isStreaming = false

/**
 * Writes text to the log, and returns when the runner has it. It writes to the file descriptor itself: making Node's stream
 * for a pipe takes more than a millisecond of each start. A pipe that is full or closed is left to the stream, which waits
 * for the reader and reports its end as an event.
 */
export function print(text: string): void {
  if (isStreaming) {
    stream().write(text)
    return
  }
  let bytes: Uint8Array = Buffer.from(text, "utf8")
  try {
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(log, bytes))
  } catch {
    stream().write(bytes)
  }
}

/** Resolves when all text that was printed is written. */
export function printed(): Promise<void> {
  return isStreaming ? new Promise((resolve) => stream().write("", () => resolve())) : Promise.resolve()
}

/** Writes bytes to the log as they are. Resolves when the runner takes more, or never will. */
export const writeToLog = (bytes: Uint8Array): Promise<void> => writeTo(stream(), bytes)

/** The same with another stream. */
export function writeTo(to: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> {
  if (to.destroyed || to.write(bytes)) return Promise.resolve()
  return new Promise((resolve) => {
    const go = () => {
      to.off("drain", go).off("close", go)
      resolve()
    }
    to.on("drain", go).on("close", go)
  })
}

/** Calls `act` when the log cannot be written any more, because the runner is gone. */
export function onLogClosed(act: () => void): void {
  stream().on("error", act)
}

function stream(): NodeJS.WriteStream {
  isStreaming = true
  return log === 1 ? process.stdout : process.stderr
}
