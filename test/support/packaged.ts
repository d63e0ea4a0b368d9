import { execFile, spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const OFFLINE = ["--no-save", "--omit=dev", "--ignore-scripts", "--offline", "--no-audit", "--no-fund"]
const run = promisify(execFile)

/** Packs this checkout as npm publishes it and installs the tarball in a folder. Resolves to its command, a JavaScript file. */
export async function installPackage(folder: string): Promise<string> {
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT })
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))
  if (tarball === undefined) throw new Error("npm pack made no tarball")
  await run("npm", ["install", ...OFFLINE, `./${tarball}`], { cwd: folder })
  return join(folder, "node_modules/daypass/cli/bin.js")
}

export interface PackagedRun {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface PackagedOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** What it reads from standard input. */
  readonly input?: string
}

/** Runs Node with these arguments to its end. */
export function runNode(node: string, args: readonly string[], options: PackagedOptions): Promise<PackagedRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd: options.cwd, env: options.env, stdio: "pipe", timeout: 300_000 })
    const [out, err]: [string[], string[]] = [[], []]
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text))
    // A command that reads no input may have ended before it is written.
    child.stdin.on("error", () => {}).end(options.input ?? "")
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, out: out.join(""), err: err.join("") }))
  })
}
