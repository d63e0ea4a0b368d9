/**
 * What a boundary or a policy demands of the job's environment. Most subject tokens prove only the environment's name: GitHub
 * creates an environment without any protection when a workflow names one that does not exist. A demand that sets nothing is
 * for some protection, whichever it is.
 */
export interface EnvironmentDemand {
  readonly requiredReviewers: boolean
  readonly preventSelfReview: boolean
  /** One of these must be set; absent when branches do not matter. */
  readonly deploymentBranches?: readonly DeploymentBranches[]
}

/** `protected`: branches with protection rules. `custom`: those that the environment lists. */
export type DeploymentBranches = "protected" | "custom"

/** How an environment is protected, according to its host. */
export interface EnvironmentProtection {
  readonly requiredReviewers: boolean
  readonly preventSelfReview: boolean
  /** `all`: any branch can deploy. */
  readonly deploymentBranches: DeploymentBranches | "all"
}

/** What is known about an environment. `reason` is our own sentence: why the protection is unknown, and what to change. */
export type ProtectionFact = (
  | { readonly known: true; readonly protection: EnvironmentProtection }
  | { readonly known: false; readonly reason: string }
) & {
  /** What the token says: whether the environment is protected, and not how. Left out where tokens say nothing of it. */
  readonly byToken?: boolean
}

/** Whether a demand is for some protection, whichever it is: what a token can say. */
export const isForAny = ({ requiredReviewers, preventSelfReview, deploymentBranches }: EnvironmentDemand): boolean =>
  !requiredReviewers && !preventSelfReview && deploymentBranches === undefined

/** What must be changed in an environment; empty when the demand is met. An unknown protection meets no demand. */
export function missingProtection(demand: EnvironmentDemand, fact: ProtectionFact): readonly string[] {
  if (fact.byToken === false) return ["protect it at its host"]
  if (isForAny(demand) && fact.byToken) return []
  if (!fact.known) return [fact.reason]
  const { protection } = fact
  const missing: string[] = []
  if (isForAny(demand) && !protection.requiredReviewers && protection.deploymentBranches === "all") {
    missing.push("add required reviewers, or limit its deployment branches")
  }
  if (demand.requiredReviewers && !protection.requiredReviewers) missing.push("add required reviewers")
  if (demand.preventSelfReview && !protection.preventSelfReview) missing.push('turn on "Prevent self-review"')
  const branches = demand.deploymentBranches
  if (branches && !branches.some((wanted) => wanted === protection.deploymentBranches)) {
    missing.push(`limit its deployment branches to ${branches.map((wanted) => BRANCHES[wanted]).join(" or ")}`)
  }
  return missing
}

const BRANCHES: Readonly<Record<DeploymentBranches, string>> = {
  protected: "protected branches",
  custom: "selected branches and tags",
}
