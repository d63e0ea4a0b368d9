import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { COMMANDS } from "../../cli/commands/index.ts"
import { folderOf, runCli } from "./run-cli.ts"

describe("daypass completion bash, in bash", () => {
  it.each([
    ["the commands", ["daypass", "ch"], ["check"]],
    ["the second words of a group", ["daypass", "audit", ""], ["verify", "search", "report", "checkpoint", "export"]],
    ["options", ["daypass", "check", "--s"], ["--strict"]],
    ["options of a command in a group", ["daypass", "audit", "verify", "--e"], ["--earlier"]],
    ["the values of an option", ["daypass", "check", "--format", ""], ["text", "json", "github"]],
    ["the same behind an equals sign", ["daypass", "check", "--format", "=", "g"], ["github"]],
    ["other values of the same option elsewhere", ["daypass", "audit", "export", "--format", "o"], ["ocsf", "otlp"]],
    ["the sources of tokens", ["daypass", "exec", "--source", "git"], ["github", "gitlab"]],
    ["folders for a folder", ["daypass", "test", "po"], ["policies here"]],
    ["files for a file", ["daypass", "audit", "verify", "--earlier", "rec"], ["record one.jsonl"]],
    ["folders behind a switch", ["daypass", "check", "--strict", "po"], ["policies here"]],
    ["nothing where only the user knows", ["daypass", "who-can", "--unit", ""], []],
    ["the first argument", ["daypass", "stop", "li"], ["list"]],
    ["nothing that was not asked for", ["daypass", "nosuch", ""], []],
    ["the user's own command behind --", ["daypass", "exec", "--grants", "a", "--", "record"], ["record one.jsonl"]],
  ])("completes %s", async (_, words, expected) => {
    expect(await inBash(words)).toEqual(expected)
  })

  /** What bash gets when the tab key is pressed behind the last of these words. */
  async function inBash(words: readonly string[]): Promise<readonly string[]> {
    const folder = folderOf({ "policies here/daypass.yaml": "", "record one.jsonl": "" })
    const { out, code } = await runCli("completion", "bash")
    expect(code).toBe(0)
    writeFileSync(join(folder, ".script"), out)
    const ask = `source ./.script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _daypass; printf '%s\\n' "\${COMPREPLY[@]}"`
    const said = execFileSync("bash", ["--norc", "-c", ask, "bash", ...words], { cwd: folder, encoding: "utf8" })
    return said.split("\n").filter((line) => line !== "")
  }
})

describe("daypass completion", () => {
  it.each(["bash", "zsh", "fish"])("names every command and every option for %s", async (shell) => {
    const { out } = await runCli("completion", shell)
    for (const { name, options = {} } of COMMANDS) {
      expect(out).toContain(name)
      for (const option of Object.keys(options)) expect(out).toMatch(new RegExp(`(?:--|-l )${option}\\b`))
    }
  })

  it("has no script for another shell", async () => {
    expect(await runCli("completion", "csh")).toMatchObject({ code: 2, out: "" })
  })
})
