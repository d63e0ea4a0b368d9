import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname, join, parse } from "node:path"
import { fileURLToPath } from "node:url"
import type { CliIo } from "../io.ts"

export interface WranglerRun {
  /** Null when it was ended by a signal. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * Runs wrangler with these arguments. `input` is its standard input, the one way for a secret: arguments are visible in the
 * list of processes. Rejects only when it cannot be started.
 */
export type Wrangler = (args: readonly string[], input?: string) => Promise<WranglerRun>

/**
 * The wrangler of the project in the current folder, otherwise the one installed with Daypass, otherwise the one that npx
 * finds. Never downloads one: wrangler gets a token that can change every Worker of the account.
 */
export function installedWrangler({ cwd, env }: Pick<CliIo, "cwd" | "env">): Wrangler {
  const places = [cwd, fileURLToPath(new URL(".", import.meta.url))]
  const script = places.flatMap(foldersAbove).map(scriptIn).find(existsSync)
  const [command, before] = script === undefined ? ["npx", ["--no-install", "wrangler"]] : [process.execPath, [script]]
  return (args, input) => runProcess(command, [...before, ...args], { cwd, env: { ...env, ...QUIET } }, input)
}

/** For output that a program reads: no questions, no colours, and the log level that prints values. */
const QUIET = {
  ...{ CI: "1", NO_COLOR: "1", FORCE_COLOR: "0", WRANGLER_LOG: "log", WRANGLER_SEND_METRICS: "false" },
  // Wrangler writes a log on the disk at any level: without this, with the bodies of its requests, which are secrets.
  WRANGLER_LOG_SANITIZE: "true",
}

const scriptIn = (folder: string) => join(folder, "node_modules/wrangler/bin/wrangler.js")

function foldersAbove(folder: string): string[] {
  return folder === parse(folder).root ? [folder] : [folder, ...foldersAbove(dirname(folder))]
}

function runProcess(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
  input = "",
): Promise<WranglerRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] })
    // A wrangler that ends before it has read is told by its exit code.
    child.stdin.on("error", () => {})
    child.stdin.end(input)
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => void out.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => void err.push(chunk))
    child.on("error", reject)
    child.on("close", (code) =>
      resolve({ code, out: Buffer.concat(out).toString("utf8"), err: Buffer.concat(err).toString("utf8") }),
    )
  })
}
