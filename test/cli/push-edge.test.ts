import { generateKeyPairSync, randomBytes, sign } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { POLICIES_FRESH_SECONDS } from "../../broker/adapters/cloudflare/kv-policy-source.ts"
import { CURRENT_KEY, type PublishedCurrent, signedText } from "../../broker/core/policy/published.ts"
import { push } from "../../cli/push/push.ts"
import { installedWrangler, type Wrangler } from "../../cli/push/wrangler.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, send } from "../flow/world.ts"
import { startWorkerdBroker, type WorkerdBroker } from "../support/broker-workerd.ts"
import { COMPILE_CACHE } from "../support/compile-cache.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { freePort } from "../support/servers.ts"
import { runWork, scriptedIo } from "./run-cli.ts"
import { ScriptedWrangler } from "./scripted-wrangler.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const NAMESPACE = "0123456789abcdef0123456789abcdef"
const FREEZE = `version: 1
repository: acme/shop
repository_id: "41"
environment: production
deny:
  - name: nobody deploys today
`

describe("policies pushed by the real wrangler, and the broker in workerd that reads them", () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-edge-"))
  const policies = join(folder, "policies")
  const config = join(folder, "wrangler.toml")
  const persistTo = join(folder, "state")
  let github: GitHub
  let broker: WorkerdBroker

  /** Pushes by the real wrangler, or by another program in its place. */
  const run = async (args: readonly string[] = [], wrangler: Wrangler = real()) => {
    const out: string[] = []
    const io = {
      ...scriptedIo({ now: () => new Date() }),
      env: { DAYPASS_PUBLISHER_KEY: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString() },
      out: (text: string) => void out.push(text),
      err: (text: string) => void out.push(text),
    }
    const target = ["--env", "production", "--config", config, "--local", "--persist-to", persistTo]
    const code = await runWork("push", [policies, ...target, ...args], io, (given) => push(given, io, wrangler))
    return { code, out: out.join("\n") }
  }

  const real = () =>
    installedWrangler({ cwd: ROOT, env: { PATH: process.env["PATH"], HOME: folder, ...COMPILE_CACHE } })

  /** A second push, into the namespace of the running broker: each start of wrangler takes two seconds of processor time. */
  const pushAgain = async () => {
    const namespace = await broker.namespace()
    const scripted = new ScriptedWrangler()
    for (const { name } of (await namespace.list()).keys) scripted.values.set(name, (await namespace.get(name)) ?? "")
    const before = new Map(scripted.values)
    const pushed = await run([], scripted.run)
    for (const [name, value] of scripted.values) if (before.get(name) !== value) await namespace.put(name, value)
    for (const name of before.keys()) if (!scripted.values.has(name)) await namespace.delete(name)
    return pushed
  }

  beforeAll(async () => {
    mkdirSync(policies)
    writeFileSync(
      config,
      `name = "daypass"\n[env.production]\n[[env.production.kv_namespaces]]\nbinding = "POLICIES"\nid = "${NAMESPACE}"\n`,
    )
    github = await startGitHub()
    writeFlowPolicies(policies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
  })

  afterAll(async () => {
    await broker?.stop()
    await github.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const pair = generateKeyPairSync("ed25519")
  const kek = randomBytes(32).toString("base64")
  let port = 0
  let lease = ""
  const startBroker = async ({ isUnfit = false } = {}) => {
    port ||= await freePort()
    return await startWorkerdBroker({
      policies: join(folder, "bundled"),
      port,
      kek,
      settings: {
        DAYPASS_POLICIES: "kv",
        DAYPASS_POLICY_PUBLISHER: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
      },
      kv: { namespaceId: NAMESPACE, persistTo },
      isUnfit,
    })
  }

  const exchange = async () => {
    const token = await github.mint(DEPLOYMENT, { audience: broker.url })
    return await send(broker, "/v1/exchange", { token, body: { grants: ["vault"] } })
  }
  const health = async () => {
    const { status, json } = await send(broker, "/healthz")
    return { status, policies: json["policies"] as { version: string | null; policies: number } }
  }
  const minted = async () =>
    (await broker.auditTrail(github.issuer, "41")).flatMap(({ record }) =>
      record.event === "exchange.minted" ? [record.policy_version] : [],
    )

  it("go by one version in the push, in /healthz and in the audit trail, and change half a minute after a push", async () => {
    const first = await run(["--json"])
    expect(first.code).toBe(0)
    const { version } = JSON.parse(first.out.slice(first.out.indexOf("{"))) as { version: string }
    // Its bundle has other policies: none of them ever counts.
    const bundled = join(folder, "bundled")
    writeFlowPolicies(bundled, { issuer: "https://token.actions.githubusercontent.com", sts: "http://127.0.0.1:9" })
    broker = await startBroker()
    expect(await health()).toEqual({ status: 200, policies: expect.objectContaining({ version, policies: 2 }) })
    const given = await exchange()
    expect(given).toMatchObject({ status: 200, json: { policy_version: version } })
    lease = String(given.json["lease"])
    expect(await minted()).toEqual([version])

    writeFileSync(join(policies, "freeze.yaml"), FREEZE)
    const second = await pushAgain()
    expect(second).toEqual({ code: 0, out: expect.stringContaining("changed  acme/shop (github 41)") })
    expect(second.out).toContain("2 keys written, 0 deleted")
    await broker.advance(POLICIES_FRESH_SECONDS)
    expect(await exchange()).toMatchObject({ status: 403, json: { code: "not_allowed" } })
    const after = await health()
    expect(after.policies).toMatchObject({ policies: 3 })
    expect(after.policies.version).not.toBe(version)
    expect(second.out).toContain(`Published version ${after.policies.version}`)
  })

  it("are not taken again when KV goes back to older ones, not even by a broker that starts anew", async () => {
    const newest = (await (await broker.namespace()).get(CURRENT_KEY)) ?? ""
    const current = JSON.parse(newest) as PublishedCurrent
    // As a restored copy of the namespace would have it: the right digest, an earlier time.
    const { signature: _, ...unsigned } = { ...current, published_at: "2026-01-01T00:00:00.000Z" }
    const back = sign(null, Buffer.from(signedText(unsigned)), pair.privateKey).toString("base64url")
    const put = async (text: string) => (await broker.namespace()).put(CURRENT_KEY, text)
    await put(JSON.stringify({ ...unsigned, signature: back }))
    await broker.stop()
    broker = await startBroker({ isUnfit: true })
    expect((await health()).status).toBe(503)

    await put(newest)
    await broker.advance(POLICIES_FRESH_SECONDS)
    expect(await health()).toMatchObject({ status: 200, policies: { version: current.version } })

    await put(JSON.stringify({ ...unsigned, published_at: new Date().toISOString() }))
    await broker.advance(POLICIES_FRESH_SECONDS)
    expect(await exchange()).toMatchObject({ status: 503, json: { detail: expect.stringContaining("not signed") } })
    expect(broker.output()).toContain('{"event":"policies.refused"')
    await put(newest)
  })

  it("leave a broker that must have them, and has lost its binding, with none", async () => {
    const bundled = join(folder, "bundled")
    writeFlowPolicies(bundled, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
    const starting = startWorkerdBroker({ policies: bundled, settings: { DAYPASS_POLICIES: "kv" } })
    await expect(starting).rejects.toThrow(/answered 503: .*configuration_invalid/)
  })

  it("are unavailable once current is gone, and nothing else decides in their place", async () => {
    const namespace = await broker.namespace()
    const newest = (await namespace.get(CURRENT_KEY)) ?? ""
    await namespace.delete(CURRENT_KEY)
    await broker.advance(POLICIES_FRESH_SECONDS)
    expect(await exchange()).toMatchObject({ status: 503, json: { code: "policy_unavailable" } })
    expect(await health()).toMatchObject({ status: 503, policies: { version: null } })

    // What was given is still taken back.
    const token = await github.mint(DEPLOYMENT, { audience: broker.url })
    expect((await send(broker, `/v1/leases/${lease}`, { method: "DELETE", token })).status).toBe(200)

    await namespace.put(CURRENT_KEY, newest)
    await broker.advance(POLICIES_FRESH_SECONDS)
    expect(await exchange()).toMatchObject({ status: 403, json: { code: "not_allowed" } })
  })
})
