import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { LimitsAnswer } from "../../broker/wire/exchange.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { DEPLOYMENT, type RunningBroker, type StartBroker, send } from "./world.ts"

const MINUTE = 60
const HOUR = 60 * MINUTE
/** More than the default of every limit, and as many as once filled a disk. */
const FLOOD = 1_300
const RECORDED = 20

const REPOSITORIES = { flood: "41", quiet: "42", busy: "43", single: "44" } as const
type RepositoryName = keyof typeof REPOSITORIES

const policyOf = (name: RepositoryName) => `version: 1
repository: acme/${name}
repository_id: "${REPOSITORIES[name]}"
environment: production
allow:
  - { name: main, when: { ref: refs/heads/main }, grants: [token, alone] }
grants:
  token: { connection: tokens, audience: "https://vault.example.com" }
  alone: { connection: tokens, audience: "https://vault.example.com", max_open_leases: 1 }
`

const organisationOf = (issuer: string) => `version: 1
issuers:
  github: { family: github-actions, url: "${issuer}", owners: { acme: "9001" } }
connections:
  tokens: { provider: identity-token, audiences: ["https://vault.example.com"] }
limits:
  - { when: { repository: acme/flood }, denials_per_hour: ${RECORDED} }
  - { when: { repository_id: "43" }, exchanges_per_minute: 2 }
`

/** What one repository can use up, and what the others notice of it. */
export function limitsSuite(runtime: string, startBroker: StartBroker): void {
  describe(`limits on ${runtime}`, () => {
    const ends = new AsyncDisposableStack()
    let github: GitHub
    let broker: RunningBroker
    let aheadMs = 0
    let runs = 9000

    beforeAll(async () => {
      const policies = mkdtempSync(join(tmpdir(), "daypass-limits-"))
      ends.defer(() => rmSync(policies, { recursive: true, force: true }))
      github = await startGitHub()
      ends.defer(() => github.close())
      writeFileSync(join(policies, "daypass.yaml"), organisationOf(github.issuer))
      for (const name of Object.keys(REPOSITORIES) as RepositoryName[]) {
        writeFileSync(join(policies, `${name}.yaml`), policyOf(name))
      }
      broker = await startBroker({ policies, movableClock: true })
      ends.defer(async () => void (await broker.stop()))
    })
    afterAll(() => ends.disposeAsync())

    const now = () => Date.now() + aheadMs
    const advance = async (seconds: number) => {
      await broker.advance(seconds)
      aheadMs += seconds * 1000
    }
    /** Moves on to the start of a window, so that no test begins in one and ends in the next. */
    const startOfNext = (seconds: number) => advance(Math.ceil(seconds - ((now() / 1000) % seconds)) + 1)

    const token = (name: RepositoryName, run: string) =>
      github.mint(
        { ...DEPLOYMENT, repository: `acme/${name}`, repository_id: REPOSITORIES[name], run_id: run },
        { audience: broker.url, issuedAt: Math.floor(now() / 1000) },
      )
    const ask = async (name: RepositoryName, grant: string, path = "/v1/exchange") => {
      const run = `${runs++}`
      const answer = await send(broker, path, { token: await token(name, run), body: { grants: [grant] } })
      return { ...answer, run }
    }
    const revoke = async (name: RepositoryName, run: string, lease: unknown) =>
      send(broker, `/v1/leases/${lease}`, { method: "DELETE", token: await token(name, run) })
    const eventsOf = async (name: RepositoryName) =>
      (await broker.trail(github.issuer, REPOSITORIES[name])).map(({ record }) => record)
    const limitsOf = async (name: RepositoryName, grant = "token") =>
      (await ask(name, grant, "/v1/explain")).json["limits"] as LimitsAnswer

    describe("a repository whose job is denied again and again", () => {
      it("gets each denial, while another repository exchanges and revokes", async () => {
        await startOfNext(HOUR)
        let left = FLOOD
        const denied: number[] = []
        const flood = async () => {
          while (left-- > 0) denied.push((await ask("flood", "nothing-of-the-kind")).status)
        }
        const others: number[] = []
        const work = async () => {
          for (let turn = 0; turn < 5; turn++) {
            const { status, json, run } = await ask("quiet", "token")
            others.push(status, (await revoke("quiet", run, json["lease"])).status)
          }
        }
        await Promise.all([...Array.from({ length: 16 }, flood), work()])
        expect(denied).toEqual(Array.from({ length: FLOOD }, () => 403))
        expect(others).toEqual(Array.from({ length: 10 }, () => 200))
      })

      it("has records up to its limit, and one that counts the rest when the hour is over", async () => {
        const before = await eventsOf("flood")
        expect(before.map(({ event }) => event)).toEqual(Array.from({ length: RECORDED }, () => "exchange.denied"))
        expect((await limitsOf("flood")).denials_per_hour).toMatchObject({
          max: RECORDED,
          used: RECORDED,
          counted: FLOOD - RECORDED,
          source: "daypass.yaml:7",
        })
        await startOfNext(HOUR)
        await ask("flood", "nothing-of-the-kind")
        const after = (await eventsOf("flood")).slice(before.length)
        expect(after.map(({ event }) => event)).toEqual(["denials.counted", "exchange.denied"])
        expect(after[0]?.reason).toContain(`${FLOOD - RECORDED} further denials`)
        expect((await limitsOf("flood")).denials_per_hour).toMatchObject({ used: 1, counted: 0 })
      })
    })

    it("keeps calls that change nothing inside the limit of denials: unknown leases, and tokens sent again", async () => {
      await startOfNext(HOUR)
      const before = await broker.trail(github.issuer, REPOSITORIES.flood)
      const unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
      for (let call = 0; call < 2 * RECORDED; call++) {
        const twice = await token("flood", `${runs++}`)
        const end = () => send(broker, `/v1/leases/${unknown}`, { method: "DELETE", token: twice })
        expect((await end()).status).toBe(404)
        expect([401, 404, 409]).toContain((await end()).status)
      }
      const records = (await broker.trail(github.issuer, REPOSITORIES.flood)).slice(before.length)
      const own = records.filter(({ record }) => record.event !== "denials.counted")
      expect(own.length).toBeLessThanOrEqual(RECORDED)
    })

    it("answers an exchange too many with 429, which limit it is, where it is set, and when to come back", async () => {
      await startOfNext(MINUTE)
      expect((await ask("busy", "token")).status).toBe(200)
      expect((await ask("busy", "token")).status).toBe(200)
      const { status, headers, json } = await ask("busy", "token")
      expect([status, json["code"]]).toEqual([429, "quota_exceeded"])
      expect(json["detail"]).toMatch(
        /^This repository has made its 2 exchanges of this minute \(exchanges_per_minute\)\. The limit is set in daypass\.yaml:8\./,
      )
      const seconds = Number(headers.get("retry-after"))
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(MINUTE)
      expect(headers.get("ratelimit-policy")).toBe('"exchanges_per_minute";q=2;w=60')
      expect(headers.get("ratelimit")).toBe(`"exchanges_per_minute";r=0;t=${seconds}`)
      expect((await ask("quiet", "token")).status).toBe(200)
      expect((await limitsOf("busy")).exchanges_per_minute).toMatchObject({ max: 2, used: 2, source: "daypass.yaml:8" })
      await advance(seconds)
      expect((await ask("busy", "token")).status).toBe(200)
      expect((await eventsOf("busy")).filter(({ event }) => event === "limit.reached")).toHaveLength(1)
    })

    it("does not use up the subject token of an exchange too many", async () => {
      await startOfNext(MINUTE)
      await ask("busy", "token")
      await ask("busy", "token")
      const kept = await token("busy", "1")
      const again = () => send(broker, "/v1/exchange", { token: kept, body: { grants: ["token"] } })
      expect((await again()).status).toBe(429)
      await startOfNext(MINUTE)
      expect((await again()).status).toBe(200)
      expect((await again()).json["code"]).toBe("token_already_used")
    })

    it("lets one lease with max_open_leases: 1 be open, and the next one after it was revoked", async () => {
      const first = await ask("single", "alone")
      expect(first.status).toBe(200)
      const second = await ask("single", "alone")
      expect(second).toMatchObject({ status: 429, json: { code: "quota_exceeded" } })
      expect(second.json["detail"]).toMatch(/The grant alone has 1 open leases.*The limit is set in single\.yaml:9\./)
      expect(second.headers.get("ratelimit")).toBe('"max_open_leases";r=0')
      expect((await ask("single", "token")).status).toBe(200)
      expect(await limitsOf("single", "alone")).toMatchObject({
        open_leases: { used: 2, source: "the default" },
        max_open_leases: { alone: { max: 1, source: "single.yaml:9" } },
      })
      expect((await revoke("single", first.run, first.json["lease"])).status).toBe(200)
      expect((await ask("single", "alone")).status).toBe(200)
    })
  })
}
