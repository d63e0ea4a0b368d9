import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Identity } from "../../../broker/core/identity.ts"
import {
  type Approval,
  type ApprovalFact,
  approvalsFor,
  type BreakGlass,
} from "../../../broker/core/policy/break-glass.ts"
import { compiled, revived } from "../../../broker/core/policy/compiled.ts"
import { type Decision, type DecisionInput, decide } from "../../../broker/core/policy/decide.ts"
import type { ProtectionFact } from "../../../broker/core/policy/environment-protection.ts"
import { fewest, runs } from "../../support/laws.ts"
import { identityOf, policyFaults, policyOf, setOf, shown, TEST_PROVIDERS } from "./support.ts"

const GUARDED: ProtectionFact = {
  known: true,
  protection: { requiredReviewers: true, preventSelfReview: true, deploymentBranches: "all" },
}
const DEMAND = "protected_environment: { required_reviewers: true, prevent_self_review: true }"
const textOf = (key: string, { demand = DEMAND, more = "" } = {}) =>
  policyOf(
    `${demand}\nallow:\n  - { name: all, when: { ref: 'refs/heads/**' }, grants: [note] }\ngrants:\n  note: { connection: notes${key}${more} }\n`,
  )

const approval = (approverId: string, comment = "the database is down"): Approval => ({
  approver: `person-${approverId}`,
  approverId,
  comment,
})
const by = (...approvals: readonly Approval[]): ApprovalFact & { readonly known: true } => ({
  known: true,
  approvals,
  startedBy: [],
})
const ACTOR = "583231"
/** A job that ACTOR started. */
const jobWith = (claims: Readonly<Record<string, unknown>> = {}): Identity =>
  identityOf(claims, { actorId: "actor_id" in claims ? null : ACTOR })

function ask(text: string, more: Partial<DecisionInput> = {}, identity: Identity = jobWith()): Decision {
  const set = setOf({ "p.yaml": text })
  const input = { organisation: set.organisation, identity, grants: ["note"], protection: GUARDED, ...more }
  const decision = decide({ ...input, policies: set.policies })
  // What a build puts into the Worker's bundle decides as the folder did.
  const again = revived(JSON.parse(JSON.stringify(compiled(set))), TEST_PROVIDERS)
  expect(decide({ ...input, policies: again.policies })).toEqual(decision)
  return decision
}
const reasonOf = ({ trace }: Decision) => trace.grants[0]?.reason

describe("who approved a run", () => {
  const one: BreakGlass = { approvals: 1, reasonRequired: true }
  const two: BreakGlass = { approvals: 2, reasonRequired: true }
  const anyReason: BreakGlass = { approvals: 1, reasonRequired: false }
  it.each<[string, BreakGlass, ApprovalFact, readonly string[] | RegExp]>([
    ["is enough: somebody else, with a reason", one, by(approval("2")), ["2"]],
    ["is everybody who counts", one, by(approval("2"), approval("3")), ["2", "3"]],
    ["is nobody", one, by(), /^nobody else has approved it$/],
    ["is the starter alone", one, by(approval(ACTOR)), /^nobody else .*by the person who started it does not count$/],
    ["is the starter beside somebody", one, by(approval(ACTOR), approval("2")), ["2"]],
    ["is one that the host calls a starter, too", one, { ...by(approval("2")), startedBy: ["2"] }, /does not count/],
    ["has no id", one, by(approval("")), /nobody else/],
    ["is one of two", two, by(approval("2")), /^1 of 2 did$/],
    ["is one person twice", two, by(approval("2"), approval("2", "again")), /^1 of 2 did$/],
    ["is one under two names", two, by(approval("2"), { ...approval("2"), approver: "other" }), /^1 of 2 did$/],
    ["is the starter and one of two", two, by(approval(ACTOR), approval("2")), /^1 of 2 did, and an approval/],
    ["is both of two", two, by(approval("2"), approval("3")), ["2", "3"]],
    ["gave no reason", one, by(approval("2", "")), /^nobody else .*, and 1 approved without a comment$/],
    ["gave white space", one, by(approval("2", " \n\t")), /without a comment/],
    ["gave what nobody sees", one, by(approval("2", "\u200b\u3164\u{e0041}")), /without a comment/],
    ["gave signs alone", one, by(approval("2", "...!")), /without a comment/],
    ["gave a reason the second time", one, by(approval("2", ""), approval("2")), ["2"]],
    ["gave no reason, where none is required", anyReason, by(approval("2", "")), ["2"]],
    ["gave one of two reasons", two, by(approval("2"), approval("3", "")), /^1 of 2 did, and 1 approved without/],
    ["is unknown", one, { known: false, reason: "GitHub is down." }, /^GitHub is down$/],
  ])("%s", (_, demand, fact, expected) => {
    const found = approvalsFor(demand, { actorId: ACTOR }, fact)
    if (expected instanceof RegExp) expect(found).toMatchObject({ ok: false, fault: expect.stringMatching(expected) })
    else expect(found.ok && found.value.map(({ approverId }) => approverId)).toEqual(expected)
  })

  it("is told with the reason, where one of two words of a person has it", () => {
    const found = approvalsFor(anyReason, { actorId: ACTOR }, by(approval("2", ""), approval("2", "why")))
    expect(found).toMatchObject({ ok: true, value: [{ comment: "why" }] })
  })

  it.each([null, ""])("is of no use in a run that %j started", (actorId) => {
    expect(approvalsFor(one, { actorId }, by(approval("2"))).ok).toBe(false)
  })
})

describe("a grant with break_glass", () => {
  const KEY = ", break_glass: { reason: required }"

  it("is to be asked about when nothing else refuses, after the environment's protection", () => {
    const unasked = setOf({ "p.yaml": textOf(KEY) })
    const input = { organisation: unasked.organisation, policies: unasked.policies, identity: jobWith() }
    expect(decide({ ...input, grants: ["note"] })).toMatchObject({ awaitsProtection: true, awaitsApprovals: false })
    const decision = ask(textOf(KEY))
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed", awaitsApprovals: true })
    expect(decision).toMatchObject({ awaitsProtection: false, ownsPolicies: true })
  })

  it("is given with the approvals that counted", () => {
    expect(ask(textOf(KEY), { approvals: by(approval("2"), approval(ACTOR)) })).toMatchObject({
      outcome: "allow",
      grants: [{ ttlSeconds: 900, approvals: [approval("2")] }],
    })
  })

  it("is refused with what is missing and what to do, and is not asked about again", () => {
    const decision = ask(textOf(KEY), { approvals: by() })
    expect(decision).toMatchObject({ outcome: "deny", awaitsApprovals: false })
    expect(decision.trace.grants[0]).toMatchObject({
      reason:
        'The grant "note" (p.yaml:9) has break_glass, so somebody who did not start the run must approve it, with a comment that says why: nobody else has approved it.',
      change: "Start a new run, and let somebody else approve it, with a comment that says why.",
    })
    const ofTwo = ask(textOf(", break_glass: { approvals: 2 }"), {
      approvals: { known: false, reason: "nobody knows." },
    })
    expect(reasonOf(ofTwo)).toMatch(/so 2 people who did not start the run must approve it: nobody knows\.$/)
  })

  it.each<[string, Partial<DecisionInput>, Identity]>([
    ["the environment is not protected", { protection: { known: false, reason: "no" } }, jobWith()],
    ["the rules refuse", {}, jobWith({ ref: "main" })],
    ["a grant beside it is refused", { grants: ["note", "none"] }, jobWith()],
    ["the time asked for is none", { ttlSeconds: 0 }, jobWith()],
    ["the job is a stranger's", {}, jobWith({ repository_owner_id: "666" })],
  ])("is not asked about where %s, and no approval helps", (_, more, identity) => {
    for (const approvals of [{}, { approvals: by(approval("2")) }]) {
      const decision = ask(textOf(KEY), { ...more, ...approvals }, identity)
      expect(decision).toMatchObject({ outcome: "deny", awaitsApprovals: false })
    }
  })

  it.each<[string, string, number]>([
    [", break_glass: {}", "", 900],
    [", break_glass: { ttl: 1h }", "", 3600],
    [", break_glass: { ttl: 1h }", ", ttl: 20m", 1200],
    [", break_glass: { ttl: 5m }", ", ttl: 20m", 300],
  ])("lives by %s%s", (key, more, ttlSeconds) => {
    const decision = ask(textOf(key, { more }), { approvals: by(approval("2")) })
    expect(decision).toMatchObject({ outcome: "allow", grants: [{ ttlSeconds }] })
  })

  it.each<[string, string, string, string | undefined, RegExp]>([
    ["no protected environment", ", break_glass: {}", "key_missing", "", /only a protected environment waits/],
    [
      "an environment that people approve for themselves",
      ", break_glass: {}",
      "key_missing",
      "protected_environment: { required_reviewers: true }",
      /prevent_self_review: true/,
    ],
    ["no approval", ", break_glass: { approvals: 0 }", "value_invalid", undefined, /at least 1/],
    ["too many", ", break_glass: { approvals: 7 }", "value_invalid", undefined, /at most 6/],
    ["half of one", ", break_glass: { approvals: 1.5 }", "type_wrong", undefined, /./],
    ["another word for a reason", ", break_glass: { reason: optional }", "value_invalid", undefined, /required/],
    ["a key that it does not have", ", break_glass: { notify: x }", "key_unknown", undefined, /notify/],
    ["a flag", ", break_glass: true", "type_wrong", undefined, /./],
    ["nothing", ", break_glass: null", "value_null", undefined, /./],
    ["a gap", `, break_glass: { ttl: "$\{actor}" }`, "value_invalid", undefined, /./],
  ])("is a fault with %s", (_, key, code, demand, message) => {
    const faults = policyFaults(textOf(key, demand === undefined ? {} : { demand }))
    expect(faults.map((fault) => shown(fault))).toEqual([expect.stringContaining(code)])
    expect(faults[0]?.message).toMatch(message)
  })

  it("is a fault in a policy for names that match a pattern", () => {
    const text = textOf(", break_glass: {}").replace(
      /repository: .*\nrepository_id: .*\n/,
      'repository: "acme/svc-*"\n',
    )
    expect(policyFaults(text).map(({ code, message }) => [code, message])).toEqual([
      ["grant_conflict", expect.stringMatching(/^note: break_glass is not for patterns of names/)],
    ])
  })
})

describe("whatever was approved", () => {
  const id = fc.constantFrom("1", "2", "3", ACTOR, "")
  const one = fc.record({
    approver: fc.constant("x"),
    approverId: id,
    comment: fc.constantFrom("", " ", "why", "why not", "why now"),
  })
  const known: fc.Arbitrary<ApprovalFact> = fc.record({
    known: fc.constant(true as const),
    approvals: fc.array(one, { minLength: 1, maxLength: 6 }),
    startedBy: fc.array(id, { maxLength: 1 }),
  })
  const facts = fc.oneof(
    { weight: 8, arbitrary: known },
    fc.constantFrom<(ApprovalFact | undefined)[]>({ known: false, reason: "nobody knows" }, undefined),
  )
  const key = fc.record({ approvals: fc.integer({ min: 1, max: 3 }), reason: fc.constantFrom("required", undefined) })
  const refs = fc.constantFrom<Record<string, string | undefined>>(
    {},
    {},
    {},
    {},
    { ref: "refs/tags/v1" },
    { ref: undefined },
    { actor_id: undefined },
  )

  it("break_glass never grants more than the grant without it, and never to fewer people than it says", () => {
    const count = { allow: 0, deny: 0 }
    fc.assert(
      fc.property(key, facts, refs, fc.constantFrom("", ", ttl: 5m"), (demand, approvals, claims, more) => {
        const said = `, break_glass: ${JSON.stringify(demand)}`
        const input = approvals === undefined ? {} : { approvals }
        const plain = ask(textOf("", { more }), input, jobWith(claims))
        const broken = ask(textOf(said, { more }), input, jobWith(claims))
        count[broken.outcome]++
        if (broken.outcome === "deny") return
        if (plain.outcome === "deny" || !approvals?.known) throw new Error("break_glass granted more")
        expect(broken.grants[0]?.ttlSeconds).toBeLessThanOrEqual(plain.grants[0]?.ttlSeconds ?? 0)
        const others = approvals.approvals.filter(
          ({ approverId, comment }) =>
            approverId !== "" &&
            approverId !== ACTOR &&
            !approvals.startedBy.includes(approverId) &&
            (demand.reason === undefined || comment.includes("why")),
        )
        expect(new Set(others.map(({ approverId }) => approverId)).size).toBeGreaterThanOrEqual(demand.approvals)
      }),
      { numRuns: runs(1000) },
    )
    for (const met of [count.allow, count.deny]) expect(met).toBeGreaterThanOrEqual(fewest(200, 1000))
  })

  it("an approval fewer, or a starter more, never grants more", () => {
    fc.assert(
      fc.property(key, facts, fc.nat(), id, (demand, approvals, at, starter) => {
        if (!approvals?.known) return
        const text = textOf(`, break_glass: ${JSON.stringify(demand)}`)
        const fewer = { ...approvals, approvals: approvals.approvals.filter((_, index) => index !== at % 4) }
        const started = { ...approvals, startedBy: [...approvals.startedBy, starter] }
        if (ask(text, { approvals }).outcome === "allow") return
        for (const other of [fewer, started]) expect(ask(text, { approvals: other }).outcome).toBe("deny")
      }),
      { numRuns: runs(200) },
    )
  })
})
