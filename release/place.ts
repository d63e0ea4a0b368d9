import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

export const ROOT = fileURLToPath(new URL("..", import.meta.url))

const execute = promisify(execFile)

/** Runs a program in the checkout, and resolves to what it wrote. Rejects with what it says when it fails. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** What a release is made of. */
export interface Source {
  readonly version: string
  /** Unix seconds. The only time that is in a release: two runs would otherwise give other bytes. */
  readonly time: number
}

/** The version of this checkout, and the time of its commit; `SOURCE_DATE_EPOCH` (reproducible-builds.org) goes before it. */
export async function readSource(env: Readonly<Record<string, string | undefined>>): Promise<Source> {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))
  const given = env["SOURCE_DATE_EPOCH"]
  if (given !== undefined && !/^[0-9]{1,10}$/.test(given)) throw new Error("SOURCE_DATE_EPOCH must be in Unix seconds")
  return { version, time: Number(given ?? (await run("git", "log", "-1", "--format=%ct"))) }
}
