/**
 * Where this client runs when it is not the step of an action: a command in any CI. `runner.ts` asks it for what GitHub's runner
 * gives to an action alone.
 */
export interface Host {
  /** How to write to the log; null where the CI reads GitHub's workflow commands. */
  readonly log: HostLog | null
  /** The folder for the client's own files. */
  readonly temporaryFolder: string
  readonly userAgent: string
  /** What becomes of a lease that cannot be revoked now, as a clause. */
  readonly laterRevocation: string
  /** The path of a program beside this client: `aws-profile`. */
  programPath(name: string): string
  /** What people wrote for one of the action's inputs, for messages. */
  nameOfInput(name: string): string
}

export interface HostLog {
  /** Hides texts in what the CI logs from now on, if the CI can. Never rejects: the client hides them in what it passes on itself. */
  hide(texts: readonly string[]): Promise<void>
}
