// An operator's desk: a folder, and a shell that runs the commands of a page there, with the built command line.
import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { builtCli } from "./built-cli.ts"
import { COMPILE_CACHE } from "./compile-cache.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** What a shell printed on both streams, and how it ended. */
export interface Said {
  readonly said: string
  readonly code: number | null
}

export interface Desk {
  /** The current folder of every command. */
  readonly folder: string
  /** Runs commands with these variables, and nothing else of this process but its programs. */
  shell(commands: string, env: Readonly<Record<string, string>>, input?: string): Promise<Said>
  close(): void
}

export async function openDesk(): Promise<Desk> {
  const command = await builtCli()
  const folder = mkdtempSync(join(tmpdir(), "daypass-desk-"))
  const tools = join(folder, "tools")
  mkdirSync(tools)
  const daypass = join(tools, "daypass")
  writeFileSync(daypass, `#!/bin/sh\nexec '${process.execPath}' '${command}' "$@"\n`)
  chmodSync(daypass, 0o755)
  return {
    folder,
    async shell(commands, env, input = "") {
      const PATH = [tools, process.env["PATH"] ?? ""].join(delimiter)
      const child = spawn("sh", ["-c", commands], {
        cwd: folder,
        env: { PATH, HOME: folder, ...COMPILE_CACHE, ...env },
        stdio: "pipe",
        timeout: 300_000,
      })
      // A command that reads nothing can be over before.
      child.stdin.on("error", () => {}).end(input)
      let said = ""
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text))
      const code = await new Promise<number | null>((resolve) => child.once("close", resolve))
      // GitHub's runner takes the masks out of what it shows.
      return { said: said.replaceAll(/^::add-mask::.*\n/gm, ""), code }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Commands of a page, and what stands below them as their output; null when the page shows none. */
export interface PageStep {
  readonly commands: string
  readonly shown: string | null
}

/** The commands of a section of a page, in order. Blocks marked `sh network` are left out. */
export const stepsOf = (page: string, heading: string): readonly PageStep[] =>
  [...sectionOf(page, heading).matchAll(/^```sh\n([\s\S]*?)^```$(?:\s*^```text\n([\s\S]*?)^```$)?/gm)].map(
    ([, commands = "", shown]) => ({ commands: commands.trim(), shown: shown ?? null }),
  )

/** The first block of YAML of a section of a page. */
export const yamlOf = (page: string, heading: string): string =>
  /^```yaml\n([\s\S]*?)^```$/m.exec(sectionOf(page, heading))?.[1] ?? ""

function sectionOf(page: string, heading: string): string {
  const text = readFileSync(join(ROOT, page), "utf8")
  return text.slice(text.indexOf(`\n## ${heading}\n`) + 1).split(/^## .*\n/m)[1] ?? ""
}
