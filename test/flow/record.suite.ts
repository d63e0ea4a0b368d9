import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sha256 } from "@noble/hashes/sha2.js"
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest"
import type { ReviewInputs } from "../../action/review/inputs.ts"
import { recordOf } from "../../action/review/record.ts"
import { reviewFiles } from "../../action/review/review.ts"
import { ChainVerifier } from "../../analysis/audit/verify.ts"
import { readPolicyFolder } from "../../broker/adapters/node/read-policy-folder.ts"
import type { AuditRecord } from "../../broker/core/audit-record.ts"
import { EXPORT_PATH, LEDGERS_PATH, SEARCH_PATH } from "../../broker/wire/record.ts"
import { main } from "../../cli/main.ts"
import { nodeIo } from "../../cli/node-io.ts"
import { openOperator } from "../../cli/operate/client.ts"
import { runWork, scriptedIo } from "../cli/run-cli.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { startLogStorage } from "../support/github-api/run-logs.ts"
import { startGitHubApi } from "../support/github-api.ts"
import { type RunningBroker, type StartBroker, send } from "./world.ts"

const JOB = { ref: "refs/heads/main", repository_owner_id: "9001" }
const SHOP = { ...JOB, repository: "acme/shop", repository_id: "41" }
const TOOLS = { ...JOB, repository: "acme/tools", repository_id: "42" }
const OPS = { ...JOB, repository: "acme/ops", repository_id: "77" }

const policyOf = ({ repository, repository_id }: typeof SHOP, grants: string) => `version: 1
repository: ${repository}
repository_id: "${repository_id}"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [${[...grants.matchAll(/^ {2}([a-z-]+):/gm)].map(([, name]) => name)}] }
grants:
${grants}`

const JOBS =
  '  vault: { connection: ids, audience: "https://vault.example.com" }\n  registry: { connection: images, audience: "https://registry.example.com" }\n'
const OPERATORS = `  operator: { connection: operators, may: [audit.read] }
  ends-leases: { connection: operators, may: [audit.read, leases.revoke] }
  of-shop: { connection: operators, may: [audit.read], units: ["github:41"] }
  of-images: { connection: operators, may: [audit.read], connections: [images] }
  no-reader: { connection: operators, may: [policies.read] }
`

interface Found {
  readonly records: readonly { readonly record: AuditRecord; readonly ledger: { readonly unit_id: string } }[]
  readonly next: string | null
}

/** An operator sees the whole record, or the part of it that a grant covers. */
export function recordSuite(runtime: string, startBroker: StartBroker): void {
  describe(`the record on ${runtime}`, () => {
    const ends = new AsyncDisposableStack()
    let [github, broker] = [] as unknown as [GitHub, RunningBroker]
    let folder = ""
    let runs = 100

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "daypass-record-"))
      ends.defer(() => rmSync(folder, { recursive: true, force: true }))
      github = await startGitHub()
      ends.defer(() => github.close())
      const policies = join(folder, "policies")
      mkdirSync(join(policies, "acme"), { recursive: true })
      writeFileSync(
        join(policies, "daypass.yaml"),
        `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  operators: { provider: broker, may: [audit.read, leases.revoke, policies.read] }
  ids: { provider: identity-token, audiences: ["https://vault.example.com"] }
  images: { provider: identity-token, audiences: ["https://registry.example.com"] }
`,
      )
      writeFileSync(join(policies, "acme/shop.yaml"), policyOf(SHOP, JOBS))
      writeFileSync(join(policies, "acme/tools.yaml"), policyOf(TOOLS, JOBS))
      writeFileSync(join(policies, "acme/ops.yaml"), policyOf(OPS, OPERATORS))
      broker = await startBroker({ policies })
      ends.defer(async () => void (await broker.stop()))
      for (const [job, grant] of [
        [SHOP, "vault"],
        [SHOP, "registry"],
        [TOOLS, "registry"],
        [TOOLS, "nothing"],
      ] as const) {
        const token = await github.mint({ ...job, run_id: `${++runs}`, actor: "ann" }, { audience: broker.url })
        await send(broker, "/v1/exchange", { token, body: { grants: [grant] } })
      }
    })
    afterAll(() => ends.disposeAsync())

    const io = { ...scriptedIo(), out: () => {}, err: () => {} }
    const optionsOf = async (grant: string) => {
      const file = join(folder, `token-${++runs}`)
      writeFileSync(file, await github.mint({ ...OPS, run_id: `${runs}`, actor: "bob" }, { audience: broker.url }))
      return { broker: broker.url, "token-file": file, grant }
    }
    const operator = async (grant = "operator") => {
      const client = await openOperator(await optionsOf(grant), io)
      return async <Answer>(path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> =>
        JSON.parse((await client.call({ method: "GET", path, query })).body.toString("utf8")) as Answer
    }
    const eventsIn = ({ records }: Found) => records.map(({ record, ledger }) => `${ledger.unit_id} ${record.event}`)

    it("is searched by what is in it, seconds after it was made", async () => {
      const get = await operator()
      const search = (query: Readonly<Record<string, string>>) => get<Found>(SEARCH_PATH, query)
      // Under a heavy load the follower comes later.
      await expect.poll(async () => (await search({ actor: "ann" })).records.length).toBe(4)
      expect(eventsIn(await search({ actor: "ann" }))).toEqual([
        "42 exchange.denied",
        "42 exchange.minted",
        "41 exchange.minted",
        "41 exchange.minted",
      ])
      expect(eventsIn(await search({ connection: "images", unit: "acme/shop" }))).toEqual(["41 exchange.minted"])
      expect(eventsIn(await search({ code: "not_allowed" }))).toEqual(["42 exchange.denied"])
      expect(eventsIn(await search({ actor: "ann", since: "2100-01-01T00:00:00Z" }))).toEqual([])
      const first = await search({ actor: "ann", limit: "3" })
      expect(first.records).toHaveLength(3)
      expect(eventsIn(await search({ actor: "ann", limit: "3", cursor: first.next ?? "" }))).toEqual([
        "41 exchange.minted",
      ])
      const [newest] = (await search({ actor: "ann" })).records
      expect((await broker.trail(github.issuer, "42")).map(({ record }) => record)).toContainEqual(newest?.record)
      for (const wrong of [
        { since: "yesterday" },
        { actors: "ann" },
        { limit: "501" },
        { cursor: "x" },
        { unit: "" },
      ]) {
        const [member = ""] = Object.keys(wrong)
        // The client has a sentence of its own for a member that the broker does not know.
        const told = member === "actors" ? "does not know all members" : `${member}: `
        await expect(search(wrong as Readonly<Record<string, string>>)).rejects.toThrow(told)
      }
    })

    it("lists its ledgers, with names and heads", async () => {
      const get = await operator()
      const ledgers = async () => (await get<{ ledgers: readonly Record<string, unknown>[] }>(LEDGERS_PATH)).ledgers
      for (const [{ repository, repository_id }, records] of [
        [SHOP, 2],
        [TOOLS, 2],
      ] as const) {
        const trail = await broker.trail(github.issuer, repository_id)
        expect(trail).toHaveLength(records)
        // At the edge, a ledger tells of itself every few seconds.
        await expect.poll(ledgers, { interval: 500 }).toContainEqual(
          expect.objectContaining({
            ...{ ledger: { issuer: github.issuer, unit_id: repository_id }, unit: repository },
            ...{ owner: "acme", owner_id: "9001", head: { seq: records, chain: trail.at(-1)?.chain } },
          }),
        )
      }
    })

    it("is exported as a file that verifies, in whole, of one unit, and from a time on", async () => {
      const exported = async (...args: readonly string[]) => {
        const options = Object.entries(await optionsOf("operator")).flatMap(([name, value]) => [`--${name}`, value])
        const out = join(folder, `export-${++runs}.jsonl`)
        expect(await runWork("audit export", [...options, "--out", out, ...args], io)).toBe(0)
        const verifier = new ChainVerifier(sha256)
        verifier.push(readFileSync(out))
        const verdict = verifier.end()
        if (!verdict.ok) throw new Error(verdict.fault.reason)
        return verdict.ledgers
      }
      const whole = await exported()
      expect(whole.map(({ ledger }) => ledger.unit_id)).toEqual(expect.arrayContaining(["41", "42", "77"]))
      const trail = await broker.trail(github.issuer, "42")
      const head = { seq: trail.length, chain: trail.at(-1)?.chain }
      expect(whole).toContainEqual(expect.objectContaining(head))
      expect(await exported("--unit", "acme/tools")).toEqual([expect.objectContaining(head)])
      const from = await exported("--unit", "acme/tools", "--since", trail.at(-1)?.record.at ?? "")
      expect(from).toEqual([expect.objectContaining({ ...head, after: trail.length - 1 })])
    })

    it("tells a review, by its job's own token, which runs a change would refuse; and why it does not", async () => {
      const before = readPolicyFolder(join(folder, "policies"))
      const after = before.map((file) =>
        file.path === "acme/shop.yaml"
          ? { ...file, bytes: Buffer.from(policyOf(SHOP, JOBS.replace(/ {2}registry: .*\n/, ""))) }
          : file,
      )
      const job = github.job({ ...OPS, run_id: `${++runs}`, actor: "bob" })
      const told = async (record: ReviewInputs["record"]) => {
        for (const [name, value] of Object.entries(job.env)) vi.stubEnv(name, value)
        onTestFinished(() => void vi.unstubAllEnvs())
        const reviewIo = { ...io, now: () => new Date() }
        const wishes = { folder: "policies", strict: false, minCoverage: null, approved: "" }
        const { sections } = await reviewFiles(before, after, wishes, recordOf(record, false, reviewIo))
        return sections.find(({ title }) => title === "What recorded jobs would get")?.lines.join("\n") ?? ""
      }
      const said = await told({ broker: broker.url, grant: "operator" })
      expect(said).toMatch(/^- REFUSED {2}1 exchange of acme\/shop \(id 41\), no environment: registry$/m)
      expect(said).not.toContain("acme/tools")
      expect(await told({ broker: broker.url, grant: "no-reader" })).toMatch(/^The record of .* cannot be read: /)
      expect(await told(null)).toBe("")
    })

    it("is seen within an operator's scope only, and by nobody without the right", async () => {
      const ofShop = await operator("of-shop")
      expect(eventsIn(await ofShop<Found>(SEARCH_PATH))).toEqual(["41 exchange.minted", "41 exchange.minted"])
      expect(eventsIn(await ofShop<Found>(SEARCH_PATH, { unit: "acme/tools" }))).toEqual([])
      const { ledgers } = await ofShop<{ ledgers: readonly { readonly unit: string }[] }>(LEDGERS_PATH)
      expect(ledgers.map(({ unit }) => unit)).toEqual(["acme/shop"])
      const client = await openOperator(await optionsOf("of-shop"), io)
      let text = ""
      for await (const chunk of await client.stream({ method: "GET", path: EXPORT_PATH })) text += chunk
      expect(text).toContain('"unit_id":"41"')
      expect(text).not.toContain('"unit_id":"42"')

      const ofImages = await operator("of-images")
      const seen = await ofImages<Found>(SEARCH_PATH, { actor: "ann" })
      expect(eventsIn(seen)).toEqual(["42 exchange.minted", "41 exchange.minted"])
      await expect(ofImages(EXPORT_PATH)).rejects.toMatchObject({ code: "not_allowed" })
      const nobody = await operator("no-reader")
      for (const path of [SEARCH_PATH, LEDGERS_PATH, EXPORT_PATH]) {
        await expect(nobody(path)).rejects.toMatchObject({ code: "not_allowed" })
      }
    })

    it("says which value of a run is in its logs, wherever and however the log has it, and ends it", async () => {
      const run = `${++runs}`
      const token = await github.mint({ ...TOOLS, run_id: run, actor: "ann" }, { audience: broker.url })
      const { json } = await send(broker, "/v1/exchange", { token, body: { grants: ["registry"] } })
      const credentials = json["credentials"] as { registry: { values: { token: { value: string } } } }
      const value = credentials.registry.values.token.value
      const [api, storage] = await Promise.all([startGitHubApi(), startLogStorage()])
      ends.defer(() => api.close())
      ends.defer(() => storage.close())
      const owner = { login: "acme", id: 9001 }
      const repository = api.host(42, owner, "tools")
      const reader = api.install(owner, { permissions: { actions: "read" } })
      const stamped = (...lines: readonly string[]) =>
        lines.map((line) => `2026-11-29T12:00:00.1234567Z ${line}\n`).join("")
      const basic = Buffer.from(`x:${value}`).toString("base64")
      const clean = { "0_build.txt": stamped("ok"), "build/1_Set up job.txt": stamped("ok") }
      const leaky = {
        "build/2_Run deploy.txt": stamped("first", `Authorization: Basic ${basic}`),
        "0_build.txt": stamped("ok", "first", `Authorization: Basic ${basic}`),
      }
      const logs = { status: "completed" as const, attempts: 2, logs: [storage.keep(clean), storage.keep(leaky)] }
      repository.runLogs.set(run, logs)

      const scan = async (grant: string, permissions: Readonly<Record<string, string>>, ...args: readonly string[]) => {
        const options = Object.entries(await optionsOf(grant)).flatMap(([name, given]) => [`--${name}`, given])
        const [out, err]: string[][] = [[], []]
        reader.permissions = permissions
        const env = { GITHUB_API_URL: api.url, GH_TOKEN: api.tokenFor(reader) }
        const own = { out: (text: string) => void out?.push(text), err: (text: string) => void err?.push(text), env }
        const all = ["scan", "--run", run, "--repository", "acme/tools", ...options, ...args]
        const code = await main(all, "1.2.3", { ...scriptedIo(), http: nodeIo("1.2.3").http, ...own })
        for (const text of [...(out ?? []), ...(err ?? [])]) expect(text).not.toContain(value)
        return { code, out: out?.join("\n") ?? "", err: err?.join("\n") ?? "" }
      }
      await expect.poll(async () => (await scan("operator", { actions: "read" })).code).toBe(1)
      const found = await scan("operator", { actions: "read" })
      expect(found.out).toMatch(
        /^attempt 2, job build, step Run deploy, line 2: the value token of registry \(base64\), lease [0-9a-f-]{36}\n1 value of the run in 7 lines of 2 attempts\.\nlease [0-9a-f-]{36}: ALIVE until /,
      )
      expect(await scan("operator", {})).toMatchObject({
        code: 2,
        err: expect.stringContaining("give it the permission actions: read"),
      })
      // What may not be deleted is revoked all the same; the identity token can only expire.
      const undeleted = await scan("ends-leases", { actions: "read" }, "--revoke", "--delete-log")
      expect([undeleted.code, undeleted.err]).toEqual([
        1,
        expect.stringContaining("give it the permission actions: write"),
      ])
      expect(undeleted.out).toContain("\n0 leases are being revoked\nwhat cannot be revoked expires by 2")
      const deleted = await scan("ends-leases", { actions: "write" }, "--delete-log")
      expect([deleted.code, deleted.out]).toEqual([1, expect.stringContaining("The logs of all attempts are deleted.")])
      const gone = await scan("operator", { actions: "read" }, "--strict", "--json")
      expect([gone.code, JSON.parse(gone.out)]).toEqual([
        1,
        expect.objectContaining({
          found: [],
          unread: ["the logs of attempt 1 (gone)", "the logs of attempt 2 (gone)"],
        }),
      ])
      repository.runLogs.set(run, { ...logs, status: "in_progress" as never })
      expect((await scan("operator", { actions: "read" })).err).toContain("GitHub has its logs when it is over")
      expect((await scan("of-shop", { actions: "read" })).err).toContain("has no record of run")
      expect(storage.unexpected).toEqual([])
    })
  })
}
