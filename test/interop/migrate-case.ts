import assert from "node:assert/strict"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { ORGANISATION, PRODUCTION } from "../cli/migrate/policies.ts"
import { installActionlint } from "./actionlint/install.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"
import { installAge, installSystemTool } from "./tools.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const VALUES = {
  SLACK_WEBHOOK: "https://hooks.example.com/x#1",
  DB_PASSWORD: 'two\nlines "and" $quotes',
  EMPTY: "",
  TF_API_TOKEN: "ü",
}
const DOTENV = `SLACK_WEBHOOK='${VALUES.SLACK_WEBHOOK}'\nDB_PASSWORD='${VALUES.DB_PASSWORD}'\nEMPTY=\nTF_API_TOKEN=${VALUES.TF_API_TOKEN}\nDOCKERHUB_TOKEN=d\nALGOLIA_KEY=a\n`

/** What `migrate` writes, before programs by other people: sops opens and edits it, GitHub's checker takes the workflows. */
export async function migrateCase(programs: string, check: Check): Promise<void> {
  await installAge()
  await installSystemTool("git-crypt", "git-crypt")
  const actionlint = await installActionlint(programs)
  const folder = mkdtempSync(join(tmpdir(), "daypass-migrate-"))
  const env = {
    PATH: [programs, process.env["PATH"] ?? ""].join(delimiter),
    HOME: folder,
    SOPS_AGE_KEY_FILE: join(folder, "key.txt"),
    SOPS_DISABLE_VERSION_CHECK: "1",
    GIT_CONFIG_NOSYSTEM: "1",
    ...{
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@example.com",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@example.com",
    },
  }
  const run = async (program: string, args: readonly string[], cwd = folder) => {
    const { exitCode, output } = await runCommand(program, args, { cwd, env, timeoutMs: 60_000 })
    assert.equal(exitCode, 0, `${program} ${args.join(" ")}\n${output}`)
    return output
  }
  const daypass = (...args: string[]) => run(process.execPath, [join(ROOT, "cli/bin.js"), ...args])
  try {
    await run("age-keygen", ["-o", "key.txt"])
    const recipient = (await run("age-keygen", ["-y", "key.txt"])).trim()
    writeFileSync(join(folder, ".env"), DOTENV)
    const secrets = "policies/secrets/acme/shop/production.sops.yaml"

    await check("sops opens and edits what migrate import writes, and the broker's check takes it after", async () => {
      await daypass("migrate", "import", ".env", "--into", secrets, "--age", recipient)
      const opened = JSON.parse(await run("sops", ["decrypt", "--output-type", "json", secrets]))
      assert.deepEqual(opened, { ...VALUES, DOCKERHUB_TOKEN: "d", ALGOLIA_KEY: "a" })
      await run("sops", ["set", secrets, '["ADDED"]', '"later"'])
      assert.equal(await run("sops", ["decrypt", "--extract", '["ADDED"]', secrets]), "later")
    })

    await check("migrate import reads an unlocked checkout of git-crypt, and refuses a locked one", async () => {
      const checkout = join(folder, "crypted")
      mkdirSync(checkout)
      await run("git", ["init", "-q"], checkout)
      await run("git-crypt", ["init"], checkout)
      writeFileSync(join(checkout, ".gitattributes"), "*.env filter=git-crypt diff=git-crypt\n")
      writeFileSync(join(checkout, "prod.env"), "KEY=value\n")
      await run("git", ["add", "."], checkout)
      await run("git", ["commit", "-q", "-m", "x"], checkout)
      await daypass("migrate", "import", checkout, "--into", "git-crypt.sops.yaml", "--age", recipient)
      assert.equal(await run("sops", ["decrypt", "--output-type", "dotenv", "git-crypt.sops.yaml"]), "KEY=value\n")
      await run("git-crypt", ["lock"], checkout)
      await assert.rejects(
        daypass("migrate", "import", checkout, "--into", "no.sops.yaml", "--age", recipient),
        /is locked by git-crypt/,
      )
    })

    await check("actionlint accepts every workflow that migrate apply has changed", async () => {
      cpSync(join(ROOT, "test/fixtures/migrate/shop"), join(folder, "shop"), { recursive: true })
      mkdirSync(join(folder, "shop/.git"))
      writeFileSync(join(folder, "policies/daypass.yaml"), ORGANISATION)
      mkdirSync(join(folder, "policies/acme/shop"), { recursive: true })
      writeFileSync(join(folder, "policies/acme/shop/production.yaml"), PRODUCTION)
      const ids = ["--repository-id", "41", "--branch", "main"]
      const step = ["--broker", "https://daypass.example.com", "--action", "1".repeat(40)]
      await daypass("migrate", "apply", "acme/shop", "--environment", "production", ...step, ...ids, "--local", "shop")
      await daypass("check", "policies")
      const workflows = readdirSync(join(folder, "shop/.github/workflows"))
      const changed = workflows.filter((name) =>
        readFileSync(join(folder, "shop/.github/workflows", name), "utf8").includes("daypass/daypass@"),
      )
      assert.ok(changed.length >= 6, changed.join())
      const paths = changed.map((name) => join(".github/workflows", name))
      await run(actionlint, ["-no-color", "-shellcheck=", "-pyflakes=", ...paths], join(folder, "shop"))
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
