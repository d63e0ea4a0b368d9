import assert from "node:assert/strict"
import { mkdirSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { openDesk, stepsOf, yamlOf } from "../support/page-desk.ts"
import { LITERALS } from "../support/secret-looking.ts"
import { installNodeClients } from "./clients/install.ts"
import type { Check } from "./run.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const PAGE = "docs/scan.md"
const [, SECRET = ""] = LITERALS[0] ?? []

/** A commit with a secret is refused by the real managers of hooks, set up as docs/scan.md says; a clean one is not. */
export async function hooksCase(programs: string, check: Check): Promise<void> {
  const clients = join(await installNodeClients(), "node_modules/.bin")
  await check("pre-commit runs the hook of this repository", () =>
    commits(programs, async (write, run, folder) => {
      // As a release would have it: the file of this checkout, under a tag.
      const hooks = join(folder, "hooks")
      await run(
        `mkdir '${hooks}' && cp '${join(ROOT, ".pre-commit-hooks.yaml")}' '${hooks}' && cd '${hooks}' && git init -q`,
      )
      await run(`cd '${hooks}' && git add -A && git commit -qm hooks && git tag vX.Y.Z`)
      write(".pre-commit-config.yaml", yamlOf(PAGE, "pre-commit").replace("https://github.com/daypass/daypass", hooks))
      await run("pre-commit install")
    }),
  )
  await check("husky does, by the line of the page", () =>
    commits(clients, async (_, run) => {
      await run("husky")
      for (const { commands } of stepsOf(PAGE, "husky")) await run(commands)
    }),
  )
  await check("lefthook does, by the lines of the page", () =>
    commits(clients, async (write, run) => {
      write("lefthook.yml", yamlOf(PAGE, "lefthook"))
      await run("lefthook install")
    }),
  )
}

type Run = (commands: string, code?: number) => Promise<string>

/** A repository of its own, which `prepare` sets up; `programs` are found first. */
async function commits(
  programs: string,
  prepare: (write: (path: string, text: string) => void, run: Run, folder: string) => Promise<void>,
): Promise<void> {
  const desk = await openDesk()
  try {
    const repository = join(desk.folder, "shop")
    mkdirSync(repository)
    const variables = {
      PATH: [join(desk.folder, "tools"), programs, process.env["PATH"] ?? ""].join(delimiter),
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "n",
      GIT_AUTHOR_EMAIL: "n@example.com",
      GIT_COMMITTER_NAME: "n",
      GIT_COMMITTER_EMAIL: "n@example.com",
    }
    const run: Run = async (commands, expected = 0) => {
      const { said, code } = await desk.shell(`cd '${repository}' && ${commands}`, variables)
      assert.equal(code, expected, said)
      return said
    }
    const write = (path: string, text: string) => writeFileSync(join(repository, path), text)
    await run("git init -q")
    await prepare(write, run, desk.folder)
    write("app.js", `const gitHubToken = "${SECRET}"\n`)
    const refused = await run("git add -A && git commit -m secret", 1)
    assert.match(refused, /app\.js:1:22: GitHub token \(gitHubToken\)/)
    assert.ok(!refused.includes(SECRET))
    // The index counts: this removes it from the working tree alone.
    write("app.js", "clean\n")
    await run("git commit -m secret", 1)
    await run("git add -A && git commit -qm clean")
  } finally {
    desk.close()
  }
}
