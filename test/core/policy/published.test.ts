import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compiledPolicy } from "../../../broker/core/policy/compiled.ts"
import type { Policy, PolicySet } from "../../../broker/core/policy/model.ts"
import { isPlainMap } from "../../../broker/core/policy/plain.ts"
import { policySet } from "../../../broker/core/policy/policy-set.ts"
import {
  hashOf,
  keyOf,
  parseCurrent,
  readUnitPolicies,
  revivedCurrent,
  signedText,
  versionOf,
} from "../../../broker/core/policy/published.ts"
import { type Publication, placesIn, published } from "../../../cli/push/publication.ts"
import { fewest, runs } from "../../support/laws.ts"
import { allowing, policyOf, setOf, subjectOf, TEST_PROVIDERS } from "./support.ts"

const AT = new Date("2026-11-22T12:00:00Z")

const WIDE = `version: 1
repository: acme/svc-*
environment: production
allow:
  - name: services
    when: { ref: refs/heads/main }
    grants: [service]
grants:
  service: { connection: notes, text: "for \${repository_name}", ttl: 5m }
`

const WORLD = {
  "shop.yaml": allowing("{ ref: refs/heads/main }"),
  "shop-freeze.yaml": policyOf("deny:\n  - name: freeze\n    when: { run_attempt: { not: '1' } }\n"),
  "other.yaml": policyOf(
    'allow:\n  - name: a\n    when: { event_name: [push, schedule] }\n    grants: [note]\ngrants:\n  note: { connection: notes, text: "größe" }\n',
    { id: "42", repository: "acme/svc-one" },
  ),
  "wide.yaml": WIDE,
}
const SET = setOf(WORLD)

const shapesOf = (policies: readonly Policy[]) => policies.map(compiledPolicy)

function must<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly fault: unknown },
): Value {
  if (!result.ok) throw new Error(JSON.stringify(result.fault))
  return result.value
}

/** The set that a reader gets who reads everything. */
function readBack({ current, entries }: Publication): PolicySet {
  const set = must(revivedCurrent(must(parseCurrent(JSON.stringify(current))), TEST_PROVIDERS))
  const own = placesIn(current).flatMap((place) =>
    must(readUnitPolicies(entries.get(keyOf(place)) ?? "", place, set.organisation, TEST_PROVIDERS)),
  )
  return policySet(set.version, set.organisation, [...own, ...set.wide.policies])
}

describe("a published set", () => {
  it("has one key for each repository, named by its text, and the policies of several repositories in current", () => {
    const { current, entries } = published(SET, AT)
    expect([...entries.keys()]).toEqual([
      expect.stringMatching(/^repository\/github\/42\/[0-9a-f]{32}$/),
      expect.stringMatching(/^repository\/github\/41\/[0-9a-f]{32}$/),
    ])
    expect(current).toMatchObject({
      format: 3,
      version: versionOf(current),
      published_at: "2026-11-22T12:00:00.000Z",
      count: 4,
      wide: [{ file: "wide.yaml" }],
    })
    expect(new Set(placesIn(current).map(keyOf))).toEqual(new Set(entries.keys()))
  })

  it("is the same text for the same policies, and other keys for those alone that differ", () => {
    const { current, entries } = published(SET, AT)
    const again = published(setOf(WORLD), AT)
    expect(JSON.stringify(again.current)).toBe(JSON.stringify(current))
    expect([...again.entries]).toEqual([...entries])
    const other = published(setOf({ ...WORLD, "shop.yaml": allowing("{ ref: refs/heads/trunk }") }), AT)
    expect([...other.entries.keys()].filter((key) => !entries.has(key))).toEqual([
      expect.stringMatching(/^repository\/github\/41\//),
    ])
  })

  it("gives every job the policies that the set itself gives it", () => {
    const back = readBack(published(SET, AT))
    expect(back.version).toBe(published(SET, AT).current.version)
    for (const subject of [
      subjectOf("41"),
      subjectOf("42", "github", "acme/svc-one"),
      subjectOf("43", "github", "acme/svc-two"),
      subjectOf("44"),
      subjectOf("41", "other"),
    ]) {
      expect(shapesOf(back.policiesOf(subject))).toEqual(shapesOf(SET.policiesOf(subject)))
    }
    expect(shapesOf(back.policiesOf(subjectOf("43", "github", "acme/svc-two")))).toHaveLength(1)
  })

  it("is published alike by whoever read it back", () => {
    const publication = published(SET, AT)
    const again = published(readBack(publication), AT)
    expect(JSON.stringify(again.current)).toBe(JSON.stringify(publication.current))
    expect(new Map(again.entries)).toEqual(new Map(publication.entries))
  })
})

describe("current", () => {
  const { current } = published(SET, AT)
  const text = JSON.stringify(current)
  const set = must(revivedCurrent(current, TEST_PROVIDERS))

  it.each([["41", "github"]])("says where the policies of repository %s of %s are", (unitId, issuer) => {
    expect(set.placeOf({ issuer, unitId })).toMatchObject({ issuer, unitId })
  })

  it("lists the repositories that have policies of their own", () => {
    expect([...set.units()].sort((one, other) => one.unitId.localeCompare(other.unitId))).toEqual([
      { issuer: "github", unitId: "41" },
      { issuer: "github", unitId: "42" },
    ])
  })

  it.each([
    ["43", "github"],
    ["41", "other"],
    ["constructor", "github"],
    ["__proto__", "github"],
    ["toString", "__proto__"],
    ["41", "constructor"],
  ])("says that repository %s of %s has no policies", (unitId, issuer) => {
    expect(set.placeOf({ issuer, unitId })).toBe(null)
  })

  it.each<[string, unknown]>([
    ["null", null],
    ["a list", []],
    ["an empty object", {}],
    ["no format", { ...current, format: undefined }],
    ["a version that is none", { ...current, version: "1" }],
    ["a moment that is none", { ...current, published_at: "yesterday" }],
    ["a count that is none", { ...current, count: "4" }],
    ["no organisation", { ...current, organisation: null }],
    ["no list of wide policies", { ...current, wide: {} }],
    ["no index", { ...current, repositories: [] }],
    ["an index of lists", { ...current, repositories: { github: ["41"] } }],
  ])("is not read when it is %s", (_, value) => {
    expect(parseCurrent(JSON.stringify(value))).toEqual({ ok: false, fault: expect.stringContaining("cannot be read") })
  })

  it.each([
    [0, "push the policies again with this version, with --all"],
    [1, "push the policies again with this version, with --all"],
    [4, "use the version that published them"],
    [99, "use the version that published them"],
  ])("is not read when its format is %s, whatever else it says", (format, remedy) => {
    const fault = expect.stringContaining(remedy)
    expect(parseCurrent(JSON.stringify({ ...current, format }))).toEqual({ ok: false, fault })
    expect(parseCurrent(JSON.stringify({ format, anything: "else" }))).toEqual({ ok: false, fault })
  })

  it("is read in the form before units, which called a policy's unit its repository", () => {
    const { current, entries } = published(SET, AT)
    const older = (text: string) => text.replaceAll('"unit":', '"repository":')
    const wide = JSON.parse(older(JSON.stringify(current.wide))) as typeof current.wide
    const before = { ...current, format: 2 as const, wide }
    const parsed = parseCurrent(JSON.stringify({ ...before, version: versionOf(before) }))
    if (!parsed.ok) throw new Error(parsed.fault)
    const read = revivedCurrent(parsed.value, TEST_PROVIDERS)
    if (!read.ok) throw new Error(read.fault)
    expect(read.value.wide.policies.map(({ unit }) => unit)).toEqual(current.wide.map(({ unit }) => unit))
    for (const place of placesIn(current)) {
      const text = older(entries.get(keyOf(place)) ?? "")
      const found = readUnitPolicies(text, { ...place, hash: hashOf(text) }, read.value.organisation, TEST_PROVIDERS)
      if (!found.ok) throw new Error(found.fault)
      expect(found.value.every(({ unit }) => unit.startsWith("acme/"))).toBe(true)
    }
  })

  it("is never read when its end is missing", () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), (length) => {
        expect(parseCurrent(text.slice(0, length)).ok).toBe(false)
      }),
    )
  })

  it("is used or refused, whatever stands in place of any part of it, and nothing throws", () => {
    const seen = { used: 0, refused: 0 }
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 6 })), fc.jsonValue({ maxDepth: 2 }), (steps, value) => {
        const changed = withPart(current, steps, value)
        // Under its own digest: otherwise no changed one would get any further.
        const sealed = isPlainMap(changed) ? { ...changed, version: versionOf(changed as never) } : changed
        const parsed = parseCurrent(JSON.stringify(sealed))
        const revived = parsed.ok ? revivedCurrent(parsed.value, TEST_PROVIDERS) : parsed
        seen[revived.ok ? "used" : "refused"]++
        if (!parsed.ok || !revived.ok) return
        for (const { issuer, unitId } of placesIn(parsed.value)) revived.value.placeOf({ issuer, unitId })
      }),
      { numRuns: runs(2000) },
    )
    expect(Math.min(seen.used, seen.refused)).toBeGreaterThanOrEqual(fewest(280, 2000))
  })

  it("is never read when any part of its content is another", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 6 })), fc.jsonValue({ maxDepth: 2 }), (steps, value) => {
        const changed = JSON.stringify(withPart(current, steps, value))
        const parsed = parseCurrent(changed)
        if (parsed.ok) expect(versionOf(parsed.value)).toBe(versionOf(current))
      }),
      { numRuns: runs(2000) },
    )
  })

  it("has the same version whenever it is published, and signs another text", () => {
    const later = published(SET, new Date(AT.getTime() + 1)).current
    expect(later.version).toBe(current.version)
    expect(signedText(later)).not.toBe(signedText(current))
    expect(signedText(current)).toBe(`daypass published policies\n3\n${current.version}\n2026-11-22T12:00:00.000Z\n`)
  })

  it.each([
    ["an organisation of nothing", { ...current, organisation: {} }],
    ["wide policies of nothing", { ...current, wide: [{}] }],
    ["wide policies that are none", { ...current, wide: [null] }],
    ["one repository's policies among the wide ones", { ...current, wide: SET.policies.map(compiledPolicy) }],
    ["a pattern that is none", JSON.parse(text.replaceAll("refs/heads/main", "***"))],
  ])("is not used when it holds %s", (_, value) => {
    expect(revivedCurrent(value as typeof current, TEST_PROVIDERS).ok).toBe(false)
  })
})

describe("a repository's policies", () => {
  const { current, entries } = published(SET, AT)
  const { organisation } = SET
  const [place] = placesIn(current)
  if (place === undefined) throw new Error("the set has repositories")
  const text = entries.get(keyOf(place)) ?? ""
  const read = (of: string, at = place) => readUnitPolicies(of, at, organisation, TEST_PROVIDERS)

  it("are read from the text that current names", () => {
    expect(must(read(text)).map(({ file }) => file)).toEqual(["shop-freeze.yaml", "shop.yaml"])
  })

  it("are never read from any other text", () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (index, put) => {
        const changed = text.slice(0, index) + put + text.slice(index + 1)
        expect(read(changed).ok).toBe(changed === text)
      }),
    )
    for (const other of ["", "[]", "null", text.slice(0, -1), `${text}\n`]) expect(read(other).ok).toBe(false)
  })

  it.each([
    ["of another repository", { unitId: "42" }],
    ["of another issuer", { issuer: "other" }],
  ])("are not read at a place %s, even under their hash", (_, change) => {
    expect(read(text, { ...place, ...change }).ok).toBe(false)
  })

  it("are not read when their connection or its provider is not there, and nothing throws", () => {
    const without = { ...organisation, connections: new Map() }
    expect(readUnitPolicies(text, place, without, TEST_PROVIDERS).ok).toBe(false)
  })
})

/** The same value, with another in place of the part that the steps lead to. */
function withPart(value: unknown, steps: Iterator<number>, put: unknown): unknown {
  const step: number = steps.next().value ?? 0
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : []
  const chosen = entries[step % Math.max(1, entries.length)]
  if (chosen === undefined || step === 6) return put
  const changed = withPart(chosen[1], steps, put)
  if (Array.isArray(value)) return value.map((member, index) => (index === Number(chosen[0]) ? changed : member))
  return Object.fromEntries(entries.map(([key, member]) => [key, key === chosen[0] ? changed : member]))
}
