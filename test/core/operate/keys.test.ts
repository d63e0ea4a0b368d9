import { describe, expect, it } from "vitest"
import type { AuditDraft } from "../../../broker/core/audit-record.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { OperatorRight, OperatorScope } from "../../../broker/core/operator-rights.ts"
import { Secret } from "../../../broker/core/secret.ts"
import type { Broker } from "../../../broker/exchange/broker.ts"
import { handleContext } from "../../../broker/exchange/lease.ts"
import { createOperateRoutes } from "../../../broker/http/operate/app.ts"
import { KEY_CACHES } from "../../../broker/operate/key-caches.ts"
import { keepOwnKeys } from "../../../broker/operate/keys.ts"
import type { Directory, LedgerEntry } from "../../../broker/ports/directory.ts"
import type { Documents } from "../../../broker/ports/documents.ts"
import type { HandleChange, Ledger, OpenLease } from "../../../broker/ports/ledger.ts"
import type { RequestEvent } from "../../../broker/ports/log.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { GITHUB_APP_KEY } from "../../../broker/signing/app-key.ts"
import { operatorTokenClaims } from "../../../broker/signing/operator-token.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"
import type { HandlesPage, KeysReport, ResealPage, RotationReport } from "../../../broker/wire/keys.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { ringInMemory } from "../../support/key-ring.ts"
import { makeProofMaker, proofClaims } from "../../support/proofs.ts"
import { job } from "../job.ts"

const URL_OF_BROKER = "https://daypass.example.com"
const ISSUER = "https://issuer.example"
const kek = (first: number) => new Secret(Uint8Array.from({ length: 32 }, (_, index) => first + index))
const LOG_KEY = { kind: "log-key", unit: "-", id: "0011" } as const
const holder = await makeProofMaker()
const [before, both] = await Promise.all([
  createSealer(kek(0), "test", cryptography),
  createSealer(kek(9), "test", cryptography, kek(0)),
])

/** A unit's open leases, each with one handle. */
type Leases = Record<string, string>

async function world(sealer = both, units: Record<string, Leases> = {}) {
  const clock = new TestClock(Date.parse("2026-11-22T12:00:00.000Z"))
  const keyRing = ringInMemory()
  const records: { unit: string; draft: AuditDraft }[] = []
  let isFull = false
  const ledgerOf = (issuerUrl: string, unitId: string): Partial<Ledger> => ({
    useProof: async () => true,
    async append(draft) {
      if (isFull) throw new BrokerError("ledger_unavailable", "The ledger's disk is full.")
      records.push({ unit: `${issuerUrl} ${unitId}`, draft })
    },
    async openLeases(after, limit): Promise<readonly OpenLease[]> {
      const ids = Object.keys(units[unitId] ?? {}).sort()
      return ids
        .filter((id) => id > after)
        .slice(0, limit)
        .map((lease) => ({
          lease,
          credentials: [{ grant: "g", sealedHandle: units[unitId]?.[lease] ?? "" } as OpenLease["credentials"][number]],
        }))
    },
    async replaceHandles(changes: readonly HandleChange[]) {
      for (const { lease, before: old, after } of changes) {
        const leases = units[unitId]
        if (leases?.[lease] === old) leases[lease] = after
      }
    },
  })
  const names = Object.keys(units)
  const directory: Directory = {
    async list({ after, limit }) {
      const begin = after === undefined ? 0 : Number(after)
      const ledgers = names.slice(begin, begin + limit).map((unitId) => ({ issuerUrl: ISSUER, unitId }) as LedgerEntry)
      return { ledgers, next: begin + limit < names.length ? String(begin + limit) : null }
    },
    entry: async () => null,
  }
  // The keys were made before the deployment key was changed.
  await createSigner({ keyRing, sealer: before, cryptography, clock }).publicKeys()
  const signer = createSigner({ keyRing, sealer, cryptography, clock })
  const broker = {
    ...{ url: URL_OF_BROKER, clock, cryptography, signer, sealer, providers: PROVIDERS },
    ledgers: { of: ledgerOf },
    policySource: { snapshot: () => Promise.reject(new BrokerError("policy_unavailable", "Not now.")) },
  } as unknown as Broker
  const sealed = await before.seal(new Secret("key"), GITHUB_APP_KEY)
  const log = JSON.stringify({ birth: "0011", sealed: await before.seal(new Secret("log key"), LOG_KEY) })
  let document = { version: 1, text: log }
  const documents: Documents = {
    read: async () => document,
    async replace(_, version, text) {
      if (version !== document.version) return false
      document = { version: version + 1, text }
      return true
    },
  }
  const keys = {
    keyRing,
    documents,
    rotateEverySeconds: 90 * 24 * 3600,
    sealedSettings: [{ name: "DAYPASS_GITHUB_APP_KEY", sealed }],
  }
  const routes = createOperateRoutes({
    ...{ broker, keys, directory, gauges: [], documents },
    counts: () => Promise.reject(new Error("nobody counts")),
  })

  async function call<Answer>(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
    may: readonly OperatorRight[] = ["keys.rotate"],
    scope: OperatorScope = {},
  ): Promise<Answer> {
    const about = { issuer: URL_OF_BROKER, identity: job(), grant: "operator", lease: "lease-1", ttlSeconds: 900 }
    const claims = operatorTokenClaims({ ...about, may, scope, holder: holder.thumbprint, now: clock.now() })
    const token = (await signer.sign(claims)).reveal()
    const url = `${URL_OF_BROKER}${path}`
    const target = { method, url: url.split("?")[0] ?? url, token }
    const dpop = await holder.prove(await proofClaims(target, clock.now().getTime() / 1000))
    const request = new Request(url, {
      method,
      headers: { authorization: `Bearer ${token}`, dpop, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const event: RequestEvent = { request_id: "request-1", route: "operate" }
    const client = { isGone: () => false, clientAddress: "203.0.113.7" }
    const response = await routes.fetch(request, { client, event })
    return (await response.json()) as Answer
  }
  const fill = () => {
    isFull = true
  }
  return { clock, keyRing, records, broker, keys, call, fill }
}

const sealHandle = (unitId: string, lease: string, sealer = before) =>
  sealer.seal(new Secret(`handle of ${lease}`), handleContext({ issuerUrl: ISSUER, unitId }, lease, "g"))

describe("the keys, for operators", () => {
  it("are listed with their states, their schedule and what they are sealed under", async () => {
    const { call } = await world()
    const report = await call<KeysReport>("GET", "/v1/operate/keys")
    expect(report).toMatchObject({
      keys: [{ state: "active", next: null, sealed_under: "previous", activated_at: "2026-11-22T12:00:00.000Z" }],
      rotate_every_seconds: 7_776_000,
      publishes_next_at: "2027-02-19T12:00:00.000Z",
      log_key_sealed_under: "previous",
      has_previous_kek: true,
      settings: [{ name: "DAYPASS_GITHUB_APP_KEY", sealed_under: "previous" }],
      // The policies cannot be loaded: an incident does not wait for them.
      verifiers: [],
    })
  })

  it("are rotated, replaced and retired, each recorded before in the ledger of the operator's unit", async () => {
    const { call, records } = await world()
    const published = await call<RotationReport>("POST", "/v1/operate/keys/rotate", {})
    expect(published).toMatchObject({ outcome: "published", signs_from: "2026-11-23T12:00:00.000Z" })
    expect(await call("POST", "/v1/operate/keys/retire", { kid: published.kid })).toEqual({ kid: published.kid })
    const replaced = await call<RotationReport>("POST", "/v1/operate/keys/rotate", { now: true })
    const { keys } = await call<KeysReport>("GET", "/v1/operate/keys")
    expect(keys.map(({ kid }) => kid)).toEqual([replaced.kid])
    expect(records.map(({ unit, draft }) => [unit, draft.event, draft.client_address])).toEqual(
      Array(3).fill(["https://token.actions.githubusercontent.com 41", "keys.changed", "203.0.113.7"]),
    )
    expect(records.map(({ draft }) => draft.reason.replaceAll(/[\w-]{43}/g, "KID"))).toEqual([
      "the next signing key KID is published",
      "the signing key KID leaves the key set",
      "the new signing key KID signs at once, and these leave the key set: KID",
    ])
  })

  it("do not change without the right, for a part of the deployment, with other members, or unrecorded", async () => {
    const { call, keyRing, fill } = await world()
    const stored = keyRing.stored()
    const acts = ["rotate", "retire", "reseal"].map((act) => `/v1/operate/keys/${act}`)
    for (const path of acts) {
      await expect(call("POST", path, {}, ["stop", "audit.read"])).rejects.toThrow("keys.rotate")
      await expect(call("POST", path, {}, ["keys.rotate"], { owners: ["github:1"] })).rejects.toThrow(
        "whole deployment",
      )
      await expect(call("POST", path, { force: true })).rejects.toMatchObject({ code: "request_malformed" })
    }
    await expect(
      call("GET", "/v1/operate/keys/handles", undefined, ["keys.rotate"], { units: ["a:1"] }),
    ).rejects.toThrow("whole deployment")
    await expect(call("POST", acts[1] ?? "", { kid: stored[0]?.kid })).rejects.toThrow("This key signs")
    fill()
    await expect(call("POST", acts[0] ?? "", { now: true })).rejects.toThrow("disk is full")
    await expect(call("POST", acts[2] ?? "", {})).rejects.toThrow("disk is full")
    expect(keyRing.stored()).toBe(stored)
  })

  it("seal anew every handle that opens, page by page, and leave a damaged one alone", async () => {
    const units: Record<string, Leases> = {}
    for (let unit = 0; unit < 60; unit++) {
      const id = String(unit).padStart(2, "0")
      units[id] = { a: await sealHandle(id, "a") }
    }
    // More leases than one page has, in the middle of a page of ledgers.
    const many = units["30"] ?? {}
    for (let lease = 0; lease < 230; lease++) many[`b${String(lease).padStart(3, "0")}`] = await sealHandle("30", "x")
    for (const id of Object.keys(many)) many[id] = await sealHandle("30", id)
    const copied = await sealHandle("00", "of another place")
    const lost = await sealHandle("00", "c", await createSealer(kek(99), "test", cryptography))
    Object.assign(units["00"] ?? {}, { b: copied, c: lost })
    const { call, records } = await world(both, units)

    const walk = async <Page extends HandlesPage>(ask: (after: string | null) => Promise<Page>) => {
      const total = { current: 0, previous: 0, other: 0, resealed: 0, ledgers: 0, pages: 0 }
      for (let after: string | null = null, page: Page; ; after = page.next) {
        page = await ask(after)
        for (const name of ["current", "previous", "other"] as const) total[name] += page.handles[name]
        total.resealed += page.resealed
        total.ledgers = Math.max(total.ledgers, page.ledgers)
        total.pages += 1
        if (page.next === null) return total
      }
    }
    const look = () =>
      walk((after) =>
        call<HandlesPage>(
          "GET",
          `/v1/operate/keys/handles${after === null ? "" : `?after=${encodeURIComponent(after)}`}`,
        ),
      )
    expect(await look()).toMatchObject({ current: 0, previous: 291, other: 1 })
    const counts = await walk((after) => call<ResealPage>("POST", "/v1/operate/keys/reseal", { after }))
    expect(counts).toMatchObject({ current: 290, previous: 1, other: 1, resealed: 290, pages: 3 })
    expect(await look()).toMatchObject({ current: 290, previous: 1, other: 1 })
    expect(units["00"]).toMatchObject({ b: copied, c: lost })
    const only = await createSealer(kek(9), "test", cryptography)
    const anew = await only.open(many["b229"] ?? "", handleContext({ issuerUrl: ISSUER, unitId: "30" }, "b229", "g"))
    expect(anew.reveal()).toBe("handle of b229")
    const after = await call<KeysReport>("GET", "/v1/operate/keys")
    expect([after.keys[0]?.sealed_under, after.log_key_sealed_under]).toEqual(["current", "current"])
    // The first page's act, and the signing key: not each page.
    expect(records).toHaveLength(2)
    for (const next of ["", "{}", "x", '{"page":1}']) {
      await expect(call("POST", "/v1/operate/keys/reseal", { after: next })).rejects.toThrow("next of the page before")
    }
  })

  it("are not sealed anew without a previous deployment key, and the answer says what to set", async () => {
    const { call } = await world(before)
    await expect(call("POST", "/v1/operate/keys/reseal", {})).rejects.toThrow("DAYPASS_KEK_PREVIOUS is not set")
  })

  it("are kept by the broker itself, in the deployment's own record", async () => {
    const { broker, keys, records, clock } = await world()
    await keepOwnKeys(broker, keys)
    clock.advance(89 * 24 * 3600)
    await keepOwnKeys(broker, keys)
    expect(records.map(({ unit, draft }) => [unit, draft.event, draft.identity])).toEqual(
      Array(2).fill([`${URL_OF_BROKER} broker`, "keys.changed", null]),
    )
    expect(records.map(({ draft }) => draft.reason.replaceAll(/[\w-]{43}/g, "KID"))).toEqual([
      "signing keys sealed under the new DAYPASS_KEK: 1",
      "the next signing key KID is published, by the schedule",
    ])
  })
})

describe("the table of who caches the keys", () => {
  it("has every provider whose other side verifies the broker's tokens, and no other", () => {
    const verifying = [...PROVIDERS.keys()].filter((name) => !["1password", "broker", "github", "sops"].includes(name))
    expect([...KEY_CACHES.keys()].sort()).toEqual(verifying.sort())
  })
})
