import { randomUUID } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Webhook } from "standardwebhooks"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type GitHub, startGitHub } from "../support/github.ts"
import {
  deliver,
  type GitHubApi,
  type HostedRepository,
  type Installation,
  leakDelivery,
  startGitHubApi,
} from "../support/github-api.ts"
import { readBody, startServer } from "../support/servers.ts"
import { TOOLS, toolsJob } from "../support/vendor-world.ts"
import { soon } from "./incident-world.ts"
import { type RunningBroker, type StartBroker, send } from "./world.ts"

const ACME = { login: "acme", id: 9001 }
const OLD_SECRET = "the-secret-of-the-webhook-before"
const SECRET = "the-secret-of-the-webhook-of-now"
const ALERTS_SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`
const PERMISSIONS = { contents: "write", metadata: "read" }

const organisation = (issuer: string, api: GitHubApi, alerts: string) => `version: 1
issuers:
  github: { family: github-actions, url: "${issuer}", owners: { acme: "9001" } }
alarms:
  leak_reported: { stop: unit, for: 1h }
alerts:
  ops: { url: "${alerts}/hooks", secret: env:ALERT_SECRET, events: [leak.reported] }
connections:
  github-acme: { provider: github, app_id: "${api.appId}", key: "env:APP_KEY", owner: acme, owner_id: "9001", api_url: "${api.url}" }
`
const POLICY = `version: 1
issuer: github
repository: ${TOOLS.repository}
repository_id: "${TOOLS.repository_id}"
environment: production
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [release] }
grants:
  release: { connection: github-acme, repositories: [tools], permissions: { contents: write }, ttl: 10m }
`

/** GitHub finds a token of a lease in a repository, and tells the broker of it. */
export function leaksSuite(runtime: string, startBroker: StartBroker): void {
  describe(`a leaked value that GitHub reports to a broker on ${runtime}`, () => {
    const ends = new AsyncDisposableStack()
    let [github, api, broker] = [] as unknown as [GitHub, GitHubApi, RunningBroker]
    let [web, app] = [] as unknown as [HostedRepository, Installation]
    const told: { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[] = []

    beforeAll(async () => {
      github = ends.adopt(await startGitHub(), (it) => it.close())
      api = ends.adopt(await startGitHubApi({ tokens: "stateless" }), (it) => it.close())
      api.host(Number(TOOLS.repository_id), ACME, "tools").push({ "README.md": "# Tools\n" })
      web = api.host(45, ACME, "web")
      app = api.install(ACME, { permissions: PERMISSIONS })
      const receiver = await startServer(
        async (request, response) => {
          const body = (await readBody(request)) ?? ""
          told.push(
            new Webhook(ALERTS_SECRET).verify(body, request.headers as Record<string, string>) as (typeof told)[0],
          )
          response.writeHead(204).end()
        },
        () => {},
      )
      ends.defer(() => receiver.close())
      const policies = mkdtempSync(join(tmpdir(), "daypass-leaks-"))
      ends.defer(() => rmSync(policies, { recursive: true, force: true }))
      mkdirSync(join(policies, "acme"))
      writeFileSync(join(policies, "daypass.yaml"), organisation(github.issuer, api, receiver.url))
      writeFileSync(join(policies, "acme/tools.yaml"), POLICY)
      broker = await startBroker({
        policies,
        settings: {
          APP_KEY: api.key.pkcs1,
          ALERT_SECRET: ALERTS_SECRET,
          DAYPASS_GITHUB_APP_ID: api.appId,
          DAYPASS_GITHUB_APP_KEY: api.key.pkcs1,
          DAYPASS_GITHUB_API_URL: api.url,
          DAYPASS_GITHUB_ISSUER: github.issuer,
          DAYPASS_GITHUB_HOOK_SECRET: `${SECRET} ${OLD_SECRET}`,
        },
      })
      ends.defer(async () => void (await broker.stop()))
    })
    afterAll(() => ends.disposeAsync())

    const trail = async () => (await broker.trail(github.issuer, TOOLS.repository_id)).map(({ record }) => record)
    const leaked = async () => (await trail()).filter(({ event }) => event === "leak.reported")
    const statusOf = async (token: string) => {
      const headers = { authorization: `Bearer ${token}`, "user-agent": "whoever-found-it" }
      return (await fetch(`${api.url}/repositories/${TOOLS.repository_id}`, { headers })).status
    }
    const ask = async (run: string) => {
      const token = await github.mint(toolsJob(run), { audience: broker.url })
      return await send(broker, "/v1/exchange", { token, body: { grants: ["release"] } })
    }
    const post = (action: string, number: number, change: Partial<Parameters<typeof deliver>[1]> = {}) =>
      deliver(leakDelivery(web, number, action), { url: broker.url, secret: SECRET, ...change })

    it("is read by nobody who cannot sign as GitHub, and asks GitHub nothing then", async () => {
      web.alerts.set(1, { secret: "ghs_nobody-knows", type: "github_app_installation_access_token" })
      const delivery = leakDelivery(web, 1, "created")
      const to = { url: broker.url, secret: SECRET }
      const before = api.requests.length
      const codeOf = async (change: object) => {
        const { status, json } = await deliver(delivery, { ...to, ...change })
        return [status, json["code"] ?? json["leases"]]
      }
      expect(await codeOf({ secret: "another-secret-of-somebody" })).toEqual([403, "not_allowed"])
      expect(await codeOf({ sent: delivery.body.replace("created", "reopened") })).toEqual([403, "not_allowed"])
      expect(await codeOf({ type: "application/x-www-form-urlencoded" })).toEqual([415, "media_type_unsupported"])
      expect(await codeOf({ sent: `${delivery.body}${" ".repeat(300_000)}` })).toEqual([413, "request_too_large"])
      const unsigned = await send(broker, "/v1/hooks/github", { body: JSON.parse(delivery.body) })
      expect([unsigned.status, unsigned.json["code"]]).toEqual([403, "not_allowed"])
      // What is signed and not about a found value is taken, and does nothing.
      const ping = { id: randomUUID(), event: "ping", body: JSON.stringify({ zen: "Design for failure.", hook_id: 1 }) }
      expect(await deliver(ping, to)).toMatchObject({ status: 200, json: { leases: 0 } })
      expect(await post("resolved", 1)).toMatchObject({ status: 200, json: { leases: 0 } })
      const strange = {
        id: randomUUID(),
        event: delivery.event,
        body: JSON.stringify({ action: "created", alert: {} }),
      }
      expect(await deliver(strange, to)).toMatchObject({ status: 400, json: { code: "request_malformed" } })
      expect(api.requests).toHaveLength(before)
    })

    it("cannot be looked up by an App without the permission, and the delivery says what to change", async () => {
      const refused = await post("created", 1)
      expect([refused.status, refused.json["code"]]).toEqual([502, "provider_denied"])
      expect(refused.json["detail"]).toMatch(
        /may not read Secret scanning alerts of acme\/web: give the App the permission/,
      )
      expect(refused.json["detail"]).toContain("Then deliver this again")
      app.permissions = { ...PERMISSIONS, secret_scanning_alerts: "read" }
      const { requests } = api
      expect(await post("created", 1)).toMatchObject({ status: 200, json: { leases: 0 } })
      expect(requests.at(-1)).toBe("GET /repositories/45/secret-scanning/alerts/1 200")
    })

    it("ends its lease at once, is recorded and told, and stops its unit; a delivery that comes again does nothing", async () => {
      const { status, json } = await ask("1")
      expect([status, json["detail"]]).toEqual([200, undefined])
      const lease = String(json["lease"])
      const { release } = json["credentials"] as Record<string, { values: Record<string, { value: string }> }>
      const token = release?.values["token"]?.value ?? ""
      expect(await statusOf(token)).toBe(200)
      web.alerts.set(7, { secret: token, type: "github_app_installation_access_token" })
      const delivery = leakDelivery(web, 7, "publicly_leaked")
      // The index is a moment behind the record.
      const found = async () => (await deliver(delivery, { url: broker.url, secret: SECRET })).json["leases"]
      await soon(async () => expect(await found()).toBe(1))
      await soon(async () => expect(await statusOf(token)).toBe(401), 5000)
      const where = "GitHub found it in public: secret scanning alert 7 of acme/web (45)"
      expect(await leaked()).toMatchObject([
        { lease, reason: where, identity: null, grants: [{ name: "release", connection: "github-acme" }] },
      ])
      expect(await trail()).toContainEqual(
        expect.objectContaining({ event: "lease.revoking", lease, reason: `leaked: ${where}: release` }),
      )
      await soon(() =>
        expect(told).toMatchObject([{ type: "leak.reported", data: { broker: broker.url, lease, reason: where } }]),
      )
      expect(JSON.stringify(told) + JSON.stringify(await trail()) + broker.output()).not.toContain(token)
      await soon(async () => expect((await ask("2")).json["code"]).toBe("stopped"))

      expect(await deliver(delivery, { url: broker.url, secret: OLD_SECRET })).toEqual({
        status: 200,
        json: { leases: 1 },
      })
      expect(await leaked()).toHaveLength(1)
      // A value of no lease leaves no trace, whoever can make GitHub report it.
      const before = (await trail()).length + (await broker.trail(broker.url, "broker")).length
      expect((await post("reopened", 1)).json).toEqual({ leases: 0 })
      expect((await trail()).length + (await broker.trail(broker.url, "broker")).length).toBe(before)
    })
  })
}
