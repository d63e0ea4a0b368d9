import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { EndLeasesAnswer, StopsAnswer } from "../../broker/wire/stops.ts"
import { openOperator } from "../../cli/operate/client.ts"
import { runScripted, scriptedIo } from "../cli/run-cli.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import type { Vendor } from "../support/vendor.ts"
import {
  connectionLines,
  TOOLS,
  toolsJob,
  trustBroker,
  vendorSecrets,
  writeToolsPolicy,
} from "../support/vendor-world.ts"
import { startGitHubVendor } from "../support/vendors/github.ts"
import { soon } from "./incident-world.ts"
import { type RunningBroker, type StartBroker, send } from "./world.ts"

const OPS = { repository: "acme/ops", repository_id: "77", repository_owner_id: "9001", ref: "refs/heads/main" }

const OPS_POLICY = `version: 1
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [operator, reader, of-tools, metrics] }
grants:
  operator: { connection: operators, may: [stop, leases.revoke, audit.read] }
  reader: { connection: operators, may: [audit.read, policies.read] }
  metrics: { connection: operators, may: [metrics.read] }
  of-tools: { connection: operators, may: [stop, leases.revoke], units: ["github:${TOOLS.repository_id}"] }
`

/** An operator stops what jobs can get, ends what they have, and resumes it. */
export function stopsSuite(runtime: string, startBroker: StartBroker): void {
  describe(`stops on ${runtime}`, () => {
    const ends = new AsyncDisposableStack()
    let [github, api, broker] = [] as unknown as [GitHub, Vendor, RunningBroker]
    let [folder, policies] = ["", ""]
    let [grant, connection] = ["", ""]
    let runs = 100

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "daypass-stops-"))
      ends.defer(() => rmSync(folder, { recursive: true, force: true }))
      github = await startGitHub()
      ends.defer(() => github.close())
      api = await startGitHubVendor()
      ends.defer(() => api.close())
      policies = join(folder, "policies")
      mkdirSync(join(policies, "acme"), { recursive: true })
      writeFileSync(
        join(policies, "daypass.yaml"),
        `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
help: { url: "https://wiki.acme.example/daypass" }
alarms:
  token_replayed: { stop: unit, for: 1h, revoke: true }
connections:
  operators: { provider: broker, may: [stop, leases.revoke, audit.read, metrics.read, policies.read] }
${connectionLines([api])}`,
      )
      writeToolsPolicy(policies, [api])
      writeFileSync(join(policies, "acme/ops.yaml"), OPS_POLICY)
      ;[grant = ""] = Object.keys(api.grants)
      ;[connection = ""] = Object.keys(api.connections)
      broker = await startBroker({ policies, settings: vendorSecrets([api]) })
      ends.defer(async () => void (await broker.stop()))
      await trustBroker([api], broker.url)
    })
    afterAll(() => ends.disposeAsync())

    const tokenFile = async () => {
      const file = join(folder, `token-${++runs}`)
      writeFileSync(file, await github.mint({ ...OPS, run_id: `${runs}`, actor: "ann" }, { audience: broker.url }))
      return file
    }
    const daypass = async (...args: string[]) =>
      await runScripted({}, ...args, "--broker", broker.url, "--token-file", await tokenFile())
    const operator = async (name = "operator") => {
      const file = await tokenFile()
      const client = await openOperator(
        { broker: broker.url, "token-file": file, grant: name },
        { ...scriptedIo(), out: () => {}, err: () => {} },
      )
      const call = async (method: "GET" | "POST" | "DELETE", path: string, given: Record<string, unknown> = {}) => {
        const body = method === "DELETE" ? { query: given as Record<string, string> } : { json: given }
        const reply = await client.call({ method, path: `/v1/operate/${path}`, ...(method === "GET" ? {} : body) })
        return JSON.parse(reply.body.toString("utf8"))
      }
      return {
        client,
        stop: (target: Record<string, unknown>) => call("POST", "stops", { reason: "incident 7", ...target }),
        resume: (target: Record<string, unknown>) => call("DELETE", "stops", { reason: "it is over", ...target }),
        list: async () => ((await call("GET", "stops")) as StopsAnswer).stops.map(({ scope }) => scope),
        end: (target: Record<string, unknown>): Promise<EndLeasesAnswer> =>
          call("POST", "leases/end", { reason: "incident 7", since: new Date().toISOString(), ...target }),
      }
    }
    const ask = async (name = grant, path = "/v1/exchange") => {
      const token = await github.mint(toolsJob(`${++runs}`), { audience: broker.url })
      return await send(broker, path, { token, body: { grants: [name] } })
    }
    const recordsOf = async (unitId: string) =>
      (await broker.trail(github.issuer, unitId)).map(({ record }) => `${record.event}: ${record.reason}`)

    it("refuse a job at once with the reason and who helps, recorded before on the operator's side, until they are lifted", async () => {
      const by = await operator()
      expect((await ask()).status).toBe(200)
      expect(await by.stop({ on: "connection", name: connection, for: "2h" })).toMatchObject({
        scope: `connection ${connection}`,
        reason: "incident 7",
        by: "operator ann of acme/ops",
      })
      expect(await recordsOf("77")).toContainEqual(
        expect.stringMatching(/^stop\.ordered: connection \S+, until 2\S+Z: incident 7$/),
      )
      const refused = await ask()
      expect([refused.status, refused.json["code"]]).toEqual([403, "stopped"])
      expect(refused.json["help"]).toEqual({ url: "https://wiki.acme.example/daypass" })
      expect(refused.json["detail"]).toMatch(/^An operator of this broker has stopped this \(connection .*"incident 7"/)
      expect((await recordsOf(TOOLS.repository_id)).at(-1)).toBe(`exchange.denied: stopped: ${grant}`)
      expect((await ask(grant, "/v1/explain")).json).toMatchObject({ decision: "deny", code: "stopped" })
      const listed = await daypass("stop", "list")
      expect(listed.out).toMatch(/^connection \S+, since 2\S+Z, until 2\S+Z, by operator ann of acme\/ops: incident 7$/)
      expect(await daypass("resume", "connection", connection, "--reason", "it is over")).toMatchObject({
        code: 0,
        out: `resumed: connection ${connection}`,
      })
      expect((await recordsOf("77")).at(-1)).toBe(`stop.lifted: connection ${connection}: it is over`)
      expect((await ask()).status).toBe(200)
      expect(await by.list()).toEqual([])
    })

    it("let in whoever can lift them, with everything and the issuer stopped, and nobody else", async () => {
      const by = await operator()
      const said = await daypass("stop", "all", "--reason", "incident 8", "--json")
      expect(JSON.parse(said.out)).toMatchObject({ scope: "all", reason: "incident 8", until: null })
      await by.stop({ on: "issuer", name: "github" })
      await by.stop({ on: "owner", name: "github:acme" })
      expect((await ask()).json["code"]).toBe("stopped")
      await expect(operator("reader")).rejects.toMatchObject({ code: "stopped" })
      const other = await operator()
      expect(await other.list()).toEqual(["all", "issuer github", "owner acme (9001)"])
      for (const target of [{ on: "all" }, { on: "issuer", name: "github" }, { on: "owner", name: "github:9001" }]) {
        await other.resume(target)
      }
      expect((await ask()).status).toBe(200)
    })

    it("are ordered within an operator's scope only, and by nobody without the right", async () => {
      const [team, reader] = [await operator("of-tools"), await operator("reader")]
      const refused = { code: "not_allowed" }
      for (const target of [
        { on: "all" },
        { on: "issuer", name: "github" },
        { on: "owner", name: "github:acme" },
        { on: "unit", name: "github:77" },
        { on: "unit", name: "nowhere:42" },
        { on: "connection", name: connection },
        { on: "connection", name: "there-is-none" },
        { on: "grant", name: grant },
        { on: "grant", name: "operator", unit: "github:77" },
      ]) {
        await expect(team.stop(target)).rejects.toMatchObject(refused)
        await expect(team.end(target)).rejects.toMatchObject(refused)
        await expect(reader.stop(target)).rejects.toMatchObject(refused)
      }
      const own = { on: "unit", name: `github:${TOOLS.repository_id}` }
      await team.stop(own)
      expect((await ask()).json["code"]).toBe("stopped")
      await (await operator()).stop({ on: "connection", name: "operators" })
      expect(await team.list()).toEqual([expect.stringContaining(`(${TOOLS.repository_id})`)])
      await expect(team.resume({ on: "connection", name: "operators" })).rejects.toMatchObject(refused)
      await team.resume(own)
      await expect(team.resume(own)).rejects.toMatchObject(refused)
      await (await operator()).resume({ on: "connection", name: "operators" })
      expect((await ask()).status).toBe(200)
    })

    it("are refused when nothing of that name exists, or no reason is given", async () => {
      const by = await operator()
      for (const [target, says] of [
        [{ on: "connection", name: `${connection}x` }, `Did you mean "${connection}"?`],
        [{ on: "issuer", name: "circle" }, "It has: github."],
        [{ on: "owner", name: "github:acmee" }, 'Did you mean "acme"?'],
        [{ on: "unit", name: "acme/tools" }, "Write ISSUER:ID"],
        [{ on: "unit", name: "github:acme/never-seen" }, "Name it by its id"],
        [{ on: "all", reason: " " }, "Give a reason"],
        [{ on: "all", reason: "x".repeat(301) }, "at most 300 characters"],
        [{ on: "all", for: "soon" }, "a duration is"],
        [{ on: "everything" }, "on: "],
      ] as const) {
        const refusal = await by.stop(target).catch((error: Error) => error)
        expect(refusal).toMatchObject({ code: "request_malformed", message: expect.stringContaining(says) })
      }
      expect(await by.list()).toEqual([])
    })

    it("end what open leases hold at its vendor, when they are asked to", async () => {
      const by = await operator()
      const unit = { on: "unit", name: `github:${TOOLS.repository_id}` }
      await by.end(unit)
      await soon(() => expect(api.alive()).toBe(0))
      for (let index = 0; index < 3; index++) expect((await ask()).status).toBe(200)
      expect(api.alive()).toBe(3)
      const other = { on: "grant", name: "another-grant", unit: unit.name }
      expect(await by.end(other)).toMatchObject({ ended: 0, revoking: 0, unreached: 0, next: null })
      expect(api.alive()).toBe(3)
      expect(await by.end({ on: "grant", name: grant, unit: unit.name })).toMatchObject({ ended: 3, under_way: 0 })
      await soon(() => expect(api.alive()).toBe(0))
      await soon(async () => expect(await by.end(unit)).toMatchObject({ ended: 0, revoking: 0 }))
      const records = await recordsOf(TOOLS.repository_id)
      expect(
        records.filter((one) => one.includes(`stopped (grant ${grant} of `) && one.endsWith(`: incident 7: ${grant}`)),
      ).toHaveLength(3)
      expect((await recordsOf("77")).at(-1)).toContain("end leases: unit ")
      // A page that claims to follow another is recorded as well: only the caller says that there was a first one.
      const before = (await recordsOf("77")).length
      expect((await ask()).status).toBe(200)
      expect(await by.end({ ...unit, after: "1" })).toMatchObject({ ended: 1 })
      expect((await recordsOf("77")).slice(before)).toEqual([expect.stringContaining("end leases: unit ")])
      await soon(() => expect(api.alive()).toBe(0))
    })

    it.runIf(runtime === "Node")(
      "are not needed for one lease: a leaked value finds it in the record, and ends it",
      async () => {
        const { json } = await ask()
        const values = json["credentials"] as Readonly<Record<string, { values: Record<string, { value: string }> }>>
        const token = values[grant]?.values["token"]?.value ?? ""
        const before = api.alive()
        const search = async (...args: string[]) =>
          await runScripted(
            { now: () => new Date(), input: `${token}\n` },
            "audit",
            "search",
            "--broker",
            broker.url,
            ...args,
          )
        // The index is some seconds behind.
        const patiently = { interval: 500 }
        await expect
          .poll(async () => (await search("--value", "-", "--token-file", await tokenFile())).out, patiently)
          .toMatch(new RegExp(`^lease ${json["lease"]}: ALIVE until `))
        const reader = ["--token-file", await tokenFile(), "--grant", "reader"]
        const unheard = await search("--value", "-", "--revoke", "--reason", "it leaked", ...reader)
        expect([unheard.code, unheard.out, api.alive()]).toEqual([1, "", before])
        const ended = await search(
          "--value",
          "-",
          "--revoke",
          "--reason",
          "it leaked",
          "--token-file",
          await tokenFile(),
        )
        expect(ended).toMatchObject({ code: 0, err: "" })
        expect(ended.out).toContain("1 lease is being revoked")
        expect(ended.out).not.toContain(token)
        await soon(() => expect(api.alive()).toBe(before - 1))
        // The other answers read the same record, through the export of the operators' routes.
        const [report, tightened, same] = [
          await runScripted({}, "audit", "report", "--broker", broker.url, "--json", "--token-file", await tokenFile()),
          await runScripted(
            {},
            "tighten",
            policies,
            "--record",
            broker.url,
            "--json",
            "--token-file",
            await tokenFile(),
          ),
          await runScripted({}, "diff", policies, policies, "--record", broker.url, "--token-file", await tokenFile()),
        ]
        expect([report.code, tightened.code, same.code]).toEqual([0, 0, 0])
        const { accesses, operators } = JSON.parse(report.out)
        expect(accesses.map((one: { grant: string }) => one.grant)).toContain(grant)
        expect(operators.map((one: { reason: string }) => one.reason).join("\n")).toContain("it leaked")
        expect(JSON.parse(tightened.out)).toMatchObject({
          ok: true,
          refused: 0,
          patch: expect.stringContaining("+++ b/"),
        })
        expect(same.out).toContain("Both folders decide all ")
        const note = join(folder, "report.note")
        const signing = async () =>
          await runScripted(
            {},
            "audit",
            "report",
            "--broker",
            broker.url,
            "--sign",
            note,
            "--token-file",
            await tokenFile(),
          )
        await expect.poll(async () => (await signing()).code, patiently).toBe(0)
        const [, origin, hash] = readFileSync(note, "utf8").split("\n")
        expect([origin, hash]).toEqual([
          expect.stringContaining("/log/"),
          expect.stringMatching(/^sha256 [0-9a-f]{64}$/),
        ])
        expect((await recordsOf("77")).at(-1)).toContain(`sign the audit report with the SHA-256 ${hash?.slice(7)}`)
      },
      180_000,
    )

    it("are ordered by an alarm a moment after what it is for, and lifted by name", async () => {
      const token = await github.mint(toolsJob(`${++runs}`), { audience: broker.url })
      const use = async () => await send(broker, "/v1/exchange", { token, body: { grants: [grant] } })
      expect((await use()).status).toBe(200)
      expect([(await use()).json["code"], api.alive()]).toEqual(["token_already_used", 1])
      await soon(async () => expect((await ask(grant, "/v1/explain")).json["code"]).toBe("stopped"))
      expect((await ask()).json["detail"]).toMatch(
        /^The alarm token_replayed has stopped this \(unit acme\/tools \(42\)\) at 2/,
      )
      await soon(() => expect(api.alive()).toBe(0))
      await (await operator()).resume({ on: "unit", name: "github:acme/tools" })
      expect((await ask()).status).toBe(200)
    })

    it("are told in numbers beside all others, without the name of a unit, to whoever may read metrics", async () => {
      const by = await operator()
      await by.stop({ on: "grant", name: grant })
      expect((await ask()).json["code"]).toBe("stopped")
      const token = await github.mint({ ...OPS, run_id: `${++runs}` }, { audience: broker.url })
      const given = await send(broker, "/v1/exchange", { token, body: { grants: ["metrics"] } })
      const [metrics] = Object.values(
        given.json["credentials"] as Record<string, { values: Record<string, { value: string }> }>,
      )
      const read = async () => await send(broker, "/metrics", { token: metrics?.values["token"]?.value ?? "" })
      const { status, text } = await read()
      expect(status).toBe(200)
      const value = (series: string) =>
        Number(
          text
            .split("\n")
            .find((line) => line.startsWith(`${series} `))
            ?.split(" ")[1],
        )
      expect(value('daypass_exchanges_total{outcome="minted",code="ok"}')).toBeGreaterThan(5)
      expect(value("daypass_stops")).toBe(1)
      expect(value('daypass_signing_keys{state="active"}')).toBe(1)
      expect(value("daypass_ledgers")).toBeGreaterThan(0)
      expect(value('daypass_follow_lag_records{reader="index"}')).toBeGreaterThanOrEqual(0)
      expect(text).not.toMatch(/acme|github:/)
      // Counted once, however often it is read.
      const again = (await read()).text
      expect(again.match(/^daypass_exchanges_total.*$/gm)).toEqual(text.match(/^daypass_exchanges_total.*$/gm))
      await by.resume({ on: "grant", name: grant })
      expect((await send(broker, "/metrics")).status).toBe(401)
    })

    it("leave an operator the question whether the other side of a connection trusts the broker", async () => {
      const { client } = await operator("reader")
      const reply = await client.call({ method: "POST", path: "/v1/operate/doctor", json: { connection } })
      expect(JSON.parse(reply.body.toString("utf8"))).toMatchObject({
        connection,
        findings: [{ about: "App 730001 on acme", state: "trusted" }],
      })
    })
  })
}
