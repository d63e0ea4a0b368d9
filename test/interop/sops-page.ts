import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { deployment } from "../support/acme.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { runAction } from "../support/runner.ts"
import { freePort } from "../support/servers.ts"
import type { Check } from "./run.ts"
import type { Desk } from "./sops-desk.ts"

const PAGE = fileURLToPath(new URL("../../docs/move-a-secret.md", import.meta.url))

/** docs/move-a-secret.md, its commands as they stand there, with jobs in between that get the secret from a broker on Node. */
export async function thePage(desk: Desk, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const keysOf = () => readFileSync(join(desk.home, ".config/sops/age/keys.txt"), "utf8")
  let runs = 6000
  /** Starts a broker on what the desk has, with its issuer in place of GitHub's, and has a job ask it. */
  const jobGets = async (key: string, options: { readonly kek?: string; readonly port?: number } = {}) => {
    const organisation = readFileSync(join(desk.folder, "policies/daypass.yaml"), "utf8")
    await desk.run("rm -rf ../in-force && cp -r policies ../in-force")
    desk.write(
      "../in-force/daypass.yaml",
      organisation.replace("https://token.actions.githubusercontent.com", github.issuer),
    )
    const policies = join(desk.folder, "../in-force")
    const broker = await startNodeBroker({ policies, settings: { SOPS_AGE_KEY: key }, ...options })
    try {
      const job = github.job(deployment("refs/heads/main", `${runs++}`))
      const inputs = { broker: broker.url, grants: "shop-secrets" }
      const step = { inputs, idToken: { url: job.requestUrl, requestToken: job.requestToken } }
      return await runAction({ ...step, entry: "main" })
    } finally {
      await broker.stop()
    }
  }
  const gets = async (value: string, key = keysOf()) => {
    const main = await jobGets(key)
    assert.equal(main.exitCode, 0, main.log)
    assert.equal(main.env["STRIPE_KEY"], value)
    assert.ok(main.masks.includes(value))
  }

  await check("the page's steps up to the commit work as they stand there", async () => {
    await desk.run("git init --quiet")
    for (const step of ["2. Make the key", "3. Encrypt the secret", "4. Say who may have it"])
      await followPage(desk, step)
    const committed = await desk.run("git show HEAD:policies/secrets/shop/production.sops.yaml")
    assert.match(committed, /key: ENC\[AES256_GCM,/)
    assert.ok(!committed.includes("sk_live_example_of_a_key"))
  })
  await check("a job gets the secret, masked", () => gets("sk_live_example_of_a_key"))
  await check("so it does when the broker's key is sealed", async () => {
    const [kek, port] = [randomBytes(32).toString("base64"), await freePort()]
    const settings = { DAYPASS_KEK: kek, DAYPASS_URL: `http://127.0.0.1:${port}` }
    const sealed = await desk.run("npx daypass seal --for SOPS_AGE_KEY < ~/.config/sops/age/keys.txt", settings)
    const main = await jobGets(sealed.trim(), { kek, port })
    assert.equal(main.env["STRIPE_KEY"], "sk_live_example_of_a_key", main.log)
  })
  await check("a changed secret is what the next job gets", async () => {
    await followPage(desk, "Change a secret")
    await gets("sk_live_another_key")
  })
  await check("once the age key is replaced, the new one opens the file, and the old one does not", async () => {
    const before = keysOf()
    await followPage(desk, "Replace the age key")
    await gets("sk_live_another_key", `${before}${keysOf()}`)
    await gets("sk_live_another_key")
    const main = await jobGets(before)
    assert.equal(main.exitCode, 1)
    assert.match(main.log, /provider_denied[\s\S]*sops updatekeys/)
    assert.equal(main.env["STRIPE_KEY"], undefined)
  })
}

interface Block {
  readonly info: string
  readonly text: string
}

/** The blocks below a heading of docs/move-a-secret.md, up to the next heading. */
function blocksBelow(heading: string): readonly Block[] {
  const page = readFileSync(PAGE, "utf8")
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  assert.ok(section, `the page has no section ${heading}`)
  return [...section.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info = "", text = ""]) => ({ info, text }))
}

/**
 * Follows one section of the page: runs its `sh` blocks, types into the editor what stands below `sh editor`, writes files
 * that name themselves in their first line, and holds outputs against those shown. `sh network` is left out.
 */
async function followPage(desk: Desk, heading: string): Promise<void> {
  const blocks = blocksBelow(heading)
  let output: string | null = null
  for (const [index, { info, text }] of blocks.entries()) {
    const path = /^# (\S+\.yaml)\n/.exec(text)?.[1]
    if (info === "text") assert.match(output ?? "", shown(text))
    if (info === "sh editor") desk.type(blocks[index + 1]?.text ?? "")
    if (info === "sh" || info === "sh editor") output = await desk.run(text)
    else if (info.startsWith("yaml ") && path !== undefined) desk.write(path, text)
  }
}

/** An output as the page shows it, where `...` stands for anything. */
function shown(text: string): RegExp {
  const parts = text.split("...").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  return new RegExp(`^${parts.join("[\\s\\S]*?")}$`)
}
