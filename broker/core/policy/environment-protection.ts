import type { DeploymentBranches, ProtectionWords } from "../families/family-facts.ts"

export type { DeploymentBranches } from "../families/family-facts.ts"

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

/** What is known about a job's environment, and the words of its host; without words, its host says nothing of protection. */
export interface JobProtection {
  readonly fact: ProtectionFact
  readonly words: ProtectionWords | undefined
}

/** What must be changed in an environment; empty when the demand is met. An unknown protection meets no demand. */
export function missingProtection(demand: EnvironmentDemand, { fact, words }: JobProtection): readonly string[] {
  if (words === undefined) return [fact.known ? NOT_SAID : fact.reason]
  if (fact.byToken === false) return [words.any]
  if (isForAny(demand) && fact.byToken) return []
  if (!fact.known) return [fact.reason]
  const { protection } = fact
  const missing: string[] = []
  if (isForAny(demand) && !protection.requiredReviewers && protection.deploymentBranches === "all") {
    missing.push(words.any)
  }
  if (demand.requiredReviewers && !protection.requiredReviewers) missing.push(words.reviewers)
  if (demand.preventSelfReview && !protection.preventSelfReview) missing.push(words.othersReview)
  const branches = demand.deploymentBranches
  if (branches && !branches.some((wanted) => wanted === protection.deploymentBranches)) {
    missing.push(limited(branches, words))
  }
  return missing
}

const NOT_SAID = "its host does not say how it is protected"

function limited(wanted: readonly DeploymentBranches[], { branches }: ProtectionWords): string {
  if (branches === undefined) return "deployment_branches cannot be met, because its host has no such limit"
  return `limit its deployment branches to ${wanted.map((one) => branches[one]).join(" or ")}`
}
