import type { CommandDeclaration } from "./declaration.ts"
import { AS_OPERATOR_WORDS, OPERATOR_OPTIONS, POLICY_FOLDER } from "./shared.ts"

// Commands that look for secrets where they must not be.

const scan: CommandDeclaration = {
  name: "scan",
  summary: "find secrets in files, commits and logs, and say what takes their place",
  about: `Looks for secrets, and says for each what takes its place: a role, a grant, or the command that puts a new value into a
store. Prints places and names, and never a value.

Without --staged, --history, --report, --issued or --run, it searches the paths: files and folders, tar and ZIP archives and saved
images. In a repository, what git ignores is left out, but for a file that is named.

With --issued it looks for the values that the Daypass steps of this job have issued: in files of the workspace that changed since, in
files of tools, in summaries, and inside the paths. It runs in a later step of the same job, which needs the permission id-token: write.

With --run it looks for the values that the broker gave to a finished run of GitHub Actions, in the logs of the run. The broker is asked
for hashes, with the right audit.read, and GitHub for the logs, with the token in $GITHUB_TOKEN or $GH_TOKEN (actions: read).
${AS_OPERATOR_WORDS}`,
  takes: [
    {
      name: "PATH",
      words: "where to look; by default the current directory. With --issued: more places to look at",
      optional: true,
      repeated: true,
    },
  ],
  options: {
    staged: { words: "searches what the next commit would bring; for a hook before the commit" },
    history: { words: "searches all that branches, tags and stashes of this repository have ever had" },
    report: {
      value: "FILE",
      words:
        "takes what gitleaks (JSON), trufflehog (JSON lines) or another scanner (SARIF 2.1.0) found; - for standard input",
    },
    issued: { words: "looks for issued values" },
    run: { value: "ID", words: "looks for the values of this run in its logs" },
    repository: { value: "OWNER/REPO", words: "with --run: whose run it is; by default $GITHUB_REPOSITORY" },
    revoke: { words: "with --run: ends the leases whose values are in the logs; needs the right leases.revoke" },
    "delete-log": { words: "with --run: deletes the logs of the run if a value is in them; needs actions: write" },
    policies: { value: "DIR", words: "whose connections say which stores there are", preset: POLICY_FOLDER },
    strict: { words: "fails also if something could not be searched to its end" },
    format: {
      value: "NAME",
      words: "how the result is printed; sarif is for code scanning, github annotates the lines of a pull request",
      choices: ["text", "json", "sarif", "github"],
      preset: "text",
    },
    json: { words: "the same as --format json" },
    ...OPERATOR_OPTIONS,
  },
  forms: [
    "[PATH...] [options]",
    "--staged | --history | --report FILE [options]",
    "--issued [PATH...] [--strict] [--json]",
    "--run ID --repository OWNER/REPO --broker URL [options]",
  ],
  exits: {
    0: "nothing found",
    1: "something was found",
    2: "the arguments are wrong, or the search is not possible: nothing was searched",
  },
  examples: ["daypass scan --staged", "daypass scan --history --format sarif", "daypass scan --issued dist image.tar"],
  page: "scan.md",
  load: async () => (await import("../scan/scan.ts")).run,
}

export const SECRET_COMMANDS: readonly CommandDeclaration[] = [scan]
