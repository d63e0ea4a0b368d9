import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compiled } from "../../../broker/core/policy/compiled.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet, type PolicyInput } from "../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { createPolicyLoader } from "../../../broker/core/policy/policy-loader.ts"
import { fewest, runs } from "../../support/laws.ts"
import { allowing, identityOf, ORGANISATION, policyOf, TEST_PROVIDERS } from "./support.ts"

// A loader that remembers must come to what one that knows nothing comes to. Where it would go wrong is in what one file
// means for others: the organisation file, grants of one environment in several files, and patterns that reach over them.

const encoder = new TextEncoder()

const NOTE = "grants:\n  note: { connection: notes }\n"
const ALLOW = "allow:\n  - { name: from main, when: { ref: refs/heads/main }, grants: [note] }\n"

const wide = (body: string) => `version: 1\nrepository: "acme/sh*"\nenvironment: production\n${body}`

const ORGANISATIONS = [
  ORGANISATION,
  ORGANISATION.replace("max_ttl: 30m", "max_ttl: 1m"),
  ORGANISATION.replace("notes: { provider: note }", "other: { provider: note }"),
  ORGANISATION.replace('acme: "9001"', 'other: "9001"'),
  ORGANISATION.replace(
    "connections:",
    '  ghes:\n    family: github-actions\n    url: https://ghes.example/token\n    owners: { acme: "1" }\nconnections:',
  ),
  `${ORGANISATION}# a comment alone\n`,
  `${ORGANISATION}unknown: key\n`,
  "version: *1\n",
]

const POLICIES = [
  allowing("{ ref: refs/heads/main }"),
  allowing("{ ref: refs/heads/dev }"),
  policyOf(ALLOW),
  policyOf(NOTE),
  policyOf(NOTE, { environment: "staging" }),
  policyOf(ALLOW, { environment: "staging" }),
  policyOf("deny:\n  - { name: never, when: { actor: octocat } }\n"),
  policyOf("grants:\n  secret: { connection: vault-prod, path: kv, ttl: 20m }\n"),
  policyOf(ALLOW, { id: "42" }),
  wide(NOTE),
  wide(ALLOW),
  wide(`grants:\n  note: { connection: notes, text: "for \${repository_name}" }\n`),
  "version: 1\nrepository: acme/shop\n",
  "a: [",
  "",
]

const PATHS = ["a.yaml", "b.yaml", "b/c.yaml", "d.yaml", "b/daypass.yaml", "e.yml", "f.test.yaml"]

type Edit = {
  readonly path: string
  readonly text: string | null
  readonly copies: boolean
  readonly leftAfter: number
}

const editOf = (path: fc.Arbitrary<string>, texts: readonly string[]): fc.Arbitrary<Edit> =>
  fc.record({
    path,
    text: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...texts) }, fc.constant(null)),
    // Whether every file comes back as a copy, as from a reader that remembers nothing.
    copies: fc.boolean(),
    // A load before this one that was left undone after so many steps.
    leftAfter: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 12 })),
  })

const edits = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: editOf(fc.constant("daypass.yaml"), ORGANISATIONS) },
    // The first paths are the likeliest, so that folders that load are too.
    { weight: 5, arbitrary: editOf(fc.constantFrom(...PATHS.slice(0, 4), ...PATHS), POLICIES) },
    {
      weight: 2,
      arbitrary: editOf(fc.constantFrom(...PATHS), [POLICIES[0] ?? ""]).map((edit) => ({ ...edit, text: null })),
    },
  ),
  { minLength: 4, maxLength: 14 },
)

const JOBS = ["refs/heads/main", "refs/heads/dev"].flatMap((ref) =>
  ["41", "42"].flatMap((id) =>
    ["production", "staging"].map((environment) =>
      identityOf({ ref, repository_id: id, environment, actor: "hubot" }, { unitId: id }),
    ),
  ),
)

const decisionsOf = (set: PolicySet) =>
  JOBS.map((identity) =>
    decide({
      organisation: set.organisation,
      policies: set.policiesOf(identity),
      identity,
      grants: ["note"],
    }),
  )

const outcomeOf = (loaded: ReturnType<typeof loadPolicySet>) =>
  loaded.ok
    ? { version: loaded.value.version, set: compiled(loaded.value), decisions: decisionsOf(loaded.value) }
    : { faults: loaded.fault }

const inputOf = (path: string, text: string): PolicyInput => ({ path, bytes: encoder.encode(text) })

describe("a loader that remembers", () => {
  it("comes to what a fresh load comes to, after whatever was edited, broken, mended and left undone before", () => {
    const seen = { sets: 0, faults: 0, allowed: 0 }
    fc.assert(
      fc.property(edits, (sequence) => {
        const loader = createPolicyLoader(TEST_PROVIDERS)
        const folder = new Map([["daypass.yaml", inputOf("daypass.yaml", ORGANISATION)]])
        for (const { path, text, copies, leftAfter } of sequence) {
          if (text === null) folder.delete(path)
          else folder.set(path, inputOf(path, text))
          const files = [...folder.values()].map((file) => (copies ? { ...file, bytes: file.bytes.slice() } : file))
          const undone = loader.steps(files)
          for (let step = 0; step < leftAfter; step++) undone.next()

          const expected = outcomeOf(loadPolicySet(files, TEST_PROVIDERS))
          expect(outcomeOf(loader.load(files))).toEqual(expected)
          seen.sets += expected.set ? 1 : 0
          seen.faults += expected.faults ? 1 : 0
          seen.allowed += expected.decisions?.some(({ outcome }) => outcome === "allow") ? 1 : 0
        }
      }),
      { numRuns: runs(300) },
    )
    // It would prove nothing if nothing ever loaded, or nothing were ever refused.
    expect(Math.min(seen.sets, seen.faults, seen.allowed)).toBeGreaterThanOrEqual(fewest(90, 300))
  })

  const A = inputOf("a.yaml", policyOf(NOTE + ALLOW))
  const B = inputOf("b.yaml", policyOf(NOTE + ALLOW, { id: "42" }))
  const ROOT = inputOf("daypass.yaml", ORGANISATION)
  const loaderOf = () => {
    const loader = createPolicyLoader(TEST_PROVIDERS)
    return (...files: PolicyInput[]) => {
      const loaded = loader.load(files)
      if (!loaded.ok) throw new Error("the folder must load")
      return loaded.value.policies
    }
  }

  it.each<[string, PolicyInput, readonly [boolean, boolean]]>([
    ["nothing, when nothing changed", A, [true, true]],
    ["nothing, when a file was written anew as it was", { ...A, bytes: A.bytes.slice() }, [true, true]],
    ["a file that changed", inputOf("a.yaml", `${policyOf(NOTE + ALLOW)}# more\n`), [false, true]],
  ])("does again %s, and no other", (_, changed, kept) => {
    const load = loaderOf()
    const before = load(ROOT, A, B)
    const after = load(ROOT, changed, B)
    expect(after.map((policy, index) => policy === before[index])).toEqual(kept)
  })

  it("reads every policy again when the organisation file changed", () => {
    const load = loaderOf()
    const before = load(ROOT, A, B)
    const after = load(inputOf("daypass.yaml", `${ORGANISATION}# more\n`), A, B)
    expect(after.map((policy, index) => policy === before[index])).toEqual([false, false])
  })

  it("forgets a file that is gone", () => {
    const load = loaderOf()
    const [before] = load(ROOT, A, B)
    load(ROOT, B)
    expect(load(ROOT, A, B)[0]).not.toBe(before)
    expect(load(ROOT, A, B)[0]).toEqual(before)
  })

  it("pauses behind every file, so that whoever waits need not wait for all of them", () => {
    const steps = createPolicyLoader(TEST_PROVIDERS).steps([ROOT, A, B])
    let pauses = 0
    while (!steps.next().done) pauses++
    expect(pauses).toBeGreaterThan(6)
  })
})

describe("the version of a set", () => {
  const versionOf = (...files: PolicyInput[]) => {
    const loaded = loadPolicySet([inputOf("daypass.yaml", ORGANISATION), ...files], TEST_PROVIDERS)
    return loaded.ok ? loaded.value.version : "faulty"
  }
  const note = (id: string) => policyOf(NOTE, { id })

  it("is the same for the same files in any order, whatever stands beside them", () => {
    const [a, b] = [inputOf("a.yaml", note("41")), inputOf("b.yaml", note("42"))]
    expect(versionOf(b, a)).toBe(versionOf(a, b))
    expect(versionOf(a, b, inputOf("README.md", "# Hi"), inputOf("a.test.yaml", "x"))).toBe(versionOf(a, b))
    expect(versionOf(a, b)).toMatch(/^[0-9a-f]{64}$/)
  })

  it("is another for every other text, name and number of files", () => {
    const versions = [
      versionOf(),
      versionOf(inputOf("a.yaml", note("41"))),
      versionOf(inputOf("b.yaml", note("41"))),
      versionOf(inputOf("a.yaml", note("42"))),
      versionOf(inputOf("a.yaml", `${note("41")}#\n`)),
      versionOf(inputOf("a.yaml", note("41")), inputOf("b.yaml", note("42"))),
      versionOf(inputOf("a.yaml", note("42")), inputOf("b.yaml", note("41"))),
    ]
    expect(versions).not.toContain("faulty")
    expect(new Set(versions).size).toBe(versions.length)
  })
})
