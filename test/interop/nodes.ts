import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand } from "./command.ts"

/** The oldest Node that the package promises to run on, and the newest of the line between it and this checkout's own. */
export const OTHER_NODES = ["20.0.0", "22.23.3"] as const

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/daypass-nodes/", import.meta.url))
const INSTALL_TIMEOUT_MS = 300_000

/**
 * Installs these versions of Node from npm, once each, and resolves to their programs.
 * @throws when one cannot be had, or is another than it should be: a run without it would prove nothing.
 */
export async function installNodes(): Promise<ReadonlyMap<string, string>> {
  const programs = new Map<string, string>()
  for (const version of OTHER_NODES) programs.set(version, await installNode(version))
  return programs
}

async function installNode(version: string): Promise<string> {
  // What the package "node" installs by its script: one package a platform, the program alone.
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(CACHE, `${name}-${version}`)
  const program = join(folder, "node_modules", name, "bin/node")
  const finished = join(folder, "installed")
  if (!existsSync(finished)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }))
    const args = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${version}`]
    const { exitCode, output } = await runCommand("npm", args, { cwd: folder, timeoutMs: INSTALL_TIMEOUT_MS })
    if (exitCode !== 0)
      throw new Error(`npm could not install ${name}@${version}, and ended with ${exitCode}:\n${output}`)
    writeFileSync(finished, "")
  }
  const { output } = await runCommand(program, ["--version"], { timeoutMs: 10_000 })
  if (output.trim() !== `v${version}`) throw new Error(`${program} is not Node ${version}: it says ${output}`)
  return program
}
