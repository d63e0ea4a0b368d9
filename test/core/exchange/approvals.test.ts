import { describe, expect, it } from "vitest"
import type { AuditDraft } from "../../../broker/core/audit-record.ts"
import type { ApprovalFact } from "../../../broker/core/policy/break-glass.ts"
import type { EnvironmentDemand, ProtectionFact } from "../../../broker/core/policy/environment-protection.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { explain } from "../../../broker/exchange/explain.ts"
import { type WorldOptions, world } from "./world.ts"

const protectedEnvironment: EnvironmentDemand = { requiredReviewers: true, preventSelfReview: true }
const protection: ProtectionFact = {
  known: true,
  protection: { requiredReviewers: true, preventSelfReview: true, deploymentBranches: "all" },
}
const approvedBy = (approverId: string, comment = "the database is down"): ApprovalFact => ({
  known: true,
  approvals: [{ approver: "hubot", approverId, comment }],
  startedBy: [],
})
/** The actor of the world's job. */
const ACTOR = "583231"

const at = (options: Partial<WorldOptions> = {}) =>
  world({
    grants: { one: "mints" },
    protectedEnvironment,
    protection,
    breakGlass: { approvals: 1, reasonRequired: true },
    approvals: approvedBy("2"),
    ...options,
  })

describe("an exchange of a break-glass grant", () => {
  it("asks the host about the environment, then about the run, before anything is recorded or minted", async () => {
    const { broker, call, story } = await at()
    await exchange(call(), broker)
    expect(story).toEqual(["verify", "policiesOf", "protectionOf", "approvalsOf", "admit", "mint one", "settle"])
  })

  it("records who approved it and why, before and after it mints, on one line and bounded", async () => {
    const comment = `the database\r\n\tis \u202edown\u2028 ${"x".repeat(600)}`
    const { broker, call, recorded } = await at({ approvals: approvedBy("2", comment) })
    await exchange(call(), broker)
    const [before, after] = recorded.map((one) => (one as { readonly audit: AuditDraft }).audit)
    const said = before?.grants[0]?.break_glass
    expect(said?.approvals).toEqual([{ approver: "hubot", approver_id: "2", reason: expect.any(String) }])
    expect(said?.approvals[0]?.reason).toMatch(/^the database is \\u\{202e\}down x+$/)
    expect(said?.approvals[0]?.reason).toHaveLength(512)
    expect([before?.event, after?.event]).toEqual(["exchange.intended", "exchange.minted"])
    expect(after?.grants).toMatchObject([{ name: "one", break_glass: said }])
  })

  it("records it where the broker mints in its memory, too", async () => {
    const { broker, call, recorded } = await at({ grants: { one: "in-memory" } })
    await exchange(call(), broker)
    expect(recorded).toMatchObject([
      {
        audit: {
          event: "exchange.minted",
          identity: { actor: "octocat", actor_id: ACTOR },
          grants: [{ break_glass: { approvals: [{ approver_id: "2", reason: "the database is down" }] } }],
        },
      },
    ])
  })

  it.each<[string, ApprovalFact, RegExp]>([
    ["nobody but the starter approved it", approvedBy(ACTOR), /nobody else has approved it/],
    ["the approval has no reason", approvedBy("2", ""), /1 approved without a comment/],
    ["nobody knows", { known: false, reason: "GitHub is down" }, /GitHub is down/],
  ])("mints nothing when %s, says so, and records the denial", async (_, approvals, reason) => {
    const { broker, call, story, recorded } = await at({ approvals })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      code: "not_allowed",
      detail: expect.stringMatching(reason),
    })
    expect(story).toEqual(["verify", "policiesOf", "protectionOf", "approvalsOf", "admit"])
    expect(recorded).toMatchObject([{ audit: { event: "exchange.denied", reason: "not_allowed: one" } }])
  })

  it("asks nobody about the run where the environment is not protected, or the token must be bound and is not", async () => {
    const open = await at({ protection: { known: false, reason: "nobody knows" } })
    await expect(exchange(open.call(), open.broker)).rejects.toMatchObject({ code: "not_allowed" })
    const unbound = await at({ requireBoundToken: true })
    await expect(exchange(unbound.call(), unbound.broker)).rejects.toMatchObject({ code: "bound_token_required" })
    for (const { story } of [open, unbound]) expect(story).not.toContain("approvalsOf")
  })

  it("explains by the same answer", async () => {
    const { broker, call, story } = await at({ approvals: approvedBy(ACTOR) })
    expect(await explain(call(), broker)).toMatchObject({
      decision: "deny",
      trace: { grants: [{ reason: expect.stringContaining("the person who started it does not count") }] },
    })
    expect(story).toEqual(["verify", "policiesOf", "protectionOf", "approvalsOf", "standing"])
  })
})

it("an exchange without break-glass asks nobody who approved the run", async () => {
  const { broker, call, story, recorded } = await world({ grants: { one: "mints" }, protectedEnvironment, protection })
  await exchange(call(), broker)
  expect(story).not.toContain("approvalsOf")
  expect(JSON.stringify(recorded)).not.toContain("break_glass")
})
