import { generateKeyPairSync, sign } from "node:crypto"
import { beforeEach, describe, expect, it } from "vitest"
import { StoredGuards } from "../../../broker/adapters/cloudflare/guards.ts"
import {
  createKvPolicySource,
  FLOOR_CHECK_SECONDS,
  type KvPolicyOptions,
  type KvPolicySource,
  type KvReader,
  POLICIES_FRESH_SECONDS,
  POLICIES_RETRY_SECONDS,
  POLICIES_STALE_SECONDS,
} from "../../../broker/adapters/cloudflare/kv-policy-source.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { Identity } from "../../../broker/core/identity.ts"
import { compiledPolicy } from "../../../broker/core/policy/compiled.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import {
  CURRENT_KEY,
  PUBLISHED_AHEAD_SECONDS,
  type PublishedCurrent,
  signedText,
} from "../../../broker/core/policy/published.ts"
import type { PolicySource } from "../../../broker/ports/policy-source.ts"
import { published } from "../../../cli/push/publication.ts"
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
let source: KvPolicySource

const clock = clockOf(() => new Date(START + seconds * 1000))
/** As the key ring's object has it. */
let floor: StoredGuards
let events: string[]
const options = (): KvPolicyOptions => ({
  clock,
  providers: TEST_PROVIDERS,
  floor: { raiseFloor: async (at) => floor.raiseFloor(at) },
  publishers: [],
  log: (event) => void events.push(JSON.stringify(event)),
  deadlineMs: 5,
})
const open = (changes: Partial<KvPolicyOptions> = {}) => createKvPolicySource(store, { ...options(), ...changes })

function newFloor(): StoredGuards {
  const values = new Map<string, string>()
  return new StoredGuards(
    (name) => values.get(name) ?? null,
    (name, value) => void values.set(name, value),
  )
}

beforeEach(() => {
  store = new Store()
  floor = newFloor()
  events = []
  seconds = 0
  source = open()
})

const JOBS = ["41", "42", "43", "44"].map((unitId) => job({ unitId }))

const versionOfSet = (set: PolicySet) => published(set, new Date(0)).current.version

/** What decides a job, by a whole set: its version, its organisation's limits and its policies. */
const byRights = (set: PolicySet, of: Identity) =>
  JSON.stringify([versionOfSet(set), [...set.organisation.connections], set.policiesOf(of).map(compiledPolicy)])

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
          floor = newFloor()
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
    expect((await source.snapshot()).version).toBe(versionOfSet(NEW))
    const { policies, version } = await snapshot.policiesOf(job())
    expect(version).toBe(versionOfSet(OLD))
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
    expect(await bySource(source, job({ unitId: "44" }))).toBe(byRights(OLD, job({ unitId: "44" })))
    expect(await bySource(source, job({ unitId: "42" }))).toBe(byRights(OLD, job({ unitId: "42" })))
    store.show(OLD)
    expect(await codeNow()).toBe(byRights(OLD, job()))
  })

  it.each([true, "silent"] as const)("are unavailable while KV is down (%s), unless they were read", async (down) => {
    store.show(OLD)
    await codeNow(job({ unitId: "42" }))
    store.down = down
    expect(await codeNow()).toBe("policy_unavailable")
    expect(await codeNow(job({ unitId: "42" }))).toBe(byRights(OLD, job({ unitId: "42" })))
  })
})

describe("current in Workers KV", () => {
  it("decides for 30 seconds, and is then read by the next request", async () => {
    store.show(OLD)
    expect(await versionNow()).toEqual({ version: versionOfSet(OLD), asked: 1 })
    store.show(NEW, START + 1)
    seconds = POLICIES_FRESH_SECONDS - 0.001
    expect(await versionNow()).toEqual({ version: versionOfSet(OLD), asked: 0 })
    seconds = POLICIES_FRESH_SECONDS
    expect(await versionNow()).toEqual({ version: versionOfSet(NEW), asked: 1 })
    expect(source.status()).toMatchObject({ version: versionOfSet(NEW), policies: NEW.policyCount })
  })

  it.each<[string, string | null]>([
    ["missing", null],
    ["empty", ""],
    ["no JSON", "{"],
    ["of the future", JSON.stringify({ format: 3, version: "x" })],
    ["something else", JSON.stringify({ policies: [] })],
  ])("refuses everybody at once when it is %s, whatever was in force", async (_, text) => {
    for (const heldBefore of [false, true]) {
      store = new Store()
      floor = newFloor()
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
      const reason = expect.stringMatching(/published policies/)
      const since = new Date(START + seconds * 1000).toISOString()
      expect(await source.health.look()).toEqual({ state: "unavailable", reason, since })
      store.show(NEW, START + 1)
      expect((await source.snapshot()).version).toBe(versionOfSet(NEW))
      expect(await source.health.look()).toEqual({ state: "ok" })
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
      const { notes } = await (await source.snapshot()).policiesOf(job({ unitId: "44" }))
      expect(notes).toEqual([expect.stringContaining(stale.since)])
      expect(source.status()).toEqual({ version, policies: 2, loaded_at, stale })
      const reason = expect.stringContaining("Workers KV does not confirm the published policies.")
      expect(await source.health.look()).toEqual({ state: "degraded", reason, since: stale.since })
      seconds = POLICIES_STALE_SECONDS
      expect((await source.snapshot()).version).toBe(version)
      expect(source.status().stale).toEqual(stale)
      seconds = POLICIES_STALE_SECONDS + 0.001
      expect(source.status().version).toBe(null)
      await expect(source.snapshot()).rejects.toMatchObject({ code: "policy_unavailable" })
      expect(await source.health.look()).toMatchObject({ state: "unavailable" })
      store.down = false
      expect((await source.snapshot()).version).toBe(version)
      expect(source.status().stale).toBeUndefined()
      expect(await source.health.look()).toEqual({ state: "ok" })
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

  it("does not go back to an older one that KV shows again, and keeps its own for ten minutes", async () => {
    store.show(NEW, START + 1)
    await source.snapshot()
    store.show(OLD, START)
    seconds = POLICIES_FRESH_SECONDS
    expect((await source.snapshot()).version).toBe(versionOfSet(NEW))
    expect(source.status().stale).toBeDefined()
    seconds = POLICIES_STALE_SECONDS
    expect((await source.snapshot()).version).toBe(versionOfSet(NEW))
    seconds = POLICIES_STALE_SECONDS + POLICIES_RETRY_SECONDS
    const error = await source.snapshot().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "policy_unavailable", detail: expect.stringContaining("publish the older") })
    store.show(OLD, START + 2)
    expect((await source.snapshot()).version).toBe(versionOfSet(OLD))
    expect(source.status().stale).toBeUndefined()
  })

  it("is refused by an instance that knows nothing, when it is older than what any instance has taken", async () => {
    store.show(NEW, START + 1)
    await source.snapshot()
    store.show(OLD, START)
    for (let turn = 0; turn < 2; turn++) await expect(open().snapshot()).rejects.toThrow("publish the older")
    store.show(NEW, START + 1)
    expect((await open().snapshot()).version).toBe(versionOfSet(NEW))
    store.show(OLD, START + 2)
    expect((await open().snapshot()).version).toBe(versionOfSet(OLD))
  })

  it("is refused in the end by an instance that holds it, when KV was set back behind a set that another one took", async () => {
    store.show(OLD)
    expect(await codeNow()).toBe(byRights(OLD, job()))
    store.show(NEW, START + 1000)
    await open().snapshot()
    store.show(OLD)
    for (; seconds <= FLOOR_CHECK_SECONDS + POLICIES_STALE_SECONDS + POLICIES_FRESH_SECONDS; seconds += 10) {
      await codeNow()
    }
    expect(await codeNow()).toBe("policy_unavailable")
  })

  it("is refused while the floor cannot be read, or bridged by the set of before", async () => {
    store.show(OLD)
    let down = true
    const raiseFloor = async (at: string) => {
      if (down) throw new BrokerError("ledger_unavailable", "the ledger cannot be reached")
      return floor.raiseFloor(at)
    }
    source = open({ floor: { raiseFloor } })
    await expect(source.snapshot()).rejects.toMatchObject({ code: "policy_unavailable" })
    down = false
    expect((await source.snapshot()).version).toBe(versionOfSet(OLD))
    down = true
    store.show(NEW, START + 1)
    seconds = POLICIES_FRESH_SECONDS
    expect((await source.snapshot()).version).toBe(versionOfSet(OLD))
    expect(source.status().stale).toBeDefined()
  })

  it.each<[string, (current: PublishedCurrent) => object, RegExp]>([
    [
      "another organisation file",
      (one) => ({ ...one, organisation: { ...one.organisation, requireBoundToken: true } }),
      /digest/,
    ],
    ["another repository's hash", (one) => ({ ...one, repositories: {} }), /digest/],
    ["another digest", (one) => ({ ...one, version: "0".repeat(64) }), /digest/],
    ["a signature that is no text", (one) => ({ ...one, signature: 7 }), /cannot be read/],
    [
      "a time in the future",
      (one) => ({ ...one, published_at: new Date(START + (PUBLISHED_AHEAD_SECONDS + 1) * 1000).toISOString() }),
      /from the future/,
    ],
  ])("is refused with %s, which is told once in the log", async (_, change, message) => {
    store.show(NEW)
    const current = JSON.parse(store.values.get(CURRENT_KEY) ?? "") as PublishedCurrent
    store.values.set(CURRENT_KEY, JSON.stringify(change(current)))
    for (let turn = 0; turn < 3; turn++) await expect(source.snapshot()).rejects.toThrow(message)
    expect(events).toEqual([expect.stringMatching(/^\{"event":"policies.refused"/)])
    // A refused set raises no floor.
    store.show(OLD)
    expect((await open().snapshot()).version).toBe(versionOfSet(OLD))
  })

  describe("when publishers are named", () => {
    const pair = () => generateKeyPairSync("ed25519")
    const [ours, theirs] = [pair(), pair()]
    const publicHalf = ({ publicKey }: typeof ours) =>
      publicKey.export({ type: "spki", format: "der" }).toString("base64")
    const signed = (set: PolicySet, by: typeof ours | null, at = START): PublishedCurrent => {
      const { current } = published(set, new Date(at))
      if (by === null) return current
      return {
        ...current,
        signature: sign(null, Buffer.from(signedText(current)), by.privateKey).toString("base64url"),
      }
    }
    const takes = async (current: object, publishers = [publicHalf(ours)]) => {
      store.show(NEW)
      store.values.set(CURRENT_KEY, JSON.stringify(current))
      return await open({ publishers })
        .snapshot()
        .then(({ version }) => version)
        .catch((error: BrokerError) => error.code)
    }

    it("is taken when one of them signed it", async () => {
      expect(await takes(signed(NEW, ours))).toBe(versionOfSet(NEW))
      expect(await takes(signed(NEW, theirs), [publicHalf(ours), publicHalf(theirs)])).toBe(versionOfSet(NEW))
    })

    it.each<[string, () => object]>([
      ["without a signature", () => signed(NEW, null)],
      ["signed by somebody else", () => signed(NEW, theirs)],
      ["with the signature of another set", () => ({ ...signed(NEW, null), signature: signed(OLD, ours).signature })],
      [
        "with the signature of another time",
        () => ({ ...signed(NEW, ours), published_at: signed(NEW, null, START + 1).published_at }),
      ],
      [
        "with a signature that is cut",
        () => ({ ...signed(NEW, ours), signature: signed(NEW, ours).signature?.slice(0, 40) }),
      ],
      ["with a signature that is no base64", () => ({ ...signed(NEW, ours), signature: "%" })],
    ])("is refused %s", async (_, make) => {
      expect(await takes(make())).toBe("policy_unavailable")
    })
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
      { ...options(), deadlineMs: 10_000 },
    )
    const first = racing.snapshot()
    reader = store
    store.show(NEW, START + 1)
    expect((await racing.snapshot()).version).toBe(versionOfSet(NEW))
    late.resolve()
    expect((await first).version).toBe(versionOfSet(NEW))
    expect(racing.status().version).toBe(versionOfSet(NEW))
  })

  it("is a rollback when somebody publishes an older set anew", async () => {
    store.show(NEW, START)
    await source.snapshot()
    store.show(OLD, START + 1)
    seconds = POLICIES_FRESH_SECONDS
    expect((await source.snapshot()).version).toBe(versionOfSet(OLD))
    expect(source.status().stale).toBeUndefined()
  })

  it("knows of nothing before anybody asked", () => {
    store.show(OLD)
    expect(source.status()).toEqual({ version: null, policies: 0, loaded_at: null })
    expect(store.asked).toEqual([])
  })
})
