import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll } from "vitest"
import { COMMANDS } from "../../cli/commands/index.ts"
import type { CliIo, Command } from "../../cli/io.ts"
import { main, runCommand } from "../../cli/main.ts"
import { createFile } from "../../cli/node-io.ts"

export interface CliRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** What a test scripts of the world besides streams: anything else is touched by mistake, and fails. */
export type Script = Partial<Omit<CliIo, "out" | "err" | "input">> & { readonly input?: string | Uint8Array }

/** Files as they are, the rest as the script has it. Nobody is asked over the network unless a test says so. */
export function scriptedIo({ input, ...script }: Script = {}): Omit<CliIo, "out" | "err"> {
  return {
    async *input() {
      if (input === undefined) throw new Error("nobody scripted standard input")
      yield Buffer.from(input)
    },
    readFile: async (path) => readFileSync(path),
    createFile,
    appendFile: async (path, text) => appendFileSync(path, text),
    readInput: async (maxBytes) => {
      if (input === undefined) throw new Error("nobody scripted standard input")
      const bytes = Buffer.from(input)
      return bytes.length > maxBytes ? null : bytes
    },
    http: async ({ method, url }) => {
      throw new Error(`nobody expected ${method} ${url}`)
    },
    now: () => new Date("2026-11-22T12:00:00Z"),
    version: "1.2.3",
    cwd: process.cwd(),
    env: {},
    ...script,
  }
}

/** Runs the command line in this process. */
export const runCli = (...args: string[]): Promise<CliRun> => runScripted({}, ...args)

/** Runs the command line in this process, in a world of the test's. */
export async function runScripted(script: Script, ...args: string[]): Promise<CliRun> {
  const out: string[] = []
  const err: string[] = []
  const code = await main(args, "1.2.3", {
    ...scriptedIo(script),
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
  })
  return { code, out: out.join("\n"), err: err.join("\n") }
}

/** Runs a command whose work the test makes, in a world of its own. */
export function runWork(name: string, args: readonly string[], io: CliIo, work?: Command): Promise<number> {
  const declaration = COMMANDS.find((command) => command.name === name)
  if (declaration === undefined) throw new Error(`there is no command ${name}`)
  return runCommand(declaration, args, io, work)
}

const made: string[] = []
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A new folder with these files; it goes when the test file has run. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "daypass-cli-"))
  made.push(folder)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

export const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { octo-org: "123456" }
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
`

/** A policy for the repository that the sample tokens in test/vectors/claims are of. */
export const POLICY = `version: 1
repository: octo-org/octo-repo
repository_id: "456789"
environment: Production
allow:
  - name: deploy from main
    when: { ref: refs/heads/main, event_name: push }
    grants: [aws-deploy]
deny:
  - name: never on our own runners
    when: { runner_environment: { not: github-hosted } }
grants:
  aws-deploy:
    connection: aws-prod
    role: arn:aws:iam::111122223333:role/octo-deploy
    ttl: 1h
`
