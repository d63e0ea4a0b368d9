import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand } from "./command.ts"

const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url))
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/daypass-interop/", import.meta.url))
const INSTALL_TIMEOUT_MS = 300_000

/**
 * Installs the foreign tools that requirements.txt pins into a Python environment of this checkout's own, once a
 * version of that file. Resolves to the folder of their programs.
 * @throws when they cannot be had: a run without them would prove nothing.
 */
export async function installTools(): Promise<string> {
  const version = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 16)
  const environment = join(CACHE, version)
  const programs = join(environment, "bin")
  const finished = join(environment, "installed")
  if (existsSync(finished)) return programs
  rmSync(CACHE, { recursive: true, force: true })
  mkdirSync(CACHE, { recursive: true })
  await mustRun("python3", ["-m", "venv", environment])
  await mustRun(join(programs, "python"), ["-m", "pip", "install", "--quiet", "--no-input", "-r", REQUIREMENTS])
  writeFileSync(finished, "")
  return programs
}

/**
 * Sees to it that Debian's `age` and `age-keygen` are there, and installs them when they are not: as root, or by sudo.
 * @throws when they cannot be had
 */
export async function installAge(): Promise<void> {
  const { exitCode } = await runCommand("age-keygen", ["--version"], { timeoutMs: 10_000 }).catch(() => ({
    exitCode: null,
  }))
  if (exitCode === 0) return
  const [program, ...before] = process.getuid?.() === 0 ? ["apt-get"] : ["sudo", "-n", "apt-get"]
  const apt = (...args: string[]) => mustRun(program ?? "", [...before, ...args])
  await apt("update", "-qq")
  await apt("install", "-qq", "--yes", "--no-install-recommends", "age")
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await runCommand(program, args, { timeoutMs: INSTALL_TIMEOUT_MS })
  if (exitCode !== 0) throw new Error(`${program} ${args.slice(0, 3).join(" ")} ended with ${exitCode}:\n${output}`)
}
