import type { CommandDeclaration } from "./declaration.ts"
import { CLIENT_OPTIONS } from "./shared.ts"

// Commands that get credentials for a job or a person.

const exec: CommandDeclaration = {
  name: "exec",
  summary: "run a command with short-lived credentials, in any CI",
  about: `Exchanges the job's ID token for credentials, runs one command with them, and revokes them when it ends. Finds the token by
itself in the CIs that it knows. Outside of CI, a person's login counts: run "daypass login" first.

With --local, no broker is asked: the policies in DIR decide here what you get with your age key.`,
  options: {
    ...CLIENT_OPTIONS,
    files: { words: "values go to files; variables hold paths and public values only" },
    "azure-cli": {
      words: "logs az in before the command; needs a grant of Azure that hands over the broker's token",
    },
    "pass-id-token": { words: "leaves the variables with which the CI gives ID tokens to the command" },
    unmasked: {
      words:
        "the command gets this process's own streams, for a terminal or for binary output; values in its output are not replaced",
    },
  },
  forms: [
    "--broker URL --grants NAMES [options] -- COMMAND [ARGUMENT...]",
    "--local --grants NAMES [options] -- COMMAND [ARGUMENT...]",
  ],
  runs: true,
  excess: "write -- before the command",
  exits: {
    2: "the arguments are wrong",
    125: "Daypass failed, and the command did not run",
    127: "there is no such command. Otherwise the exit code is the command's own; after a signal, 128 and its number",
  },
  examples: ["daypass exec --broker https://daypass.example.com --grants aws-deploy -- ./deploy.sh"],
  page: "exec.md",
  load: async () => (await import("../exec/exec.ts")).run,
}

const token: CommandDeclaration = {
  name: "token",
  summary: "print a credential that is one token, or keep it fresh in a file",
  about: `Exchanges the job's ID token for one grant and prints its secret, or writes it to a file that only this user can read. The
lease is not revoked: the secret ends when its time is over. With --refresh, the command keeps the file fresh until it gets SIGTERM
or SIGINT, and then revokes and removes it.`,
  options: {
    ...CLIENT_OPTIONS,
    value: { value: "NAME", words: "which value of the grant, when it has several secrets" },
    out: { value: "FILE", words: "writes the secret to this file, without a line end, and prints nothing" },
    refresh: { words: "replaces the file before the secret ends, again and again; needs --out" },
  },
  forms: ["--broker URL --grants NAME [options]", "--local --grants NAME [options]"],
  exits: { 0: "the secret was given", 1: "it was not", 2: "the arguments are wrong" },
  examples: ["STRIPE_KEY=$(daypass token --broker https://daypass.example.com --grants stripe-key --ttl 15m)"],
  page: "exec.md",
  load: async () => (await import("../token.ts")).run,
}

export const JOB_COMMANDS: readonly CommandDeclaration[] = [exec, token]
