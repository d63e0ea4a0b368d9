// Follows docs/keys.md and docs/incidents.md word for word: their commands run in a shell, with the built command line, against
// a real broker on Node with a vendor whose tokens it revokes. Blocks marked `sh network` are left out.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { KEY_CACHES } from "../../broker/operate/key-caches.ts"
import { soon } from "../flow/incident-world.ts"
import { send } from "../flow/world.ts"
import { type NodeBroker, type NodeBrokerOptions, startNodeBroker } from "../support/broker-node.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Desk, openDesk, stepsOf } from "../support/page-desk.ts"
import type { Vendor } from "../support/vendor.ts"
import { connectionLines, toolsJob, vendorSecrets, writeToolsPolicy } from "../support/vendor-world.ts"
import { startGitHubVendor } from "../support/vendors/github.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const OPS = { repository: "acme/ops", repository_id: "77", repository_owner_id: "9001", ref: "refs/heads/main" }
const GRANT = "github-release"
const SECRET = "ACME_DEPLOY_APP_KEY"
const KEK = Buffer.from("the deployment key of the test..").toString("base64")

const ends = new AsyncDisposableStack()
let [github, api, broker, desk] = [] as unknown as [GitHub, Vendor, NodeBroker, Desk]
let [folder, policies] = ["", ""]
let settings: Record<string, string> = {}
let runs = 0

beforeAll(async () => {
  ;[github, api, desk] = await Promise.all([startGitHub(), startGitHubVendor(), openDesk()])
  ends.defer(() => desk.close())
  ends.defer(() => github.close())
  ends.defer(() => api.close())
  folder = desk.folder
  policies = join(folder, "policies")
  mkdirSync(join(policies, "acme"), { recursive: true })
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  operators: { provider: broker, may: [audit.read, leases.read, leases.revoke, stop, keys.rotate] }
  vault: { provider: identity-token, audiences: ["https://vault.example.com"] }
${connectionLines([api])}`,
  )
  writeToolsPolicy(policies, [api])
  writeFileSync(
    join(policies, "acme/ops.yaml"),
    `version: 1
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [operator] }
grants:
  operator: { connection: operators, may: [audit.read, leases.read, leases.revoke, stop, keys.rotate] }
`,
  )
})
afterAll(() => ends.disposeAsync())

async function start(options: Partial<NodeBrokerOptions>): Promise<void> {
  broker = await startNodeBroker({ policies, data: join(folder, `data-${runs}`), ...options })
}
const restart = async (changes: Record<string, string>) => {
  const { data, port } = broker
  await broker.stop()
  settings = { ...settings, ...changes }
  broker = await startNodeBroker({ policies, data, port, settings })
}

/** Each command's token is of a run of its own. */
const shell = (commands: string, input?: string) => {
  const job = github.job({ ...OPS, run_id: String(++runs) })
  const urls = { DAYPASS_BROKER: broker.url, DAYPASS_URL: broker.url }
  return desk.shell(commands, { ...urls, GITHUB_ACTIONS: "true", ...job.env, ...settings }, input)
}

const commandsOf = (page: string, heading: string) => stepsOf(page, heading).map(({ commands }) => commands)

const newSettings = (): Record<string, string> =>
  Object.fromEntries(
    readFileSync(join(folder, "broker.env"), "utf8")
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  )

const kids = async () =>
  ((await send(broker, "/.well-known/jwks.json")).json["keys"] as { kid: string }[]).map(({ kid }) => kid)

async function lease(): Promise<Record<string, unknown>> {
  const claims = toolsJob(String(++runs))
  const token = await github.mint(claims, { audience: broker.url })
  const answer = await send(broker, "/v1/exchange", { token, body: { grants: [GRANT] } })
  return { ...answer.json, status: answer.status, claims }
}

const sealSecret = (value: string) => shell(`daypass seal --for ${SECRET}`, value)

/** The commands of docs/keys.md for a rotation, and what they refuse. */
async function followRotation(): Promise<void> {
  const [before] = await kids()
  const [rotate = "", again = ""] = commandsOf("docs/keys.md", "Rotate the signing keys")
  const published = await shell(rotate)
  expect(published).toMatchObject({
    code: 0,
    said: expect.stringMatching(/^Published \S+\. It signs from \S+, by itself\./),
  })
  expect(published.said).toContain("  vault: its maker does not say how long it keeps the keys: count on a day")
  const [, next = ""] = await kids()
  expect(await kids()).toEqual([before, next])
  expect(await shell(again)).toMatchObject({ code: 0, said: expect.stringContaining(`Nothing changed: ${next}`) })
  const listed = await shell(commandsOf("docs/keys.md", "See them")[0] ?? "")
  expect(listed.said).toMatch(new RegExp(`^${before}: signs since \\S+; signs until \\S+\\n${next}: is published`))
  expect(await shell(`daypass keys retire ${before}`)).toMatchObject({
    code: 1,
    said: expect.stringContaining("This key signs"),
  })
  expect((await shell(`daypass keys retire ${next}`)).said).toBe(`${next} has left the key set.\n`)
  expect(await kids()).toEqual([before])
  for (const args of ["retire", "rotate extra", "reseal --grant ''", "turn"]) {
    expect([args, (await shell(`daypass keys ${args}`)).code]).toEqual([args, 2])
  }
}

describe("the keys of a broker on Node", () => {
  it("are changed as docs/keys.md says, under leases that can be revoked before and afterwards", async () => {
    settings = { DAYPASS_KEK: KEK }
    await start({ kek: KEK, movableClock: false })
    ends.defer(async () => void (await broker.stop()))
    const plain = vendorSecrets([api])[SECRET] ?? ""
    const sealed = await sealSecret(plain)
    await restart({ ...vendorSecrets([api]), [SECRET]: sealed.said.trim() })
    const held = await lease()
    expect([held["status"], api.alive()]).toEqual([200, 1])
    const before = await kids()

    const [makeKey = "", reseal = "", list = ""] = commandsOf("docs/keys.md", "Change the deployment key")
    expect((await shell(makeKey)).code).toBe(0)
    await restart(newSettings())
    // The broker has sealed its own keys anew by itself, and no cloud notices anything.
    expect(await kids()).toEqual(before)
    expect((await send(broker, "/healthz")).json["parts"]).toMatchObject({
      keys: { state: "ok", note: expect.stringContaining("0 signing keys are sealed under it") },
    })
    const half = await shell(list)
    expect(half.said).toContain("Sealed under DAYPASS_KEK_PREVIOUS: 0 keys, 1 handle, 1 setting.")
    const resealed = await shell(reseal)
    expect(resealed).toMatchObject({ code: 1, said: expect.stringContaining("Sealed anew: 0 keys and 1 handle") })
    expect(resealed.said).toContain(`  ${SECRET}: daypass seal --for ${SECRET} < secret`)
    const again = await sealSecret(plain)
    await restart({ [SECRET]: again.said.trim() })
    expect((await shell(reseal)).code).toBe(0)
    expect((await shell(list)).said).toContain("Nothing is sealed under DAYPASS_KEK_PREVIOUS any more: remove it")

    // What was sealed under the old key alone is revoked without it.
    await restart({ DAYPASS_KEK_PREVIOUS: "" })
    const claims = held["claims"] as Record<string, string>
    const token = await github.mint(claims, { audience: broker.url })
    const ended = await send(broker, `/v1/leases/${String(held["lease"])}`, { method: "DELETE", token })
    expect(ended.status).toBe(200)
    await soon(() => expect(api.alive()).toBe(0))
    // And the old key opens nothing any more.
    const newKek = settings["DAYPASS_KEK"] ?? ""
    await expect(restart({ DAYPASS_KEK: KEK })).rejects.toThrow(/another DAYPASS_KEK.*as DAYPASS_KEK_PREVIOUS/s)
    settings = { ...settings, DAYPASS_KEK: newKek }
    broker = await startNodeBroker({ policies, data: broker.data, port: broker.port, settings })
  })

  it("are rotated as docs/keys.md says, and replaced after a theft as docs/incidents.md says", async () => {
    const old = await kids()
    const oldKek = settings["DAYPASS_KEK"] ?? ""
    expect((await lease())["status"]).toBe(200)
    expect(api.alive()).toBe(1)
    const steps = commandsOf("docs/incidents.md", "A KEK was read")
    expect(steps).toHaveLength(5)
    const [stop = "", makeKey = "", replace = "", reseal = "", goOn = ""] = steps

    // A stop waits until it is in force everywhere. A rotation goes on meanwhile.
    const [stopped] = await Promise.all([shell(stop), followRotation()])
    expect(stopped.code).toBe(0)
    await soon(() => expect(api.alive()).toBe(0))
    expect(await lease()).toMatchObject({ status: 403, code: "stopped" })
    expect((await shell(makeKey)).code).toBe(0)
    await restart(newSettings())
    expect(settings["DAYPASS_KEK_PREVIOUS"]).toBe(oldKek)
    const replaced = await shell(replace)
    expect(replaced).toMatchObject({ code: 0, said: expect.stringContaining("all other keys have left the key set") })
    const now = await kids()
    expect(now).toHaveLength(1)
    expect(old).not.toContain(now[0])
    expect(await shell(reseal)).toMatchObject({ code: 1, said: expect.stringContaining(SECRET) })
    const sealed = await sealSecret(vendorSecrets([api])[SECRET] ?? "")
    await restart({ [SECRET]: sealed.said.trim() })
    const last = await shell(goOn)
    expect(last).toMatchObject({ code: 0, said: expect.stringContaining("remove it, and restart the broker") })
    await restart({ DAYPASS_KEK_PREVIOUS: "" })
    expect(await lease()).toMatchObject({ status: 200 })
    const acts = await shell("daypass keys list --json")
    expect(JSON.parse(acts.said)).toMatchObject({
      keys: [{ kid: now[0], state: "active", sealed_under: "current" }],
      has_previous_kek: false,
      handles: { current: 1, previous: 0, other: 0 },
      settings: [{ name: SECRET, sealed_under: "current" }],
    })
  })
})

describe("docs/keys.md", () => {
  it("has a row for each provider whose other side verifies the broker's tokens", () => {
    const page = readFileSync(join(ROOT, "docs/keys.md"), "utf8")
    const rows = [...page.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \| `([a-z-]+)` \|/gm)].flatMap(
      ([, names = "", cache]) => [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => [name, cache]),
    )
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(KEY_CACHES))
  })
})
