// A replay says what the policies would have decided, and never guesses: what it calls known is what the engine says with all
// claims of the job.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type ReadRecord, readRecord } from "../../../analysis/records/record-lines.ts"
import { type Replayed, Replayer } from "../../../analysis/used/replay.ts"
import { Runs } from "../../../analysis/used/runs.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import type { ProtectionFact } from "../../../broker/core/policy/environment-protection.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { identityOf } from "../../core/policy/support.ts"
import { fewest, runs } from "../../support/laws.ts"
import { recordedRun } from "../../support/recorded-run.ts"
import { type DiffWorld, diffWorldOf, loadDiffWorld } from "../diff/world.ts"

const CASES = 2_000

type Job = Readonly<Record<string, string | undefined>>

const job: Job = { repository: "acme/shop", repository_id: "42", environment: "production", ref: "refs/heads/main" }

const recorded = (writer: PolicySet, job: Job): ReadRecord => {
  const record = readRecord(
    JSON.parse(JSON.stringify(recordedRun(writer, { identity: identityOf(job), grants: ["deploy"] }))),
  )
  if (record === null) throw new Error("the broker's record is none")
  return record
}

/** What `set` gives the first of some recorded jobs. */
function replayOf(set: PolicySet, records: readonly ReadRecord[]): Replayed {
  const found = new Runs([set])
  for (const record of records) found.add({ ledger: { issuer: "", unit_id: "" }, record, leaf: "" })
  const [group] = found.groups
  if (group === undefined) throw new Error("no decision was recorded")
  return new Replayer(set).replay(group)
}

/** What `set` gives a job of which only the record by `writer` is known, beside records of other jobs. */
const replayed = (writer: PolicySet, set: PolicySet, jobs: readonly Job[]): Replayed =>
  replayOf(
    set,
    jobs.map((job) => recorded(writer, job)),
  )

const PROTECTED: ProtectionFact = {
  known: true,
  protection: { requiredReviewers: true, preventSelfReview: true, deploymentBranches: "protected" },
}
const CUSTOM: ProtectionFact = {
  known: true,
  protection: { requiredReviewers: true, preventSelfReview: true, deploymentBranches: "custom" },
}
const NONE: ProtectionFact = { known: false, reason: "unknown" }

function decided(set: PolicySet, job: Job, protection: ProtectionFact): "allow" | "deny" {
  const identity = identityOf(job)
  return decide({
    organisation: set.organisation,
    policies: set.policiesOf(identity),
    identity,
    grants: ["deploy"],
    protection,
  }).outcome
}

// Few values, so that rules, boundaries and jobs often meet; claims that one set reads and the other does not.
const value = fc.constantFrom("a", "b", "*")
const condition = fc.oneof(
  { weight: 4, arbitrary: value },
  fc.record({ not: value }),
  fc.record({ present: fc.boolean() }),
  fc.constant(["a", "b"]),
)
const when = fc.dictionary(fc.constantFrom("ref", "team", "ring"), condition, {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
})
const some = <Value>(arbitrary: fc.Arbitrary<Value>, freq = 2) => fc.option(arbitrary, { nil: undefined, freq })
const demand = { required_reviewers: true, deployment_branches: "protected" }
const anyWorld = fc
  .record({
    allow: fc.array(fc.tuple(when, some(fc.constantFrom(["push"], ["push", "pull_request"]))), {
      minLength: 1,
      maxLength: 2,
    }),
    deny: some(when, 3),
    role: fc.constantFrom("a", "b", `\${team}`),
    boundary: some(fc.tuple(some(condition), some(when), fc.constantFrom("a", "**")), 2),
    isProtected: fc.boolean(),
  })
  .map(({ allow, deny, role, boundary, isProtected }): DiffWorld => {
    const [of, require, roles] = boundary ?? []
    const limit = {
      name: "limit",
      when: { repository: "acme/*", ...(of && { team: of }) },
      ...(require && { require }),
    }
    return {
      organisation: boundary ? { boundaries: [{ ...limit, allow: [{ connection: "prod", role: roles }] }] } : {},
      policies: {
        "a.yaml": {
          repository: "acme/shop",
          repository_id: "42",
          environment: "production",
          ...(isProtected && { protected_environment: demand }),
          allow: allow.map(([conditions, events], index) => ({
            name: `allow ${index}`,
            when: { ...conditions, ...(events && { event_name: events }) },
            grants: ["deploy"],
          })),
          ...(deny && { deny: [{ name: "no", when: deny }] }),
          grants: { deploy: { connection: "prod", role } },
        },
      },
    }
  })

const claim = fc.constantFrom("a", "b", undefined)
const anyJob = fc.record({
  team: claim,
  ring: claim,
  ref: fc.constantFrom("a", "b"),
  event_name: fc.constantFrom("push", "pull_request"),
})

describe("a replay", () => {
  it("is what the engine decides with all claims, wherever it does not say that it cannot know", () => {
    const seen = { allow: 0, deny: 0, protected: 0, unknown: 0 }
    fc.assert(
      fc.property(anyWorld, anyWorld, fc.array(anyJob, { minLength: 6, maxLength: 6 }), (before, after, jobs) => {
        const [writer, next] = [loadDiffWorld(before), loadDiffWorld(after)]
        fc.pre(writer !== null && next !== null)
        if (writer === null || next === null) return
        const named = jobs.map((one): Job => ({ ...job, ...one }))
        const records = named.map((one) => recorded(writer, one))
        for (const [index, job] of named.entries()) {
          const found = replayOf(next, [...records.slice(index), ...records.slice(0, index)])
          seen[found.outcome]++
          const truth = [PROTECTED, CUSTOM, NONE].map((one) => decided(next, job, one))
          const says = JSON.stringify({ job, found })
          if (found.outcome === "allow" || found.outcome === "deny")
            expect(truth, says).toEqual([found.outcome, found.outcome, found.outcome])
          // Its demands decide, and no environment of which nothing is known meets any.
          if (found.outcome === "protected") {
            expect(truth[2], says).toBe("deny")
            expect(found.demands.length, says).toBeGreaterThan(0)
          }
        }
      }),
      { numRuns: runs(CASES) },
    )
    for (const outcome of ["allow", "deny", "protected", "unknown"] as const) {
      expect(seen[outcome], outcome).toBeGreaterThanOrEqual(fewest(200, CASES))
    }
  })

  const grants = { deploy: { connection: "prod", role: "a" } }
  const world = (when: object, more: Partial<DiffWorld["policies"][string]> = {}): PolicySet =>
    diffWorldOf({
      policies: {
        "a.yaml": {
          repository: "acme/shop",
          repository_id: "42",
          environment: "production",
          allow: [{ name: "deploys", when, grants: ["deploy"] }],
          grants,
          ...more,
        },
      },
    })
  const plain = world({ ref: "refs/heads/**" })

  it("does not know who approved a run, and says that it needs them", () => {
    const emergency = world(
      { ref: "refs/heads/**" },
      {
        protected_environment: { required_reviewers: true, prevent_self_review: true },
        grants: { deploy: { ...grants.deploy, break_glass: { approvals: 2 } } },
      },
    )
    expect(replayed(plain, emergency, [job])).toMatchObject({
      outcome: "protected",
      demands: [{ requiredReviewers: true }, { preventSelfReview: true }, { approvals: 2, reasonRequired: false }],
    })
    expect(replayed(plain, emergency, [{ ...job, ref: "refs/tags/v1" }])).toMatchObject({ outcome: "deny" })
  })

  it("does not know a claim that no policy read, and says which", () => {
    const found = replayed(plain, world({ team: "a" }), [{ ...job, team: "a" }])
    expect(found).toMatchObject({ outcome: "unknown", claims: ["team"] })
  })

  it("knows that a claim was missing when the policies read it, of another job's record too", () => {
    const reading = world({ ref: "refs/heads/**" }, { deny: [{ name: "no b", when: { team: "b" } }] })
    const denying = world({ team: { present: true } })
    const without = { ...job, team: undefined }
    expect(replayed(reading, denying, [without])).toMatchObject({ outcome: "unknown" })
    // The other job's record shows that this version read the claim.
    expect(replayed(reading, denying, [without, { ...job, team: "a" }])).toMatchObject({ outcome: "deny" })
    expect(replayed(reading, reading, [without])).toMatchObject({ outcome: "deny" })
  })

  it("does not let an unknown claim decide where the known ones do", () => {
    const refused = world({ ref: "refs/heads/release", team: "a" })
    expect(replayed(plain, refused, [job])).toMatchObject({ outcome: "deny" })
  })

  it("reads from the record what each record has: ref, event, actor", () => {
    const byActor = world({ actor: "octocat" })
    expect(replayed(plain, byActor, [{ ...job, actor: "octocat" }])).toMatchObject({ outcome: "allow" })
    expect(replayed(plain, byActor, [{ ...job, actor: "mallory" }])).toMatchObject({ outcome: "deny" })
  })

  it("refuses outsiders that the new rule does not name", () => {
    const named = world({ ref: "refs/heads/**", event_name: ["push", "pull_request"] })
    const outsider = { ...job, event_name: "pull_request" }
    expect(replayed(named, named, [outsider])).toMatchObject({ outcome: "allow" })
    expect(replayed(named, plain, [outsider])).toMatchObject({ outcome: "deny" })
  })
})
