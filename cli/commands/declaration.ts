import type { Command } from "../io.ts"

/** An option of a command. Without `value` it is a switch. */
export interface OptionDeclaration {
  /** The word for its value in help: `DIR`, `FILE`, `URL`, `NAME`. Completion takes `DIR` and `FILE` for paths. */
  readonly value?: string
  /** What it says or does: a sentence without its full stop. */
  readonly words: string
  /** All values that it takes. */
  readonly choices?: readonly string[]
  /** What counts when it is left out. */
  readonly preset?: string
  /** It can be given several times. */
  readonly repeated?: true
}

export type OptionTable = Readonly<Record<string, OptionDeclaration>>

/** An argument that is known by its place. */
export interface ArgumentDeclaration {
  /** As in help: `DIR`, `OWNER/REPO`. Completion takes `DIR`, `FILE` and `PATH` for paths. */
  readonly name: string
  readonly words: string
  readonly choices?: readonly string[]
  /** It can be left out; with `preset`, this is then its value. */
  readonly optional?: true
  readonly preset?: string
  /** The last one only: any number of them. */
  readonly repeated?: true
}

/**
 * What help, completion and the reference say of a command. Declarations are read at every start, so they load nothing of the
 * work itself.
 */
export interface CommandDeclaration {
  /** As it is typed: `check`, `audit verify`. */
  readonly name: string
  /** For lists: it completes "daypass NAME: ...". No full stop. */
  readonly summary: string
  /** Paragraphs. A line break within one is a space. */
  readonly about: string
  readonly takes?: readonly ArgumentDeclaration[]
  readonly options?: OptionTable
  /** What stands behind the name in the usage, where the rule "arguments, then [options]" does not say enough. */
  readonly forms?: readonly string[]
  /** The user's own command stands behind `--`, and is handed over as it is. */
  readonly runs?: true
  /** What to say when there are more arguments than it takes. */
  readonly excess?: string
  readonly exits: Readonly<Record<number, string>>
  /** Whole command lines. */
  readonly examples?: readonly string[]
  /** The page below docs/ that says more. */
  readonly page?: string
  load(): Promise<Command>
}

/** Commands of one subject: one heading in the overview, and one page of the reference. */
export interface Section {
  readonly title: string
  /** `docs/cli/PAGE.md`. */
  readonly page: string
  readonly commands: readonly CommandDeclaration[]
}
