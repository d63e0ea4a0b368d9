import { beforeEach, describe, expect, it } from "vitest"
import {
  createKvPolicySource,
  type KvReader,
  POLICIES_FRESH_SECONDS,
  POLICIES_RETRY_SECONDS,
  POLICIES_STALE_SECONDS,
} from "../../../broker/adapters/cloudflare/kv-policy-source.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { Identity } from "../../../broker/core/identity.ts"
import { compiledPolicy } from "../../../broker/core/policy/compiled.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { CURRENT_KEY, published } from "../../../broker/core/policy/published.ts"
import type { PolicySource } from "../../../broker/ports/policy-source.ts"
import { policySourceSuite } from "../../contract/policy-source.suite.ts"
import { clockOf } from "../../support/clock.ts"
import { job } from "../job.ts"
import { allowing, ORGANISATION, policyOf, setOf, TEST_PROVIDERS } from "../policy/support.ts"

const START = Date.parse("2026-11-22T12:00:00Z")
const MAIN = allowing("{ ref: refs/heads/main }")
const TRUNK = allowing("{ ref: refs/heads/trunk }")
const FREEZE = policyOf("deny:\n  - name: freeze\n")
const WIDE = `version: 1\nrepository: acme/*\nenvironment: production\nallow:\n  - name: wide\n    grants: [wide]\ngrants:\n  wide: { connection: notes }\n`

const OLD = setOf({ "p.yaml": MAIN, "q.yaml": MAIN.replace('"41"', '"42"') })
/** What a hurried reader must not see the half of: more for everybody, except for repository 41; and 42 gone. */
const NEW = setOf(
  { "p.yaml": MAIN, "freeze.yaml": FREEZE, "wide.yaml": WIDE, "r.yaml": TRUNK.replace('"41"', '"43"') },
  ORGANISATION.replace("max_ttl: 30m", "max_ttl: 20m"),
)

/** A store that shows what a test lays out, and counts how often it was asked. */
class Store implements KvReader {
  values = new Map<string, string>()
  /** Rejects when true; never answers when "silent". */
  down: boolean | "silent" = false
  asked: string[] = []
  readonly options: unknown[] = []

  async get(key: string, options: { readonly type: "text"; readonly cacheTtl?: number }): Promise<string | null> {
    this.asked.push(key)
    this.options.push(options)
    if (this.down === "silent") return new Promise(() => {})
    if (this.down) throw new Error("KV GET failed: 500 of acme's account")
    return this.values.get(key) ?? null
  }

  show(set: PolicySet, at = START): void {
    const { current, entries } = published(set, new Date(at))
    for (const [key, text] of entries) this.values.set(key, text)
    this.values.set(CURRENT_KEY, JSON.stringify(current))
  }
}

let store: Store
let seconds: number
let source: PolicySource

const clock = clockOf(() => new Date(START + seconds * 1000))
const open = () => createKvPolicySource(store, { clock, providers: TEST_PROVIDERS, deadlineMs: 5 })

beforeEach(() => {
  store = new Store()
  seconds = 0
  source = open()
})

const JOBS = ["41", "42", "43", "44"].map((repositoryId) => job({ repositoryId }))

/** What decides a job, by a whole set: its version, its organisation's limits and its policies. */
const byRights = (set: PolicySet, of: Identity) =>
  JSON.stringify([set.version, [...set.organisation.connections], set.policiesOf(of).map(compiledPolicy)])

/** The same by a source; the code of the error when there is no answer. */
async function bySource(from: PolicySource, of: Identity): Promise<string> {
  try {
    const snapshot = await from.snapshot()
    const { policies, version } = await snapshot.policiesOf(of)
    expect(version).toBe(snapshot.version)
    return JSON.stringify([version, [...snapshot.organisation.connections], policies.map(compiledPolicy)])
  } catch (error) {
    expect(error).toBeInstanceOf(BrokerError)
    return error instanceof BrokerError ? error.code : ""
  }
}

const versionNow = async () => {
  const before = store.asked.length
  const { version } = await source.snapshot()
  return { version, asked: store.asked.length - before }
}

const codeNow = (of: Identity = job()) => bySource(source, of)

describe("policies in Workers KV", () => {
  policySourceSuite(async () => {
    store.show(setOf({ "p.yaml": MAIN }))
    return source
  })

  it("are those of the set that was published, for every repository", async () => {
    store.show(NEW)
    for (const of of JOBS) expect(await bySource(source, of)).toBe(byRights(NEW, of))
  })

  it("are asked for with the shortest cache that KV has", async () => {
    store.show(OLD)
    await source.snapshot()
    expect(store.options).toEqual([{ type: "text", cacheTtl: 30 }])
  })
})

describe("a reader of Workers KV", () => {
  const [before, after] = [OLD, NEW].map((set, index) => published(set, new Date(START + index)))
  const keys = [...new Set([...(before?.entries.keys() ?? []), ...(after?.entries.keys() ?? [])])]
  const texts = new Map([...(before?.entries ?? []), ...(after?.entries ?? [])])
  const currents = [undefined, JSON.stringify(before?.current), JSON.stringify(after?.current)]

  it("sees the old set or the new one or an error, whichever keys KV shows already, and whichever no more", async () => {
    const outcomes = { old: 0, new: 0, error: 0 }
    for (const held of currents) {
      for (const current of currents) {
        for (let shown = 0; shown < 2 ** keys.length; shown++) {
          store = new Store()
          seconds = 0
          source = open()
          if (held !== undefined) store.values.set(CURRENT_KEY, held)
          for (const of of JOBS) await bySource(source, of)
          seconds = POLICIES_FRESH_SECONDS
          store.values.clear()
          keys.forEach((key, index) => {
            if (shown & (1 << index)) store.values.set(key, texts.get(key) ?? "")
          })
          if (current !== undefined) store.values.set(CURRENT_KEY, current)
          for (const of of JOBS) {
            const seen = await bySource(source, of)
            if (seen === byRights(OLD, of)) outcomes.old++
            else if (seen === byRights(NEW, of)) outcomes.new++
            else {
              expect(seen).toBe("policy_unavailable")
              outcomes.error++
            }
          }
        }
      }
    }
    expect(keys).toHaveLength(4)
    // None of the three is a rarity that the loop never came to.
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(50)
  })

  it("goes on with one set for one request, whatever is published meanwhile", async () => {
    store.show(OLD)
    const snapshot = await source.snapshot()
    store.show(NEW, START + 1)
    seconds = POLICIES_FRESH_SECONDS
    expect((await source.snapshot()).version).toBe(NEW.version)
    const { policies, version } = await snapshot.policiesOf(job())
    expect(version).toBe(OLD.version)
    expect(policies.map(compiledPolicy)).toEqual(OLD.policiesOf(job()).map(compiledPolicy))
  })

  it("holds a repository's policies to the organisation file that they are read with", async () => {
    const tighter = setOf(
      { "p.yaml": MAIN },
      `${ORGANISATION}`.replace("notes: { provider: note }", "notes: { provider: note, require_bound_token: true }"),
    )
    store.show(setOf({ "p.yaml": MAIN }))
    await (await source.snapshot()).policiesOf(job())
    store.show(tighter, START + 1)
    seconds = POLICIES_FRESH_SECONDS
    const [policy] = (await (await source.snapshot()).policiesOf(job())).policies
    expect(policy?.grants.get("note")?.connection.requireBoundToken).toBe(true)
  })
})

describe("a repository's policies in Workers KV", () => {
  const key = () => [...store.values.keys()].find((name) => name.includes("/41/")) ?? ""

  it("are read once, and again only when they differ", async () => {
    store.show(OLD)
    for (let turn = 0; turn < 3; turn++) await codeNow()
    expect(store.asked).toEqual([CURRENT_KEY, key()])
    seconds = POLICIES_FRESH_SECONDS
    await codeNow()
    expect(store.asked).toEqual([CURRENT_KEY, key(), CURRENT_KEY])
  })

  it.each<[string, (text: string) => string | null]>([
    ["missing", () => null],
    ["empty", () => ""],
    ["no policies", () => "[]"],
    ["cut", (text) => text.slice(0, -2)],
    ["another text", (text) => text.replace("refs/heads/main", "refs/heads/evil")],
    [
      "another repository's",
      () => store.values.get([...store.values.keys()].find((name) => name.includes("/42/")) ?? "") ?? "",
    ],
  ])("are unavailable when their value is %s, and again available when it is right", async (_, damage) => {
    store.show(OLD)
    const good = store.values.get(key()) ?? ""
    const bad = damage(good)
    if (bad === null) store.values.delete(key())
    else store.values.set([...store.values.keys()].find((name) => name.includes("/41/")) ?? "", bad)
    expect(await codeNow()).toBe("policy_unavailable")
    // A repository without policies is still known to have none, and others have theirs.
    expect(await bySource(source, job({ repositoryId: "44" }))).toBe(byRights(OLD, job({ repositoryId: "44" })))
    expect(await bySource(source, job({ repositoryId: "42" }))).toBe(byRights(OLD, job({ repositoryId: "42" })))
    store.show(OLD)
    expect(await codeNow()).toBe(byRights(OLD, job()))
  })

  it.each([true, "silent"] as const)("are unavailable while KV is down (%s), unless they were read", async (down) => {
    store.show(OLD)
    await codeNow(job({ repositoryId: "42" }))
    store.down = down
    expect(await codeNow()).toBe("policy_unavailable")
    expect(await codeNow(job({ repositoryId: "42" }))).toBe(byRights(OLD, job({ repositoryId: "42" })))
  })
})

describe("current in Workers KV", () => {
  it("decides for 30 seconds, and is then read by the next request", async () => {
    store.show(OLD)
    expect(await versionNow()).toEqual({ version: OLD.version, asked: 1 })
    store.show(NEW, START + 1)
    seconds = POLICIES_FRESH_SECONDS - 0.001
    expect(await versionNow()).toEqual({ version: OLD.version, asked: 0 })
    seconds = POLICIES_FRESH_SECONDS
    expect(await versionNow()).toEqual({ version: NEW.version, asked: 1 })
    expect(source.status()).toMatchObject({ version: NEW.version, policies: NEW.policyCount })
  })

  it.each<[string, string | null]>([
    ["missing", null],
    ["empty", ""],
    ["no JSON", "{"],
    ["of the future", JSON.stringify({ format: 2, version: "x" })],
    ["something else", JSON.stringify({ policies: [] })],
  ])("refuses everybody at once when it is %s, whatever was in force", async (_, text) => {
    for (const heldBefore of [false, true]) {
      store = new Store()
      source = open()
      seconds = 0
      if (heldBefore) {
        store.show(OLD)
        await source.snapshot()
        seconds = POLICIES_FRESH_SECONDS
      }
      if (text === null) store.values.delete(CURRENT_KEY)
      else store.values.set(CURRENT_KEY, text)
      await expect(source.snapshot()).rejects.toMatchObject({ code: "policy_unavailable", retryAfterSeconds: 5 })
      expect(source.status()).toEqual({ version: null, policies: 0, loaded_at: null })
      store.show(NEW, START + 1)
      expect((await source.snapshot()).version).toBe(NEW.version)
    }
  })

  it.each([true, "silent"] as const)(
    "stays in force for ten minutes while KV is down (%s), and says so",
    async (down) => {
      store.show(OLD)
      await source.snapshot()
      const { version, loaded_at } = source.status()
      store.down = down
      seconds = POLICIES_FRESH_SECONDS
      const stale = { since: new Date(START + 30_000).toISOString(), faults: 0 }
      const { notes } = await (await source.snapshot()).policiesOf(job({ repositoryId: "44" }))
      expect(notes).toEqual([expect.stringContaining(stale.since)])
      expect(source.status()).toEqual({ version, policies: 2, loaded_at, stale })
      seconds = POLICIES_STALE_SECONDS
      expect((await source.snapshot()).version).toBe(version)
      expect(source.status().stale).toEqual(stale)
      seconds = POLICIES_STALE_SECONDS + 0.001
      expect(source.status().version).toBe(null)
      await expect(source.snapshot()).rejects.toMatchObject({ code: "policy_unavailable" })
      store.down = false
      expect((await source.snapshot()).version).toBe(version)
      expect(source.status().stale).toBeUndefined()
    },
  )

  it("is asked for seldom while KV is down, so that no job waits for it", async () => {
    store.show(OLD)
    await source.snapshot()
    store.down = true
    seconds = POLICIES_FRESH_SECONDS
    expect((await versionNow()).asked).toBe(1)
    expect((await versionNow()).asked).toBe(0)
    seconds += POLICIES_RETRY_SECONDS
    expect((await versionNow()).asked).toBe(1)
  })

  it("says nothing of the store in its errors", async () => {
    store.down = true
    const error = await source.snapshot().catch((thrown: unknown) => thrown)
    expect(String(error)).not.toContain("acme's account")
  })

  it("does not go back to an older one that KV shows again, for ten minutes", async () => {
    store.show(NEW, START + 1)
    await source.snapshot()
    store.show(OLD, START)
    seconds = POLICIES_FRESH_SECONDS
    expect((await source.snapshot()).version).toBe(NEW.version)
    expect(source.status().stale).toBeDefined()
    seconds = POLICIES_STALE_SECONDS
    expect((await source.snapshot()).version).toBe(NEW.version)
    seconds = POLICIES_STALE_SECONDS + POLICIES_RETRY_SECONDS
    expect((await source.snapshot()).version).toBe(OLD.version)
    expect(source.status().stale).toBeUndefined()
  })

  it("does not go back when an earlier request's reading comes in later", async () => {
    store.show(OLD)
    const late = Promise.withResolvers<void>()
    const slow: KvReader = {
      get: async (key, options) => {
        const value = await store.get(key, options)
        await late.promise
        return value
      },
    }
    let reader: KvReader = slow
    const racing = createKvPolicySource(
      { get: (key, options) => reader.get(key, options) },
      { clock, providers: TEST_PROVIDERS, deadlineMs: 10_000 },
    )
    const first = racing.snapshot()
    reader = store
    store.show(NEW, START + 1)
    expect((await racing.snapshot()).version).toBe(NEW.version)
    late.resolve()
    expect((await first).version).toBe(NEW.version)
    expect(racing.status().version).toBe(NEW.version)
  })

  it("is a rollback when somebody publishes an older set anew", async () => {
    store.show(NEW, START)
    await source.snapshot()
    store.show(OLD, START + 1)
    seconds = POLICIES_FRESH_SECONDS
    expect((await source.snapshot()).version).toBe(OLD.version)
    expect(source.status().stale).toBeUndefined()
  })

  it("knows of nothing before anybody asked", () => {
    store.show(OLD)
    expect(source.status()).toEqual({ version: null, policies: 0, loaded_at: null })
    expect(store.asked).toEqual([])
  })
})
