import { beforeEach, describe, expect, test } from "vitest"
import { withRepositoryPolicies } from "../../../broker/adapters/github/policy-source.ts"
import type {
  RepositoryMemory,
  RepositoryPolicyReader,
  RepositoryReading,
} from "../../../broker/adapters/github/repository-policies.ts"
import { createMemoryPolicySource } from "../../../broker/adapters/memory/policy-source.ts"
import type { Identity } from "../../../broker/core/identity.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import type { Refusal } from "../../../broker/github/answer.ts"
import type { BrokerEvent } from "../../../broker/ports/log.ts"
import type { PolicySource } from "../../../broker/ports/policy-source.ts"
import { TestClock } from "../../support/clock.ts"
import { refusal } from "../issuers/fixture.ts"
import { job } from "../job.ts"
import { allowing, ISSUER_URL, ORGANISATION, setOf, TEST_PROVIDERS } from "../policy/support.ts"

const MINUTE = 60
const WHEN = "{ ref: refs/heads/main }"
const GOOD = allowing(WHEN)
const BETTER = allowing("{ ref: refs/heads/trunk }")
const BROKEN = `${GOOD}unknown_key: 1\n`
const FILE = ".github/daypass/production.yaml"

const CEILING = ORGANISATION.replace(
  `    owners: { acme: "9001" }\n`,
  `    owners: { acme: "9001" }\n    repository_policies: true\n`,
).replace(
  "boundaries: []",
  "boundaries:\n  - name: shop\n    when: { repository: acme/shop }\n    allow:\n      - { connection: notes }",
)

type Said = { readonly text: string } | { readonly outcome: "absent" } | Refusal

/** GitHub as the source sees it: says what a test laid out, and counts how often it was asked. */
class Reader implements RepositoryPolicyReader {
  said: Said = { text: GOOD }
  fullName = "acme/shop"
  asked: { readonly unitId: string; readonly ownerId: string; readonly memory: RepositoryMemory | null }[] = []
  gate: Promise<void> | null = null
  #last: Extract<RepositoryReading, { readonly outcome: "files" }> | null = null

  async read(
    subject: Pick<Identity, "unitId" | "ownerId">,
    memory: RepositoryMemory | null,
  ): Promise<RepositoryReading> {
    const { unitId, ownerId } = subject
    this.asked.push({ unitId, ownerId, memory })
    const { said, fullName } = this
    await this.gate
    if ("text" in said) return this.#files(said.text, fullName)
    return said.outcome === "absent" ? { outcome: "absent", fullName, memory: MEMORY } : said
  }

  /** Waits until it was asked that often, answered or not. */
  async reached(count: number): Promise<void> {
    while (this.asked.length < count) await Promise.resolve()
  }

  #files(text: string, fullName: string): RepositoryReading {
    const treeSha = treeOf(text)
    if (this.#last?.treeSha !== treeSha || this.#last.fullName !== fullName) {
      const files = [{ path: FILE, bytes: new TextEncoder().encode(text) }]
      this.#last = { outcome: "files", files, fullName, treeSha, memory: MEMORY }
    }
    return this.#last
  }
}

const MEMORY = {} as RepositoryMemory
const treeOf = (text: string) => `tree-${text.length}-${text.includes("trunk")}`

let clock: TestClock
let reader: Reader
let events: BrokerEvent[]
let set: PolicySet

function sourceOver(current: () => PolicySet, reading: RepositoryPolicyReader | null = reader): PolicySource {
  const base: PolicySource = {
    snapshot: () => createMemoryPolicySource(current(), clock.now()).snapshot(),
    status: () => createMemoryPolicySource(current(), clock.now()).status(),
  }
  const log = (event: unknown) => void events.push(event as BrokerEvent)
  return withRepositoryPolicies(base, { reader: reading, issuerUrl: ISSUER_URL, clock, providers: TEST_PROVIDERS, log })
}

let source: PolicySource
beforeEach(() => {
  clock = new TestClock(Date.parse("2026-11-22T10:00:00Z"))
  reader = new Reader()
  events = []
  set = setOf({}, CEILING)
  source = sourceOver(() => set)
})

const SHOP = job({ claims: { repository: "acme/shop", ref: "refs/heads/main" } })
const policiesOf = async (identity: Identity = SHOP, from = source) => (await from.snapshot()).policiesOf(identity)
const refusalOf = (identity: Identity = SHOP, from = source) => refusal(policiesOf(identity, from))

describe("a repository's own policies", () => {
  test("are added to the organisation's, and say that they are its own", async () => {
    set = setOf({ "shop.yaml": allowing(WHEN) }, CEILING)
    const { policies, version, notes } = await policiesOf()
    expect(policies.map(({ file, origin }) => [file, origin])).toEqual([
      ["shop.yaml", "organisation"],
      [FILE, "repository"],
    ])
    expect(version).toBe(`${set.version}+${treeOf(GOOD)}`)
    expect(notes).toEqual([])
    expect(reader.asked).toEqual([{ unitId: "41", ownerId: "9001", memory: null }])
  })

  test("are none when GitHub says that there are none", async () => {
    reader.said = { outcome: "absent" }
    expect(await policiesOf()).toEqual({ policies: [], version: set.version, notes: [] })
  })

  const NOT_ASKED: [string, string, Partial<Identity>][] = [
    [
      "the issuer's repositories keep none",
      CEILING.replace("repository_policies: true", "repository_policies: false"),
      {},
    ],
    ["the organisation does not say that they do", CEILING.replace("    repository_policies: true\n", ""), {}],
    [
      "no boundary is about the repository",
      CEILING,
      { unit: "acme/blog", unitId: "43", claims: { repository: "acme/blog" } },
    ],
    ["the job is of another owner", CEILING, { ownerId: "666" }],
    ["the job is of an issuer that is not listed", CEILING, { issuer: "ghes" }],
    [
      "the job is of an issuer that only has the name",
      CEILING,
      { issuerUrl: "https://ghes.example.com/_services/token" },
    ],
  ]
  test.each(NOT_ASKED)("are not asked for when %s", async (_, organisation, change) => {
    set = setOf({}, organisation)
    expect(await policiesOf({ ...SHOP, ...change })).toEqual({ policies: [], version: set.version, notes: [] })
    expect(reader.asked).toEqual([])
  })

  test("are refused, never none, when the broker has no GitHub App", async () => {
    const error = await refusalOf(
      SHOP,
      sourceOver(() => set, null),
    )
    expect(error.code).toBe("policy_unavailable")
    expect(error.detail).toContain("set DAYPASS_GITHUB_APP_ID and DAYPASS_GITHUB_APP_KEY")
  })

  test("are refused, never none, when the App serves another issuer", async () => {
    const url = "https://ghes.example.com/_services/token"
    set = setOf({}, CEILING.replace(ISSUER_URL, url))
    const error = await refusalOf({ ...SHOP, issuerUrl: url })
    expect(error.code).toBe("policy_unavailable")
    expect(error.detail).toContain("does not serve this issuer")
    expect(reader.asked).toEqual([])
  })

  test("leave the status to the organisation's set", () => {
    expect(source.status()).toMatchObject({ version: set.version })
  })
})

describe("what GitHub said", () => {
  test("holds for a minute, without a request", async () => {
    await policiesOf()
    reader.said = { text: BETTER }
    clock.advance(MINUTE - 1)
    expect((await policiesOf()).version).toContain(treeOf(GOOD))
    expect(reader.asked).toHaveLength(1)
    clock.advance(1)
    expect((await policiesOf()).version).toContain(treeOf(BETTER))
    expect(reader.asked).toHaveLength(2)
    expect(reader.asked[1]?.memory).toBe(MEMORY)
  })

  test("holds for a minute when it was that there are none, too", async () => {
    reader.said = { outcome: "absent" }
    await policiesOf()
    clock.advance(MINUTE - 1)
    await policiesOf()
    expect(reader.asked).toHaveLength(1)
  })

  test("is checked once for each version of the files and each organisation file", async () => {
    await policiesOf()
    clock.advance(MINUTE)
    await policiesOf()
    expect(events).toHaveLength(1)
    set = setOf({}, `${CEILING}\nrequire_bound_token: true\n`)
    await policiesOf()
    expect(events).toHaveLength(2)
    expect(reader.asked).toHaveLength(2)
    expect(events[0]).toEqual({
      event: "policies.loaded",
      detail: `1 policies, acme/shop's own, version ${treeOf(GOOD)}`,
    })
  })

  test("is that of one repository and one owner: neither another's nor a former owner's jobs get it", async () => {
    await policiesOf()
    reader.said = { outcome: "no-access", why: "owner-changed" }
    set = setOf({}, CEILING.replace(`acme: "9001"`, `acme: "9001", globex: "9002"`))
    expect((await refusalOf({ ...SHOP, ownerId: "9002" })).detail).toContain("names another owner")
    expect((await policiesOf()).policies).toHaveLength(1)
  })

  test("is not brought back by a slow answer after a later one", async () => {
    const slow = Promise.withResolvers<void>()
    reader.gate = slow.promise
    const first = policiesOf()
    await reader.reached(1)
    clock.advance(1)
    reader.gate = null
    reader.said = { outcome: "absent" }
    expect((await policiesOf()).policies).toEqual([])
    slow.resolve()
    expect((await first).policies).toEqual([])
    expect((await policiesOf()).policies).toEqual([])
  })
})

describe("while GitHub does not answer", () => {
  const DOWN: [string, Refusal, number][] = [
    ["is down", { outcome: "failed", reason: "answered with status 503" }, 5],
    ["asks for patience", { outcome: "rate-limited", retryAfterSeconds: 77 }, 77],
  ]

  test.each(DOWN)(
    "because it %s, what it last confirmed counts for ten minutes, and the trace says so",
    async (_, down, wait) => {
      await policiesOf()
      reader.said = down
      clock.advance(10 * MINUTE - 1)
      const { policies, notes, version } = await policiesOf()
      expect(policies).toHaveLength(1)
      expect(version).toContain(treeOf(GOOD))
      expect(notes).toEqual([
        expect.stringMatching(/are those of 2026-11-22T10:00:00Z, and stay in force until 2026-11-22T10:10:00Z/),
      ])
      clock.advance(1)
      expect(await refusalOf()).toMatchObject({ code: "policy_unavailable", retryAfterSeconds: wait })
    },
  )

  test.each(DOWN)("because it %s, nothing is taken for none where nothing was confirmed", async (_, down, wait) => {
    reader.said = down
    expect(await refusalOf()).toMatchObject({ code: "policy_unavailable", status: 503, retryAfterSeconds: wait })
  })

  test("that there are none counts for ten minutes as well", async () => {
    reader.said = { outcome: "absent" }
    await policiesOf()
    reader.said = { outcome: "failed", reason: "answered with status 503" }
    clock.advance(10 * MINUTE - 1)
    expect(await policiesOf()).toMatchObject({ policies: [], notes: [expect.stringContaining("status 503")] })
    clock.advance(1)
    expect((await refusalOf()).code).toBe("policy_unavailable")
  })

  test("it is asked every five seconds at most, and the ten minutes begin anew when it confirms", async () => {
    await policiesOf()
    reader.said = { outcome: "failed", reason: "did not answer in time" }
    clock.advance(5 * MINUTE)
    await policiesOf()
    clock.advance(4)
    await policiesOf()
    expect(reader.asked).toHaveLength(2)
    clock.advance(1)
    reader.said = { text: GOOD }
    expect((await policiesOf()).notes).toEqual([])
    reader.said = { outcome: "failed", reason: "did not answer in time" }
    clock.advance(9 * MINUTE)
    expect((await policiesOf()).policies).toHaveLength(1)
  })
})

describe("no access", () => {
  test("refuses at once, whatever was confirmed, and says what to do", async () => {
    await policiesOf()
    reader.said = { outcome: "no-access", why: "not-installed" }
    clock.advance(MINUTE)
    const error = await refusalOf()
    expect(error.code).toBe("policy_unavailable")
    expect(error.detail).toContain("not installed on acme/shop: install it")
    expect(error.retryAfterSeconds).toBeUndefined()
  })

  test("is asked about again after five seconds", async () => {
    reader.said = { outcome: "no-access", why: "not-installed" }
    await refusalOf()
    reader.said = { text: GOOD }
    clock.advance(4)
    await refusalOf()
    clock.advance(1)
    expect((await policiesOf()).policies).toHaveLength(1)
    expect(reader.asked).toHaveLength(2)
  })

  test("is not turned into what was confirmed before by a failure after it", async () => {
    await policiesOf()
    reader.said = { outcome: "no-access", why: "permission" }
    clock.advance(MINUTE)
    await refusalOf()
    reader.said = { outcome: "failed", reason: "answered with status 503" }
    clock.advance(5)
    expect((await refusalOf()).code).toBe("policy_unavailable")
  })
})

describe("files with faults", () => {
  test("are refused with the place and the reason of each fault, when none were good before", async () => {
    reader.said = { text: BROKEN }
    const error = await refusalOf()
    expect(error.code).toBe("policy_invalid")
    expect(error.detail).toMatch(
      /in the repository acme\/shop have faults.*\.github\/daypass\/production\.yaml:[0-9]+:1: .*unknown_key/,
    )
    expect(events).toEqual([
      { event: "policies.refused", detail: expect.stringContaining("1 faults in acme/shop's own") },
    ])
  })

  test("show the first three faults", async () => {
    reader.said = { text: `${GOOD}a: 1\nb: 2\nc: 3\nd: 4\n` }
    const { detail } = await refusalOf()
    expect(detail.match(/production\.yaml:[0-9]+/g)).toHaveLength(3)
    expect(detail).toContain("And 1 more.")
  })

  test("leave the last good ones in force for ten minutes since GitHub confirmed those", async () => {
    await policiesOf()
    clock.advance(MINUTE)
    await policiesOf()
    reader.said = { text: BROKEN }
    clock.advance(MINUTE)
    for (const wait of [0, 8 * MINUTE + 59]) {
      clock.advance(wait)
      const { policies, version, notes } = await policiesOf()
      expect(policies).toHaveLength(1)
      expect(version).toBe(`${set.version}+${treeOf(GOOD)}`)
      expect(notes).toEqual([
        expect.stringMatching(
          /The version of 2026-11-22T10:01:00Z stays in force until 2026-11-22T10:11:00Z.*production\.yaml:[0-9]+:1/,
        ),
      ])
    }
    clock.advance(1)
    expect((await refusalOf()).code).toBe("policy_invalid")
  })

  test("are not followed by good ones that an organisation file no longer allows", async () => {
    await policiesOf()
    reader.said = { text: BROKEN }
    clock.advance(MINUTE)
    expect((await policiesOf()).policies).toHaveLength(1)
    set = setOf({}, CEILING.replaceAll("notes", "remarks"))
    expect((await refusalOf()).code).toBe("policy_invalid")
  })

  test("do not bring back what GitHub said was removed", async () => {
    await policiesOf()
    reader.said = { outcome: "absent" }
    clock.advance(MINUTE)
    expect((await policiesOf()).policies).toEqual([])
    reader.said = { text: BROKEN }
    clock.advance(MINUTE)
    expect((await refusalOf()).code).toBe("policy_invalid")
  })

  test("do not bring back what GitHub refused to show meanwhile", async () => {
    await policiesOf()
    reader.said = { outcome: "no-access", why: "suspended" }
    clock.advance(MINUTE)
    await refusalOf()
    reader.said = { text: BROKEN }
    clock.advance(5)
    expect((await refusalOf()).code).toBe("policy_invalid")
  })

  test("are mended by the next good ones", async () => {
    reader.said = { text: BROKEN }
    await refusalOf()
    reader.said = { text: BETTER }
    clock.advance(MINUTE)
    expect((await policiesOf()).version).toContain(treeOf(BETTER))
  })

  test("are those of a repository whose new name they do not have", async () => {
    await policiesOf()
    reader.fullName = "acme/store"
    clock.advance(MINUTE)
    const { notes } = await policiesOf()
    expect(notes).toEqual([expect.stringContaining("have faults now")])
    clock.advance(10 * MINUTE)
    const error = await refusalOf()
    expect(error.code).toBe("policy_invalid")
    expect(error.detail).toContain("acme/store")
  })

  test("are those that speak of another repository", async () => {
    reader.said = { text: GOOD.replace(`"41"`, `"42"`) }
    expect(await refusalOf()).toMatchObject({
      code: "policy_invalid",
      detail: expect.stringContaining("repository_id"),
    })
  })
})

describe("jobs that start together", () => {
  test("read side by side, none waiting for another, up to a bound; the others are told to come back", async () => {
    const open = Promise.withResolvers<void>()
    reader.gate = open.promise
    const asking = Array.from({ length: 8 }, () => policiesOf())
    await reader.reached(8)
    expect(await refusalOf()).toMatchObject({ code: "policy_unavailable", retryAfterSeconds: 5 })
    open.resolve()
    for (const { policies } of await Promise.all(asking)) expect(policies).toHaveLength(1)
    expect(reader.asked).toHaveLength(8)
    expect((await policiesOf()).policies).toHaveLength(1)
  })

  test("and were cancelled keep nobody out for longer than ten seconds", async () => {
    reader.gate = new Promise(() => {})
    for (let index = 0; index < 8; index += 1) void policiesOf()
    await reader.reached(8)
    expect((await refusalOf()).code).toBe("policy_unavailable")
    reader.gate = null
    clock.advance(10)
    expect((await policiesOf()).policies).toHaveLength(1)
  })
})
