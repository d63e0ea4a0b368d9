import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type CommandOptions, runCommand } from "./command.ts"

const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url))
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/daypass-interop/", import.meta.url))
/** It only ends what hangs. */
const INSTALL_TIMEOUT_MS = 900_000

/**
 * Installs the foreign tools that requirements.txt pins, each with its hashes, into a Python environment of this checkout's
 * own, once a version of that file. Resolves to the folder of their programs.
 * @throws when they cannot be had: a run without them would prove nothing.
 */
export async function installTools(): Promise<string> {
  const { environment, programs, finished } = places()
  if (existsSync(finished)) return programs
  rmSync(CACHE, { recursive: true, force: true })
  mkdirSync(CACHE, { recursive: true })
  await mustRun("python3", ["-m", "venv", environment])
  // Uncompiled: most of what moto brings along is never imported.
  const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--require-hashes", "-r", REQUIREMENTS]
  await mustRun(join(programs, "python"), pip)
  writeFileSync(finished, "")
  return programs
}

/** The folder of the installed tools' programs; null when this version of them is not installed. */
export function installedTools(): string | null {
  const { programs, finished } = places()
  return existsSync(finished) ? programs : null
}

function places() {
  const version = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 16)
  const environment = join(CACHE, version)
  return { environment, programs: join(environment, "bin"), finished: join(environment, "installed") }
}

/** Where Debian and Ubuntu keep the programs of each version of PostgreSQL. */
const POSTGRES = "/usr/lib/postgresql"

/**
 * The folder of PostgreSQL's programs, of the newest version there is; installed from the system's packages where there
 * is none.
 * @throws when it cannot be had
 */
export async function installPostgres(): Promise<string> {
  const found = postgresPrograms()
  if (found !== null) return found
  await installPackage("postgresql")
  const installed = postgresPrograms()
  if (installed === null) throw new Error(`there is no PostgreSQL below ${POSTGRES}: install postgresql`)
  return installed
}

function postgresPrograms(): string | null {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : []
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(POSTGRES, version, "bin"))
  return folders.find((folder) => existsSync(join(folder, "initdb"))) ?? null
}

/**
 * Sees to it that Debian's `pgbouncer` is there.
 * @throws when it cannot be had
 */
export const installPgBouncer = (): Promise<void> => installSystemTool("pgbouncer", "pgbouncer")

/**
 * Sees to it that Debian's `age` and `age-keygen` are there.
 * @throws when they cannot be had
 */
export async function installAge(): Promise<void> {
  const asked = await runCommand("age-keygen", ["--version"], { timeoutMs: 10_000 }).catch(() => ({ exitCode: null }))
  if (asked.exitCode !== 0) await installPackage("age")
}

/**
 * Sees to it that a program is there, from the system's packages where it is missing.
 * @throws when it cannot be had
 */
export async function installSystemTool(program: string, name: string): Promise<void> {
  const isThere = () => runCommand("sh", ["-c", `command -v ${program}`], { timeoutMs: 10_000 })
  if ((await isThere()).exitCode === 0) return
  await installPackage(name)
  if ((await isThere()).exitCode !== 0) throw new Error(`there is no ${program}: install ${name}`)
}

const PROMTOOL = fileURLToPath(new URL("../../node_modules/.cache/daypass-promtool/", import.meta.url))

/**
 * The `promtool` of the system's package of Prometheus, taken out of the package: installing it would start a server. Resolves to
 * the program.
 * @throws when it cannot be had
 */
export async function installPromtool(): Promise<string> {
  const program = join(PROMTOOL, "usr/bin/promtool")
  if (existsSync(program)) return program
  rmSync(PROMTOOL, { recursive: true, force: true })
  mkdirSync(PROMTOOL, { recursive: true })
  try {
    const [apt = "", ...before] = process.getuid?.() === 0 ? ["apt-get"] : ["sudo", "-n", "apt-get"]
    await mustRun(apt, [...before, "update", "-qq"])
    await mustRun("apt-get", ["download", "-qq", "prometheus"], { cwd: PROMTOOL })
    const [file = ""] = readdirSync(PROMTOOL).filter((name) => name.endsWith(".deb"))
    await mustRun("dpkg-deb", ["-x", join(PROMTOOL, file), join(PROMTOOL, "unpacked")])
    mkdirSync(join(PROMTOOL, "usr/bin"), { recursive: true })
    renameSync(join(PROMTOOL, "unpacked/usr/bin/promtool"), program)
  } catch (error) {
    throw new Error("there is no promtool, and apt-get could not download the package prometheus", { cause: error })
  }
  rmSync(join(PROMTOOL, "unpacked"), { recursive: true, force: true })
  return program
}

/** Installs a package of Debian or Ubuntu, as root or by sudo. */
async function installPackage(name: string): Promise<void> {
  const [program = "", ...before] = process.getuid?.() === 0 ? ["apt-get"] : ["sudo", "-n", "apt-get"]
  try {
    await mustRun(program, [...before, "update", "-qq"])
    await mustRun(program, [...before, "install", "-y", "-qq", "--no-install-recommends", name])
  } catch (error) {
    throw new Error(`${name} is not installed, and apt-get could not install it: install ${name}`, { cause: error })
  }
}

/** @throws when the program does not end with 0 */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: Pick<CommandOptions, "cwd" | "env"> = {},
): Promise<void> {
  const { exitCode, output } = await runCommand(program, args, { ...options, timeoutMs: INSTALL_TIMEOUT_MS })
  if (exitCode !== 0) throw new Error(`${program} ${args.slice(0, 3).join(" ")} ended with ${exitCode}:\n${output}`)
}
