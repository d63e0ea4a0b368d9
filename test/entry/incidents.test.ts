// Follows docs/incidents.md word for word: its commands run in a shell, with the built command line, against a real broker on
// Node and vendors whose credentials it revokes, and what they print must be what stands below them. The incident of the KEK
// is in keys.test.ts, because its broker is restarted at each step.
import { appendFileSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { chainRecord, chainStart } from "../../broker/core/audit-chain.ts"
import type { ExchangeAnswer } from "../../broker/wire/exchange.ts"
import { soon } from "../flow/incident-world.ts"
import { makeJobKey, send } from "../flow/world.ts"
import { type NodeBroker, type NodeBrokerOptions, startNodeBroker } from "../support/broker-node.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Desk, openDesk, stepsOf, yamlOf } from "../support/page-desk.ts"
import type { Vendor } from "../support/vendor.ts"
import { connectionLines, toolsJob, trustBroker, vendorSecrets, writeToolsPolicy } from "../support/vendor-world.ts"
import { startGitHubVendor } from "../support/vendors/github.ts"
import { startVaultVendor } from "../support/vendors/vault.ts"

const HELP = "https://acme.example/on-call"
const PAGE = "docs/incidents.md"
const OPS = {
  repository: "acme/ops",
  repository_id: "77",
  repository_owner_id: "9001",
  ref: "refs/heads/main",
  actor_id: "7",
}
const DOCS = { repository: "acme/docs", repository_id: "44", repository_owner_id: "9001", ref: "refs/heads/main" }

const ends = new AsyncDisposableStack()
let [github, api, vault, broker, desk] = [] as unknown as [GitHub, Vendor, Vendor, NodeBroker, Desk]
let runs = 0
const at = (name: string) => join(desk.folder, name)

beforeAll(async () => {
  ;[github, api, vault, desk] = await Promise.all([startGitHub(), startGitHubVendor(), startVaultVendor(), openDesk()])
  ends.defer(() => desk.close())
  for (const server of [github, api, vault]) ends.defer(() => server.close())
  mkdirSync(at("policies/acme"), { recursive: true })
  writeToolsPolicy(at("policies"), [api, vault])
  writeFileSync(
    at("policies/daypass.yaml"),
    `version: 1
help: { url: "${HELP}" }
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  operators: { provider: broker, may: [audit.read, leases.read, leases.revoke, stop, keys.rotate] }
${connectionLines([api, vault])}`,
  )
  writeFileSync(
    at("policies/acme/ops.yaml"),
    `version: 1
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [operator] }
grants:
  operator: { connection: operators, may: [audit.read, leases.read, leases.revoke, stop, keys.rotate] }
`,
  )
  writeFileSync(
    at("policies/acme/docs.yaml"),
    `version: 1
repository: acme/docs
repository_id: "44"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [docs-token] }
grants:
  docs-token: { connection: github-acme, repositories: [docs], permissions: { contents: write }, ttl: 10m }
`,
  )
  await start({})
  await trustBroker([api, vault], broker.url)
})
afterAll(() => ends.disposeAsync())

async function start(place: Partial<NodeBrokerOptions>): Promise<void> {
  const started = await startNodeBroker({
    policies: at("policies"),
    settings: vendorSecrets([api, vault]),
    data: at("data"),
    ...place,
  })
  broker = started
  ends.defer(async () => void (await started.stop()))
}

/** As an operator: a job of acme/ops, of a run of its own for each command. */
const shell = (commands: string) => {
  const job = github.job({ ...OPS, run_id: String(++runs) })
  return desk.shell(commands, { DAYPASS_BROKER: broker.url, GITHUB_ACTIONS: "true", ...job.env })
}

/** What differs from one run to the next, and the names of this machine, as one word. */
const calmed = (text: string) =>
  text
    .replaceAll(broker.url, "https://daypass.example.com")
    .replaceAll(github.issuer, "https://token.actions.githubusercontent.com")
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "TIME")
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "UUID")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "HASH")
    .replaceAll(/\/log\/[0-9a-f]{16}\b/g, "/log/NUMBER")

/** What a page shows, which may leave parts out: a line of dots is any number of lines, dots in a line any part of it. */
const patternOf = (shown: string) =>
  new RegExp(
    `^${shown
      .split(/(^\.\.\.\n|\.\.\.)/m)
      .map((part) => ({ "...\n": "(?:.*\\n)*?", "...": ".*?" })[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("")}$`,
  )

const followed = new Set<string>()

/** Runs one step of the page. Its output must be what the page shows. */
async function follow(heading: string, index: number, code = 0): Promise<void> {
  const step = stepsOf(PAGE, heading)[index]
  if (step === undefined) throw new Error(`${heading} has no step ${index + 1}`)
  const done = await shell(step.commands.replaceAll("/var/lib/daypass", broker.data))
  expect([step.commands, done.code, done.said]).toEqual([step.commands, code, done.said])
  followed.add(step.commands)
  if (step.shown !== null) expect(calmed(done.said)).toMatch(patternOf(calmed(step.shown)))
}

/** Waits until the follower has handed such a record to the index: a second, on Node. */
const recorded = (terms: string) =>
  vi.waitFor(async () => expect((await shell(`daypass audit search ${terms}`)).code).toBe(0), {
    ...{ timeout: 20_000, interval: 500 },
  })

async function exchange(grant: string, claims: Readonly<Record<string, string>>) {
  const token = await github.mint(claims, { audience: broker.url })
  const { status, json } = await send(broker, "/v1/exchange", { token, body: { grants: [grant] } })
  return { status, json }
}
const openedBy = async (grant: string, claims: Readonly<Record<string, string>>) => {
  const { status, json } = await exchange(grant, claims)
  expect([grant, status, json["detail"]]).toEqual([grant, 200, undefined])
  return json as unknown as ExchangeAnswer
}
const tokenOf = ({ credentials }: ExchangeAnswer) => Object.values(credentials)[0]?.values["token"]?.value ?? ""
const tools = (run: string) => ({ ...toolsJob(run), actor_id: "1" })

/** What GitHub answers to whoever has a token. */
const takenBy = async (token: string) =>
  (
    await fetch(`${apiUrl()}/repositories/44`, {
      headers: { authorization: `Bearer ${token}`, "user-agent": "a-thief" },
    })
  ).status
const apiUrl = () => (Object.values(api.connections)[0] as { readonly api_url: string }).api_url

function copyLedger(copy: string): void {
  const sql = new DatabaseSync(join(broker.data, "ledger.db"))
  sql.prepare("VACUUM INTO ?").run(copy)
  sql.close()
}

/** What somebody does who can write to the storage, and knows how the chain is made: another actor, and all hashes anew. */
function rewriteRecords(unitId: string): void {
  const sql = new DatabaseSync(join(broker.data, "ledger.db"))
  const { id, issuer } = sql.prepare("SELECT id, issuer FROM ledgers WHERE repository_id = ?").get(unitId) as {
    id: number
    issuer: string
  }
  const rows = sql.prepare("SELECT record FROM audit WHERE ledger = ? ORDER BY seq").all(id) as { record: string }[]
  let chain = chainStart({ issuer, unit_id: unitId }, sha256)
  for (const { record } of rows) {
    const changed = { ...JSON.parse(record.replace('"actor":"octocat"', '"actor":"mallory"')) }
    const link = chainRecord(chain, changed, sha256)
    if (!link.ok) throw new Error(link.fault)
    chain = link.value.chain
    sql
      .prepare("UPDATE audit SET record = ?, leaf = ?, chain = ? WHERE ledger = ? AND seq = ?")
      .run(link.value.text, link.value.leaf, chain, id, changed.seq)
  }
  sql.prepare("UPDATE ledgers SET chain = ? WHERE id = ?").run(chain, id)
  sql.close()
}

/** Puts a copy of the ledger in place, as docs/operate-on-node.md says. */
function restore(copy: string): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(join(broker.data, `ledger.db${end}`), { force: true })
  copyFileSync(copy, join(broker.data, "ledger.db"))
}

describe("an operator who follows docs/incidents.md", () => {
  it.concurrent("finds the lease that gave a leaked value, and ends it", async () => {
    const leak = "A value leaked"
    const answer = await openedBy("github-release", tools("7101"))
    const value = tokenOf(answer)
    writeFileSync(at("leaked.txt"), `${value}\n`)
    await recorded("--run 7101 --event exchange.minted")
    await follow(leak, 0)
    expect(await takenBy(value)).toBe(200)
    await follow(leak, 1)
    await soon(async () => expect(await takenBy(value)).toBe(401))
    await recorded(`--lease ${answer.lease} --event lease.closed`)
    await follow(leak, 2)
    await follow(leak, 3)
    writeFileSync(at("other.txt"), "ghs_of_somebody_else\n")
    expect((await shell("daypass audit search --value - < other.txt")).code).toBe(1)
  })

  it.concurrent("stops a connection, sees who had something of it, and goes on", async () => {
    const doubt = "A connection is not to be trusted"
    await openedBy("vault-token", tools("7201"))
    const bound = await github.mint(tools("7202"), { audience: `${broker.url}?jkt=${(await makeJobKey()).thumbprint}` })
    expect((await send(broker, "/v1/exchange", { token: bound, body: { grants: ["vault-token"] } })).status).toBe(401)
    expect(vault.alive()).toBe(1)
    await follow(doubt, 0)
    expect(vault.alive()).toBe(0)
    const { status, json } = await exchange("vault-token", tools("7203"))
    expect([status, json["code"], json["help"]]).toEqual([403, "stopped", { url: HELP }])
    expect(json["detail"]).toContain("connection vault")
    expect(json["detail"]).toContain('"Vault was broken into, see the status page"')
    await follow(doubt, 1)
    await follow(doubt, 2)
    await follow(doubt, 3)
    await openedBy("vault-token", tools("7204"))
  })

  it.concurrent("sees what an account reached, ends what its runs have, and refuses them", async () => {
    const taken = "An account was taken over"
    const run = (id: string) => ({ ...DOCS, run_id: id, actor_id: "583231" })
    const value = tokenOf(await openedBy("docs-token", run("7301")))
    await recorded("--run 7301 --event exchange.minted")
    await follow(taken, 0)
    await follow(taken, 1)
    await soon(async () => expect(await takenBy(value)).toBe(401))
    // What is printed does not say how many leases end.
    await openedBy("docs-token", run("7302"))
    await openedBy("docs-token", run("7303"))
    await recorded("--run 7303 --event exchange.minted")
    const few = await shell("daypass audit search --actor-id 583231 --limit 1 --reach --revoke --reason again")
    expect(few.said).toContain(", 3 times, last ")
    expect(few.said).toContain("2 leases are being revoked")
    expect(few.said).toContain("records match; the newest 1 are above")
    appendFileSync(at("policies/daypass.yaml"), yamlOf(PAGE, taken))
    await soon(async () => expect((await exchange("docs-token", run("7304"))).json["code"]).toBe("not_allowed"))
    await openedBy("docs-token", { ...run("7305"), actor_id: "1" })
    await follow(taken, 2, 1)
  })

  it("finds by what was kept that the record was rewritten, and what a restored backup lacks", async () => {
    const changed = "The record was changed"
    copyLedger(at("backup.db"))
    await openedBy("vault-token", tools("7401"))
    await recorded("--run 7401 --event exchange.minted")
    await follow(changed, 0)
    await broker.stop()
    rewriteRecords("42")
    await start({ port: broker.port })
    await follow(changed, 1)
    await follow(changed, 2, 1)
    await follow(changed, 3, 1)
    await follow(changed, 4)
    // The broker's own proofs of now find it, too, because its tree was not replaced.
    expect((await shell("daypass audit export --out now.jsonl --checkpoint proofs.txt")).code).toBe(0)
    const byNow = await shell("daypass audit verify now.jsonl --checkpoint proofs.txt --policy kept/policy.txt")
    expect([byNow.code, byNow.said]).toEqual([1, expect.stringContaining("are not those of the checkpoint")])

    await broker.stop()
    restore(at("backup.db"))
    await start({ port: broker.port, movableClock: true })
    expect(await exchange("vault-token", tools("7402"))).toMatchObject({ status: 401, json: { code: "token_too_old" } })
    await follow(changed, 5, 1)
    await follow(changed, 6)
    await broker.advance(90)
    const issuedAt = Math.floor(Date.now() / 1000) + 90
    const token = await github.mint({ ...tools("7403"), ref: "refs/heads/else" }, { audience: broker.url, issuedAt })
    const denied = await send(broker, "/v1/exchange", { token, body: { grants: ["vault-token"] } })
    expect(denied.json["code"]).toBe("not_allowed")
    await soon(() => expect(broker.stdout()).toContain('"event":"record.rewritten"'))
  })

  it("has done all that the page says", () => {
    const headings = [
      "A value leaked",
      "A connection is not to be trusted",
      "An account was taken over",
      "The record was changed",
    ]
    const steps = headings.flatMap((heading) => stepsOf(PAGE, heading)).map(({ commands }) => commands)
    expect(steps.filter((commands) => !followed.has(commands))).toEqual([])
    expect(new Set(steps).size).toBeGreaterThan(15)
  })
})
