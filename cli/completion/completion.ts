import type { CommandDeclaration } from "../commands/declaration.ts"
import { type Command, EXIT } from "../io.ts"
import { bashScript } from "./bash.ts"
import { fishScript } from "./fish.ts"
import { zshScript } from "./zsh.ts"

const SCRIPTS: Readonly<Record<string, (commands: readonly CommandDeclaration[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** `daypass completion`. */
export const completionFor =
  (commands: readonly CommandDeclaration[]): Command =>
  async ({ positionals: [shell = ""] }, io) => {
    io.out(SCRIPTS[shell]?.(commands) ?? "")
    return EXIT.ok
  }
