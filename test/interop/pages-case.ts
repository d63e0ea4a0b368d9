import assert from "node:assert/strict"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { send } from "../flow/world.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { openDesk, stepsOf } from "../support/page-desk.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"
import { installSystemTool } from "./tools.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const SHOP = { repository: "acme/shop", repository_id: "41", repository_owner_id: "9001", ref: "refs/heads/main" }
const POLICY = `version: 1
repository: acme/shop
repository_id: "41"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [oidc] }
grants:
  oidc: { connection: oidc, audience: "https://vault.example.com" }
`
const DEMO_TIMEOUT_MS = 180_000

/** Pages that operators follow on a machine of their own, word for word but for the folders, and the demo of the README. */
export async function pagesCase(_: string, check: Check): Promise<void> {
  await installSystemTool("sqlite3", "sqlite3")
  await using ends = new AsyncDisposableStack()
  const desk = ends.adopt(await openDesk(), (it) => it.close())
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const [policies, data, backup] = ["policies", "data", "backup"].map((name) => join(desk.folder, name)) as [
    string,
    string,
    string,
  ]
  for (const folder of [policies, backup]) mkdirSync(folder)
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  oidc: { provider: identity-token, audiences: ["https://vault.example.com"] }
`,
  )
  writeFileSync(join(policies, "shop.yaml"), POLICY)
  const pageSteps = stepsOf("docs/run-on-node.md", "Policies").map(({ commands }) => commands)
  const swap = pageSteps.find((commands) => commands.includes("mv -T")) ?? assert.fail("no such commands")
  mkdirSync(join(desk.folder, "releases"))
  /** The page's commands, for a folder of this machine. */
  const swapTo = async (release: string) => {
    const commands = swap.replaceAll("/srv/daypass", desk.folder).replaceAll("releases/42", `releases/${release}`)
    const { said, code } = await desk.shell(commands, {})
    assert.equal(code, 0, said)
  }
  await swapTo("42")
  const current = join(desk.folder, "current")
  let broker: NodeBroker = await startNodeBroker({ policies: current, data })
  ends.defer(async () => void (await broker.stop()))
  let runs = 0
  const mint = () => github.mint({ ...SHOP, run_id: `${++runs}` }, { audience: broker.url })
  const exchange = (token: string) => send(broker, "/v1/exchange", { token, body: { grants: ["oidc"] } })
  const version = async () => ((await send(broker, "/healthz")).json["policies"] as { version: string }).version
  /** The page's commands, with this machine's folders. systemd's part is the test's own. */
  const here = (commands: string) =>
    commands
      .replaceAll("/var/lib/daypass", data)
      .replaceAll("/backup", backup)
      .replace("-o daypass -g daypass ", "")
      .replace(/ledger-[\d-]+\.db/, readdirSync(backup)[0] ?? "")
      .replaceAll(/^systemctl .*$/gm, "")

  await check("docs/run-on-node.md: its command computes the version of the folder that is in force", async () => {
    const compute = pageSteps.find((commands) => commands.includes("sha256sum")) ?? assert.fail("no such command")
    const { said, code } = await desk.shell(`cd current\n${compute}`, {})
    assert.equal(code, 0, said)
    assert.equal(said.split(" ")[0], await version())
  })

  await check("docs/run-on-node.md: a folder that is swapped by a link is in force soon, as a whole", async () => {
    const before = await version()
    writeFileSync(join(policies, "shop.yaml"), POLICY.replace("from main", "from main alone"))
    await swapTo("43")
    for (let tries = 0; (await version()) === before; tries++) {
      assert.ok(tries < 100, "the broker did not read the new folder within 10 s")
      await sleep(100)
    }
  })

  await check("docs/operate-on-node.md: the record is exported beside a running broker, and verifies", async () => {
    assert.equal((await exchange(await mint())).status, 200)
    const [audit] = stepsOf("docs/operate-on-node.md", "Audit")
    const { said, code } = await desk.shell(here(audit?.commands ?? ""), {})
    assert.equal(code, 0, said)
    assert.match(said, /^unit "41" of "\S+": 1 record, head [0-9a-f]{64}$/m)
  })

  await check("docs/operate-on-node.md: a restored backup opens, and refuses tokens of before", async () => {
    const [save, restore] = stepsOf("docs/operate-on-node.md", "Back it up").map(({ commands }) => commands)
    const saved = await desk.shell(here(save ?? ""), {})
    assert.equal(saved.code, 0, saved.said)
    const [used, unused] = [await mint(), await mint()]
    assert.equal((await exchange(used)).status, 200)
    const { port } = broker
    await broker.stop()
    const restored = await desk.shell(here(restore ?? ""), {})
    assert.equal(restored.code, 0, restored.said)
    broker = await startNodeBroker({ policies: current, data, port })
    for (const token of [used, unused]) assert.equal((await exchange(token)).json["code"], "token_too_old")
    assert.match(broker.stdout(), /"event":"ledger\.rolled_back"/)
  })

  await check("docs/publish-policies.md: its key signs a push to the KV of wrangler on this machine", async () => {
    const page = readFileSync(join(ROOT, "docs/publish-policies.md"), "utf8")
    const [namespace = ""] = [...page.matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(([, text]) => text)
    const id = "0123456789abcdef0123456789abcdef"
    const toml = namespace.replace("<the id that wrangler printed>", id)
    writeFileSync(join(desk.folder, "wrangler.toml"), `name = "daypass"\n${toml}`)
    const [make] = stepsOf("docs/publish-policies.md", "Sign what you publish")
    const made = await desk.shell(make?.commands ?? "", {})
    assert.match(made.said, /^-----BEGIN PUBLIC KEY-----\n\S{60}\n-----END/, made.said)
    const [push = ""] = /`(daypass push policies --sign publisher\.pem)`/.exec(page)?.slice(1) ?? []
    const pushed = await desk.shell(`${push} --local`, {})
    assert.equal(pushed.code, 0, pushed.said)
    assert.match(pushed.said, /Published version [0-9a-f]{64}/)
    const again = await desk.shell(`${push} --local`, {})
    assert.equal(again.code, 0, again.said)
    assert.doesNotMatch(again.said, /Published version/)
  })

  await check("README.md shows what the demo prints", async () => {
    const shown = /^```console\n([\s\S]*?)^```$/m.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1] ?? ""
    const { output, exitCode } = await runCommand(process.execPath, ["test/demo/demo.ts"], {
      cwd: ROOT,
      timeoutMs: DEMO_TIMEOUT_MS,
    })
    assert.equal(exitCode, 0, output)
    assert.deepEqual(withoutTimes(output), withoutTimes(shown))
  })
}

/** The lines of the demo, without what differs each time: seconds, the time of day, and what is said of a slow start. */
const withoutTimes = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("   ... "))
    .map((line) => line.replace(/ +[\d.]+ s\b/, " N s").replace(/\d{4}-\d\d-\d\dT\d\d:\d\d/, "TIME"))
