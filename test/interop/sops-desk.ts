import assert from "node:assert/strict"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand } from "./command.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const COMMAND_TIMEOUT_MS = 60_000

/** A reader's desk with the real sops and age on it, and an editor that writes whatever it is told. */
export function deskWith(programs: string, desk: string) {
  const [home, folder, tools] = ["home", "desk", "tools"].map((name) => join(desk, name)) as [string, string, string]
  for (const each of [home, folder, tools]) mkdirSync(each, { recursive: true })
  const script = (name: string, text: string) => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(tools, name), 0o755)
    return join(tools, name)
  }
  const typed = join(tools, "typed")
  script("daypass", `exec '${process.execPath}' '${join(ROOT, "cli/bin.js")}' "$@"`)
  const env = {
    PATH: [tools, programs, process.env["PATH"] ?? ""].join(delimiter),
    HOME: home,
    LANG: "C.UTF-8",
    EDITOR: script("editor", `exec cp '${typed}' "$1"`),
    SOPS_DISABLE_VERSION_CHECK: "1",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "reader",
    GIT_AUTHOR_EMAIL: "reader@example.com",
    GIT_COMMITTER_NAME: "reader",
    GIT_COMMITTER_EMAIL: "reader@example.com",
  }
  return {
    folder,
    home,
    write(path: string, text: string): void {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    },
    /** What goes into the file that the editor is opened with next. */
    type: (text: string) => writeFileSync(typed, text),
    /** Runs commands that must succeed; resolves to what they print on both streams. */
    async run(commands: string, settings: Readonly<Record<string, string>> = {}): Promise<string> {
      const options = { cwd: folder, env: { ...env, ...settings }, timeoutMs: COMMAND_TIMEOUT_MS }
      const { exitCode, output } = await runCommand("sh", ["-euc", `exec 2>&1\n${commands}`], options)
      assert.equal(exitCode, 0, `${commands}\n${output}`)
      return output
    },
  }
}

export type Desk = ReturnType<typeof deskWith>
