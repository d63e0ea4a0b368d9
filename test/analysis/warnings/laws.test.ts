import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { jobOf, PROTECTIONS } from "../../../analysis/reach/sample-job.ts"
import { type WarningReport, warningsOf } from "../../../analysis/warnings/warnings.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { fewest, runs } from "../../support/laws.ts"
import { organisation } from "./checked.ts"

// Over folders from so small an alphabet that they collide, overlap and contradict each other all the time.

const ROLE = "arn:aws:iam::111122223333:role/"
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  ref: ["refs/heads/main", "refs/heads/Main", "refs/heads/**", "refs/tags/v*"],
  event_name: ["push", "pull_request", "pull_*", "**"],
  actor: ["ada", "a*"],
  head_ref: ["x/*"],
  repository: ["acme/a", "acme/A", "acme/*", "**"],
  environment: ["production", "Production", "prod*"],
  workflow_ref: ["acme/a/.github/workflows/x.yml@refs/heads/main", "acme/a/**"],
  evnt_name: ["push"],
}
const claim = fc.constantFrom(...Object.keys(TEXTS))
const condition = claim.chain((name) => {
  const text = fc.constantFrom(...(TEXTS[name] ?? []))
  const texts = fc.oneof(text, fc.uniqueArray(text, { minLength: 1, maxLength: 2 }))
  const test = fc.oneof(texts, texts, fc.record({ not: texts }), fc.record({ present: fc.boolean() }))
  return fc.tuple(fc.constant(name), test)
})
const when = fc.array(condition, { minLength: 1, maxLength: 3 }).map((entries) => Object.fromEntries(entries))
const names = fc.uniqueArray(fc.constantFrom("one", "two"), { minLength: 1 })
const grant = fc.constantFrom(
  "a",
  "svc-x",
  "$" + "{repository_name}",
  "$" + "{actor}-$" + "{repositry}",
  "$" + "{repository_name}/$" + "{event_name}",
)

const policy = fc.record({
  repository: fc.constantFrom("acme/a", "acme/A", "acme/*", "acme/a*", "umbrella/a"),
  environment: fc.constantFrom("production", "Production"),
  protected_environment: fc.option(fc.constant({ deployment_branches: "custom" }), { nil: undefined }),
  allow: fc.array(fc.record({ when, grants: names }), { minLength: 1, maxLength: 2 }),
  deny: fc.array(fc.record({ when, grants: fc.option(names, { nil: undefined }) }), { maxLength: 2 }),
  grants: fc.record({ one: grant, two: grant }),
})
const boundary = fc.record({
  when,
  allow: fc.option(
    fc.array(fc.constantFrom(`${ROLE}*`, `${ROLE}**`, `${ROLE}svc-*`, `${ROLE}a`, undefined), {
      minLength: 1,
      maxLength: 2,
    }),
    { nil: undefined },
  ),
  require: fc.option(when, { nil: undefined }),
  max_ttl: fc.constantFrom(undefined, "20m"),
})
const world = fc.record({
  policies: fc.array(policy, { minLength: 1, maxLength: 4 }),
  boundaries: fc.array(boundary, { maxLength: 2 }),
})

type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never
type Policy = World["policies"][number]

/** The same without anything that reads a repository's name. */
function plain({ policies, boundaries }: World): World {
  const without = <Part>(parts: readonly Part[]): Part[] =>
    JSON.parse(
      JSON.stringify(parts)
        .replaceAll('"repository":', '"actor":')
        .replace(/"[^"]*\$\{[^"]*"/g, '"a"'),
    )
  const rest = without(policies.map(({ repository: _, ...one }) => one))
  return { policies: rest.map((one) => ({ ...one, repository: "acme/a" })), boundaries: without(boundaries) }
}

const IDS: Readonly<Record<string, string>> = { "acme/a": "41", "acme/b": "43", "acme/c": "44" }

/** JSON is YAML: what is generated needs no writer of ours. On several lines, so that places tell something. */
function filesOf({ policies, boundaries }: World) {
  const named = <Part>(parts: readonly Part[], kind: string) =>
    parts.map((part, index) => ({ name: `${kind} ${index}`, ...part }))
  const ceiling = named(boundaries, "boundary").map(({ allow, ...rest }) => ({
    ...rest,
    ...(allow ? { allow: allow.map((role) => ({ connection: "aws", role })) } : {}),
  }))
  const texts: [string, string][] = [["daypass.yaml", organisation(`boundaries: ${JSON.stringify(ceiling)}\n`)]]
  for (const [index, { allow, deny, grants, ...head }] of policies.entries()) {
    const roles = Object.entries(grants).map(([name, role]) => [name, { connection: "aws", role: ROLE + role }])
    const text = {
      version: 1,
      ...head,
      ...(head.repository.includes("*") ? {} : { repository_id: IDS[head.repository] ?? "42" }),
      allow: named(allow, "allow"),
      ...(deny.length === 0 ? {} : { deny: named(deny, "deny") }),
      grants: Object.fromEntries(roles),
    }
    texts.push([`${index}.yaml`, JSON.stringify(text, null, 2)])
  }
  const encoder = new TextEncoder()
  return texts.map(([path, text]) => ({ path, bytes: encoder.encode(text) }))
}

/** What is said of a folder, and its set; null when it does not load. */
function report(generated: World) {
  const files = filesOf(generated)
  const loaded = loadPolicySet(files, PROVIDERS)
  if (!loaded.ok) return null
  const set = loaded.value
  return { set, files, ...warningsOf({ set, files, providers: PROVIDERS }) }
}

const shown = ({ warnings }: WarningReport) =>
  warnings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`)

/** Changes after which a policy says something else in the same form, and one that changes nothing. */
const NEARLY = [
  ["refs/heads/main", "refs/heads/x"],
  ['"push"', '"schedule"'],
  ['"one":"a"', '"one":"svc-x"'],
  ['"grants":["one"]', '"grants":["two"]'],
  ['"present":true', '"present":false'],
  ['"allow"', '"allow"'],
] as const

/** What depends on what other repositories' policies say. */
const OF_SEVERAL = new Set(["names_differ_in_case"])

describe("whatever a folder says, warnings", () => {
  it("name places that are there, in order, and are the same for the same files", () => {
    const codes = new Set<string>()
    fc.assert(
      fc.property(world, (generated) => {
        const found = report(generated)
        if (found === null) return
        const { files, warnings } = found
        const lines = new Map(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes).split("\n")]))
        for (const { file, line, column, code, message } of warnings) {
          codes.add(code)
          const text = lines.get(file)?.[line - 1]
          expect(text, `${file}:${line}`).toBeDefined()
          expect(column).toBeGreaterThan(0)
          expect(text?.charAt(column - 1) ?? "", code).toMatch(/\S/)
          expect(message).toMatch(/^\S[^\n]*[.?\w]$/)
        }
        const again = report(generated)
        expect(again && shown(again)).toEqual(shown(found))
        const ordered = warnings.toSorted((a, b) =>
          a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column,
        )
        expect(warnings.map(({ file, line, column }) => [file, line, column])).toEqual(
          ordered.map(({ file, line, column }) => [file, line, column]),
        )
      }),
      { numRuns: runs(300) },
    )
    // The generator would prove little if little were ever said.
    expect(codes.size).toBeGreaterThanOrEqual(Math.min(10, fewest(100, 300)))
  })

  it("are the same of a repository's policies alone as among others that say the same of theirs, or nearly", () => {
    let told = 0
    fc.assert(
      fc.property(world, fc.constantFrom(...NEARLY), fc.boolean(), (generated, [from, to], isPlain) => {
        const { policies, boundaries } = isPlain ? plain(generated) : generated
        const of = (repository: string) => policies.map((one): Policy => ({ ...one, repository }) as Policy)
        const nearly: Policy[] = JSON.parse(JSON.stringify(of("acme/a")).replaceAll(from, to))
        const alone = report({ policies: of("acme/c"), boundaries })
        const among = report({ policies: [...nearly, ...of("acme/b"), ...of("acme/c")], boundaries })
        if (alone === null || among === null) return
        const shift = policies.length
        const here = (file: string) => /^\d/.test(file) && Math.floor(Number.parseInt(file, 10) / shift) === 2
        const moved = (file: string) => `${Number.parseInt(file, 10) + 2 * shift}.yaml`
        const expected = alone.containment.map((one) => ({ ...one, file: moved(one.file) }))
        expect(among.containment.filter(({ file }) => here(file))).toEqual(expected)
        const ofScopes = ({ code }: { readonly code: string }) => !OF_SEVERAL.has(code)
        const codes = among.warnings.filter((one) => here(one.file) && ofScopes(one))
        told += codes.length
        expect(codes).toEqual(
          alone.warnings
            .filter((one) => /^\d/.test(one.file) && ofScopes(one))
            .map((one) => ({ ...one, file: moved(one.file), message: expect.any(String) })),
        )
      }),
      { numRuns: runs(300) },
    )
    expect(told).toBeGreaterThanOrEqual(fewest(300, 300))
  })

  it("show as outside of the ceiling only whom the broker refuses there, and it alone", () => {
    let outside = 0
    fc.assert(
      fc.property(world, (generated) => {
        const found = report(generated)
        if (found === null) return
        const { set, containment } = found
        expect(containment).toHaveLength(set.policies.reduce((sum, { grants }) => sum + grants.size, 0))
        for (const { inside, witness, grant } of containment) {
          expect(inside === "outside").toBe(witness !== undefined)
          const identity = witness && jobOf(witness, "github", set)
          if (!identity) continue
          outside++
          const ask = (boundaries: typeof set.organisation.boundaries) =>
            PROTECTIONS.some((protection) => {
              const input = { policies: set.policiesOf(identity), identity, grants: [grant], protection }
              return decide({ organisation: { ...set.organisation, boundaries }, ...input }).outcome === "allow"
            })
          expect([ask([]), ask(set.organisation.boundaries)]).toEqual([true, false])
        }
      }),
      { numRuns: runs(300) },
    )
    expect(outside).toBeGreaterThanOrEqual(fewest(70, 300))
  })

  it("say proved, or that nobody gets it, only where no job that is tried shows otherwise", () => {
    const value = (name: string) =>
      fc.constantFrom(...(TEXTS[name] ?? []).map((text) => text.replaceAll("*", "x")), undefined)
    const claims = fc.record({
      ref: fc.constantFrom("refs/heads/main", "refs/heads/x", "refs/tags/v1"),
      event_name: fc.constantFrom("push", "pull_request", "schedule"),
      actor: fc.constantFrom("ada", "abe", "bob"),
      head_ref: value("head_ref"),
      workflow_ref: value("workflow_ref"),
      repository: fc.constantFrom("acme/a", "acme/A", "acme/b", "acme/svc-x"),
      environment: fc.constantFrom("production", "Production"),
    })
    let tried = 0
    fc.assert(
      fc.property(world, fc.array(claims, { minLength: 20, maxLength: 20 }), (generated, jobs) => {
        const found = report(generated)
        if (found === null) return
        const { set, containment, warnings } = found
        const unreachable = new Set(
          warnings.filter(({ code }) => code === "grant_unreachable").map(({ file, line }) => `${file}:${line}`),
        )
        for (const job of jobs) {
          const said = Object.fromEntries(Object.entries(job).filter(([, text]) => text !== undefined)) as Record<
            string,
            string
          >
          const id = job.repository === "acme/a" ? "41" : "7"
          const witness = {
            ...said,
            repository_id: id,
            repository_owner: "acme",
            repository_owner_id: "9001",
            ref_type: "branch",
            run_id: "1",
            run_attempt: "1",
            sub: "s",
          }
          const identity = jobOf(witness, "github", set)
          if (identity === null) continue
          const policies = set.policiesOf(identity)
          for (const name of ["one", "two"]) {
            const ask = (boundaries: typeof set.organisation.boundaries) => {
              const organisation = { ...set.organisation, boundaries }
              const protection = PROTECTIONS[1]
              return decide({ organisation, policies, identity, grants: [name], ...(protection ? { protection } : {}) })
            }
            const admitted = ask([])
            if (admitted.outcome !== "allow") continue
            tried++
            const [{ grant } = { grant: null }] = admitted.grants
            const standing = containment.find((one) => one.file === grant?.file && one.grant === name)
            const given = ask(set.organisation.boundaries).outcome === "allow"
            if (standing?.inside === "proved") expect(given).toBe(true)
            if (given) expect(unreachable.has(`${grant?.file}:${grant?.line}`)).toBe(false)
          }
        }
      }),
      { numRuns: runs(200) },
    )
    // Between 40 and 150 of all cases by chance: jobs that are let in come in crowds.
    expect(tried).toBeGreaterThanOrEqual(fewest(50, 200))
  })
})
