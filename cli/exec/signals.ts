import { constants } from "node:os"

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Keeps this process alive when the CI cancels the job, so that it can still revoke. */
export class Signals {
  /** The first that came; null when none has. */
  received: NodeJS.Signals | null = null
  /** Resolves with the first. */
  readonly first: Promise<NodeJS.Signals>

  constructor() {
    this.first = new Promise((resolve) => {
      for (const signal of SIGNALS)
        process.on(signal, () => {
          this.received ??= signal
          resolve(this.received)
        })
    })
  }
}

/** As shells do. */
export const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal]
