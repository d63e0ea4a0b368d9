import { writeSync } from "node:fs"

const STDOUT = 1

/** True once something was given to Node's stream: from then on, all goes through it, so that nothing overtakes. */
let isStreaming = false

/**
 * Writes text to the log, and returns when the runner has it. It writes to the file descriptor itself: making Node's stream
 * for a pipe takes more than a millisecond of each start. A pipe that is full or closed is left to the stream, which waits
 * for the reader and reports its end as an event.
 */
export function print(text: string): void {
  if (isStreaming) {
    process.stdout.write(text)
    return
  }
  let bytes: Uint8Array = Buffer.from(text, "utf8")
  try {
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(STDOUT, bytes))
  } catch {
    stream().write(bytes)
  }
}

/** Resolves when all text that was printed is written. */
export function printed(): Promise<void> {
  return isStreaming ? new Promise((resolve) => process.stdout.write("", () => resolve())) : Promise.resolve()
}

/** Writes bytes to the log as they are. Resolves when the runner takes more, or never will. */
export function writeToLog(bytes: Uint8Array): Promise<void> {
  const stdout = stream()
  if (stdout.destroyed || stdout.write(bytes)) return Promise.resolve()
  return new Promise((resolve) => {
    const go = () => {
      stdout.off("drain", go).off("close", go)
      resolve()
    }
    stdout.on("drain", go).on("close", go)
  })
}

/** Calls `act` when the log cannot be written any more, because the runner is gone. */
export function onLogClosed(act: () => void): void {
  stream().on("error", act)
}

function stream(): NodeJS.WriteStream {
  isStreaming = true
  return process.stdout
}
