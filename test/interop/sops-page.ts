import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { deployment } from "../support/acme.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { runAction } from "../support/runner.ts"
import { freePort } from "../support/servers.ts"
import { blocksBelow, followPage } from "./follow-page.ts"
import type { Check } from "./run.ts"
import type { Desk } from "./sops-desk.ts"

const PAGE = "move-a-secret.md"

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

  /** What a service has as the key, after the page's commands for Node ran on a folder of the desk's instead of the system's. */
  const given = async () => {
    const [block] = blocksBelow(PAGE, "## 3. Give the broker the key").filter(({ text }) => text.includes("sudo sed"))
    assert.ok(block, "the page has commands for a broker on Node")
    const commands = block.text
      .replace(/^sudo systemctl.*\n/m, "")
      .replaceAll("sudo ", "")
      .replaceAll("/etc/daypass", "etc")
    await desk.run(`mkdir -p etc\n${commands}`)
    return await desk.run('. ./etc/secrets; printf %s "$SOPS_AGE_KEY"')
  }

  await check("the page's steps up to the commit work as they stand there", async () => {
    await desk.run("git init --quiet")
    for (const step of ["2. Make the key", "4. Encrypt the secret", "5. Say who may have it"])
      await followPage(desk, PAGE, `## ${step}`)
    const committed = await desk.run("git show HEAD:policies/secrets/shop/production.sops.yaml")
    assert.match(committed, /key: ENC\[AES256_GCM,/)
    assert.ok(!committed.includes("sk_live_example_of_a_key"))
  })
  await check(
    "the commands for a broker on Node give it the key, whatever else is in its file, and can be run again",
    async () => {
      assert.match(await given(), /^AGE-SECRET-KEY-1\w+$/)
      desk.write("etc/secrets", "OTHER=kept")
      const first = await given()
      assert.equal(await given(), first)
      const file = readFileSync(join(desk.folder, "etc/secrets"), "utf8")
      assert.deepEqual(file.match(/^\w+=/gm), ["OTHER=", "SOPS_AGE_KEY="])
      assert.ok(file.startsWith("OTHER=kept\n"))
      await gets("sk_live_example_of_a_key", first)
    },
  )
  await check("a job gets the secret, masked", () => gets("sk_live_example_of_a_key"))
  await check("so it does when the broker's key is sealed", async () => {
    const [kek, port] = [randomBytes(32).toString("base64"), await freePort()]
    const settings = { DAYPASS_KEK: kek, DAYPASS_URL: `http://127.0.0.1:${port}` }
    const sealed = await desk.run("daypass seal --for SOPS_AGE_KEY < ~/.config/sops/age/keys.txt", settings)
    const main = await jobGets(sealed.trim(), { kek, port })
    assert.equal(main.env["STRIPE_KEY"], "sk_live_example_of_a_key", main.log)
  })
  await check("a changed secret is what the next job gets", async () => {
    await followPage(desk, PAGE, "## Change a secret")
    await gets("sk_live_another_key")
  })
  await check("once the age key is replaced, the new one opens the file, and the old one does not", async () => {
    const before = keysOf()
    await followPage(desk, PAGE, "## Replace the age key")
    await gets("sk_live_another_key", `${before}${keysOf()}`)
    await gets("sk_live_another_key", await given())
    await gets("sk_live_another_key")
    const main = await jobGets(before)
    assert.equal(main.exitCode, 1)
    assert.match(main.log, /provider_denied[\s\S]*sops updatekeys/)
    assert.equal(main.env["STRIPE_KEY"], undefined)
  })
}
