import type { Sight } from "../doctor/sight.ts"
import type { CliIo } from "../io.ts"
import type { Wrangler } from "../push/wrangler.ts"
import type { Interview } from "./interview.ts"

/** What every step of the guided set-up works with. */
export interface Desk {
  readonly io: CliIo
  readonly interview: Interview
  readonly options: GuidedOptions
  readonly tools: Tools
  /** Tells that something is done, or was done before. */
  done(text: string): void
  /** Keeps what is left to the person, for the end. */
  left(text: string): void
}

/** The folder of policies: its absolute path, and its name as it is shown. */
export interface PolicyFolder {
  readonly folder: string
  readonly shown: string
}

/** What a test replaces: programs, and how this machine sees hosts. */
export interface Tools {
  /** Wrangler for an account; for the one that it knows by itself when it is undefined. */
  wranglerFor(account: string | undefined): Wrangler
  readonly sight: Sight
  /** Opens an address in the person's browser, if there is one. */
  browse(address: string): void
  sleep(milliseconds: number): Promise<void>
}

/** The options as they are written, each one the answer to a question. */
export interface GuidedOptions {
  readonly runtime?: string
  readonly broker?: string
  readonly repository?: string
  readonly environment?: string
  readonly vendor?: string
  readonly with?: readonly string[]
  readonly key?: string
  readonly worker?: string
  readonly "worker-name"?: string
  readonly account?: string
  readonly jurisdiction?: string
  readonly deploy?: boolean
  readonly workflow?: string
  readonly app?: string
  readonly "app-name"?: string
  readonly dir?: string
  readonly "repository-id"?: string
  readonly "owner-id"?: string
  readonly branch?: string
}
