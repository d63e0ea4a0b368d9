import type { CommandDeclaration } from "./declaration.ts"
import { JSON_OPTION } from "./shared.ts"

// Commands that look for secrets where they must not be.

const scan: CommandDeclaration = {
  name: "scan",
  summary: "look for values that this job's Daypass steps issued and the job left behind",
  about: `Looks for the values that the Daypass steps of this job have issued, where jobs leave them by mistake: in files of the
workspace that changed since, in files of tools, in summaries, and inside the paths. Runs in a later step of the same job, which
needs the permission id-token: write. Prints places and names, never values. Sends no request.`,
  takes: [
    {
      name: "PATH",
      words: "more places to look at: files, folders, tar archives and saved images",
      optional: true,
      repeated: true,
    },
  ],
  options: {
    issued: { words: "look for issued values. Required" },
    strict: { words: "fails also if something could not be read to its end" },
    ...JSON_OPTION,
  },
  forms: ["--issued [PATH...] [options]"],
  exits: {
    0: "nothing found",
    1: "a value was found",
    2: "there is no record of issued values here, or one was changed: nothing was searched",
  },
  examples: ["daypass scan --issued dist image.tar"],
  page: "leak-sweep.md",
  load: async () => (await import("../scan.ts")).run,
}

export const SECRET_COMMANDS: readonly CommandDeclaration[] = [scan]
