import assert from "node:assert/strict"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"
import { installActionlint } from "./actionlint/install.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
/** Where workflows stand that belong to one repository, and may call each other. */
const REPOSITORIES = [
  { root: ".", workflows: ".github/workflows" },
  { root: "examples/control-repository", workflows: ".github/workflows" },
  { root: ".", workflows: "examples/workflows" },
]

/** The workflows as GitHub's parser and its expressions see them, and action.yml as the Marketplace and a caller do. */
export async function actionlintCase(programs: string, check: Check): Promise<void> {
  const program = await installActionlint(programs)
  /** Copies go to an empty folder: a linter looks for the repository around a file. Its own hunt for shellcheck is off. */
  const lint = async (from: string, workflows: string, add: (folder: string) => void = () => {}) => {
    const folder = mkdtempSync(join(tmpdir(), "daypass-actionlint-"))
    try {
      mkdirSync(join(folder, ".git"))
      mkdirSync(join(folder, ".github/workflows"), { recursive: true })
      cpSync(join(from, workflows), join(folder, ".github/workflows"), { recursive: true })
      rmSync(join(folder, ".github/workflows/policies"), { recursive: true, force: true })
      add(folder)
      const files = readdirSync(join(folder, ".github/workflows")).filter((name) => name.endsWith(".yml"))
      assert.ok(files.length > 0, `no workflows in ${from}`)
      const paths = files.map((name) => join(".github/workflows", name))
      return await runCommand(program, ["-no-color", "-shellcheck=", "-pyflakes=", ...paths], {
        cwd: folder,
        timeoutMs: 60_000,
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  for (const { root, workflows } of REPOSITORIES) {
    await check(`actionlint finds nothing in ${join(root, workflows)}`, async () => {
      const { exitCode, output } = await lint(join(ROOT, root), workflows)
      assert.equal(exitCode, 0, output)
    })
  }

  /** A step that uses this checkout's action with the given inputs, in a repository of its own. */
  const lintStep = (inputs: readonly string[]) =>
    lint(ROOT, ".github/workflows", (folder) => {
      cpSync(join(ROOT, "action.yml"), join(folder, "daypass/action.yml"))
      cpSync(join(ROOT, "action/dist"), join(folder, "daypass/action/dist"), { recursive: true })
      const step = { uses: "./daypass", with: Object.fromEntries(inputs.map((name) => [name, "x"])) }
      const workflow = { on: "push", jobs: { job: { "runs-on": "ubuntu-24.04", steps: [step] } } }
      writeFileSync(join(folder, ".github/workflows/caller.yml"), JSON.stringify(workflow))
    })
  const { inputs } = parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as { inputs: Record<string, unknown> }

  await check("actionlint takes action.yml, its branding, and a step with every input", async () => {
    const { exitCode, output } = await lintStep(Object.keys(inputs))
    assert.equal(exitCode, 0, output)
  })

  await check(
    "actionlint refuses a step with an input that action.yml does not have, and one without a required one",
    async () => {
      const { exitCode, output } = await lintStep(["broker", "grant"])
      assert.notEqual(exitCode, 0)
      assert.match(output, /input "grant" is not defined/)
      assert.match(output, /missing input "grants"/)
    },
  )
}
