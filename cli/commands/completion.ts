import type { Command } from "../io.ts"
import type { CommandDeclaration } from "./declaration.ts"

const SHELLS = ["bash", "zsh", "fish"] as const

/** The commands are handed in when it runs: they include this one. */
export const completionOf = (commands: () => readonly CommandDeclaration[]): CommandDeclaration => ({
  name: "completion",
  summary: "print a script that completes commands, options and their values in your shell",
  about: `Prints a script for your shell. It completes the names of commands and options, the values of options that take one of a few,
and the names of files and folders. It starts no program.`,
  takes: [{ name: "SHELL", words: "the shell", choices: SHELLS }],
  exits: { 0: "printed", 2: "there is no script for this shell" },
  examples: [
    "daypass completion bash > ~/.local/share/bash-completion/completions/daypass",
    'daypass completion zsh > "$' + '{fpath[1]}/_daypass"',
    "daypass completion fish > ~/.config/fish/completions/daypass.fish",
  ],
  load: async (): Promise<Command> => (await import("../completion/completion.ts")).completionFor(commands()),
})
