import { hostOf } from "../../broker/core/families/units.ts"
import type { Identity } from "../../broker/core/identity.ts"
import type { ApprovalFact } from "../../broker/core/policy/break-glass.ts"
import { type Decision, decide } from "../../broker/core/policy/decide.ts"
import type { DeploymentBranches, ProtectionFact } from "../../broker/core/policy/environment-protection.ts"
import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import type { Region, Witness } from "../regions/region.ts"
import { candidatesOf } from "../regions/witnesses.ts"
import { contentOf, settingsOf } from "../scopes/meaning.ts"
import { cautionsIn, claimsOf } from "../scopes/token.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import { isAtLeast } from "./offers.ts"

/** All combinations of environment protection, the strongest first. */
export const PROTECTIONS: readonly ProtectionFact[] = [true, false].flatMap((requiredReviewers) =>
  [true, false].flatMap((preventSelfReview) =>
    (["protected", "custom", "all"] satisfies (DeploymentBranches | "all")[]).map((deploymentBranches) => ({
      known: true as const,
      protection: { requiredReviewers, preventSelfReview, deploymentBranches },
    })),
  ),
)

/** More approvals than any grant demands, each with a reason. How many a grant demands is compared apart, in `isMore`. */
export const WELL_APPROVED: ApprovalFact = {
  known: true,
  approvals: Array.from({ length: 6 }, (_, index) => ({
    approver: `approver-${index}`,
    approverId: `-${index}`,
    comment: "a reason",
  })),
  startedBy: [],
}

/**
 * The job with these claims, as a token of the set's issuer describes it; null when the set does not list the issuer. `iss`
 * is the set's URL, so that one job can be decided by two sets that have different URLs for the issuer.
 */
export function jobOf(witness: Witness, issuer: string, { organisation }: PolicySet): Identity | null {
  const config = organisation.issuers.get(issuer)
  if (config === undefined) return null
  const family = familyOf(config)
  const { roles } = family
  const claims = claimsOf({ ...witness, iss: config.url }, family)
  const said = (name: string | undefined): string | null => (name === undefined ? null : (witness[name] ?? null))
  const environment = said(roles.environment)
  const unitId = said(roles.unitId) ?? ""
  const ownerId = family.ownerId === undefined ? config.url : (said(roles.ownerId) ?? "")
  return {
    issuer,
    issuerUrl: config.url,
    unitKind: family.unit,
    unit: said(roles.unit) ?? unitId,
    unitId,
    owner: said(roles.owner) ?? (family.ownerId === undefined ? hostOf(config.url) : ownerId),
    ownerId,
    ...(environment === null ? {} : { environment }),
    ref: said(roles.ref),
    refType: said(roles.refType),
    event: said(roles.event),
    actor: said(roles.actor),
    // Real tokens say it, and rules look at claims alone: only approvals of others are compared with it.
    actorId: said(roles.actorId) ?? "0",
    runId: said(roles.runId) ?? "",
    runAttempt: said(roles.runAttempt) ?? "",
    cautions: cautionsIn(witness, claims, family),
    claims,
  }
}

/** One question to the engine: one grant for one job. */
export interface SampleQuestion {
  readonly witness: Witness
  readonly issuer: string
  readonly grant: string
  readonly protection: ProtectionFact
}

/** The decision of the broker's own engine; null when the set does not list the job's issuer. */
export function decideSample(
  set: PolicySet,
  { witness, issuer, grant, protection }: SampleQuestion,
  own: readonly Policy[] = [],
): Decision | null {
  const identity = jobOf(witness, issuer, set)
  if (identity === null) return null
  const policies = [...set.policiesOf(identity), ...own]
  return decide({
    organisation: set.organisation,
    policies,
    identity,
    grants: [grant],
    protection,
    approvals: WELL_APPROVED,
  })
}

/** Whether the first decision gives more than the second: another credential, or the same for longer or with fewer demands. */
export function isMore(more: Decision | null, less: Decision | null): boolean {
  if (more?.outcome !== "allow") return false
  if (less?.outcome !== "allow") return true
  if (less.requireBoundToken && !more.requireBoundToken) return true
  return more.grants.some((one, index) => {
    const other = less.grants[index]
    if (other === undefined || contentOf(one.grant) !== contentOf(other.grant)) return true
    if (!isAtLeast(one.grant.breakGlass, other.grant.breakGlass)) return true
    return one.ttlSeconds > other.ttlSeconds || settingsOf(one.grant.connection) !== settingsOf(other.grant.connection)
  })
}

/** Whether the engine confirms, for some protection of the environment, that one set gives a job more than the other. */
export function getsMore(more: PolicySet, less: PolicySet, question: Omit<SampleQuestion, "protection">): boolean {
  return PROTECTIONS.some((protection) => {
    const asked = { ...question, protection }
    return isMore(decideSample(more, asked), decideSample(less, asked))
  })
}

/** The first job of a region that passes a test. Tries a few jobs that differ as much as possible. */
export function firstThat(region: Region, holds: (witness: Witness) => boolean): Witness | null {
  for (const witness of candidatesOf(region)) if (holds(witness)) return witness
  return null
}
