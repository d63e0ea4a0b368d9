import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sha256 } from "@noble/hashes/sha2.js"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ChainVerifier } from "../../analysis/audit/verify.ts"
import type { AuditRecord } from "../../broker/core/audit-record.ts"
import { EXPORT_PATH, LEDGERS_PATH, SEARCH_PATH } from "../../broker/wire/record.ts"
import { openOperator } from "../../cli/operate/client.ts"
import { runWork, scriptedIo } from "../cli/run-cli.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
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
  operators: { provider: broker, may: [audit.read, policies.read] }
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
  })
}
