import * as z from "zod"
import type { Identity } from "../../core/identity.ts"
import type { EnvironmentProtection, ProtectionFact } from "../../core/policy/environment-protection.ts"
import { failed, type Refusal } from "../../github/answer.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Environments } from "../../ports/environments.ts"
import { createBoundedCache } from "../memory/bounded-cache.ts"
import { keptApprovals } from "../memory/kept-approvals.ts"
import type { GitHubApp } from "./app.ts"
import { approvalsAtGitHub } from "./approvals.ts"
import { type Step, stepOf } from "./git-objects.ts"
import { explainRefusal } from "./sentences.ts"

export interface GitHubEnvironmentsOptions {
  readonly app: GitHubApp
  /** The issuer whose repositories the App can be installed on: the exact `iss`. */
  readonly issuerUrl: string
  readonly clock: Clock
}

const KNOWN_MS = 5 * 60_000
/** The pause after a failure, so that the jobs of one matrix do not each wait for a GitHub that does not answer. */
const UNKNOWN_MS = 3_000
const MAX_ENVIRONMENTS = 5_000
const REQUEST_TIMEOUT_MS = 10_000
const MAX_BYTES = 256 * 1024

const environmentSchema = z.object({
  name: z.string(),
  protection_rules: z
    .array(
      z.object({
        type: z.string(),
        prevent_self_review: z.boolean().nullish(),
        reviewers: z.array(z.unknown()).nullish(),
      }),
    )
    .optional(),
  deployment_branch_policy: z
    .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
    .nullish(),
})

/**
 * Asks GitHub how environments are protected, and who approved a run. Needs the App's permission to read Actions.
 *
 * A protection is cached for five minutes, approvals for three seconds. Never throws: on any failure they are unknown, with a sentence
 * that says what to change.
 */
export function createGitHubEnvironments({ app, issuerUrl, clock }: GitHubEnvironmentsOptions): Environments {
  const facts = createBoundedCache<{ readonly fact: ProtectionFact; readonly until: number }>(MAX_ENVIRONMENTS)
  const approvalsOf = keptApprovals((identity) => approvalsAtGitHub(app, identity, clock), clock)

  return {
    async protectionOf(identity) {
      const { environment } = identity
      if (identity.issuerUrl !== issuerUrl) return unknown("The broker's GitHub App does not serve this issuer.")
      if (environment === undefined) return unknown("The job runs in no environment: name one in the workflow.")
      const key = JSON.stringify([identity.issuerUrl, identity.unitId, environment])
      const startedAt = clock.elapsed()
      const kept = facts.get(key)
      if (kept !== undefined && startedAt < kept.until) return kept.fact

      const asked = await ask(app, identity, environment, startedAt + REQUEST_TIMEOUT_MS)
      const fact: ProtectionFact =
        asked.outcome === "ok"
          ? { known: true, protection: asked.value }
          : unknown(sentenceFor(asked, identity, environment, clock.now()))
      facts.set(key, { fact, until: startedAt + (fact.known ? KNOWN_MS : UNKNOWN_MS) })
      return fact
    },

    async approvalsOf(identity) {
      if (identity.issuerUrl !== issuerUrl) return unknown("The broker's GitHub App does not serve this issuer.")
      return await approvalsOf(identity)
    },
  }
}

const unknown = (reason: string) => ({ known: false, reason }) as const

async function ask(
  app: GitHubApp,
  { unitId: repositoryId }: Identity,
  name: string,
  deadline: number,
): Promise<Step<EnvironmentProtection>> {
  // As segments of a path, . and .. lead to another resource, and encoding does not change them.
  if (name === "" || name === "." || name === ".." || !name.isWellFormed()) {
    return failed("cannot be asked about an environment with this name")
  }
  const path = `/environments/${encodeURIComponent(name)}`
  const answer = await app.get({ repositoryId, permission: "actions", path, maxBytes: MAX_BYTES, deadline })
  const step = stepOf(answer, environmentSchema, "the environment")
  if (step.outcome !== "ok") return step
  // GitHub ignores the case of names.
  if (step.value.name.toLowerCase() !== name.toLowerCase()) return failed("described another environment")
  const protection = protectionIn(step.value)
  return protection === null
    ? failed("described the environment in an unexpected form")
    : { ...step, value: protection }
}

/** Pure. Null when branches are limited in two ways at once, which GitHub does not allow. */
function protectionIn(environment: z.infer<typeof environmentSchema>): EnvironmentProtection | null {
  const reviewed = (environment.protection_rules ?? []).filter(
    // A rule without reviewers does not stop any deployment.
    ({ type, reviewers }) => type === "required_reviewers" && (reviewers ?? []).length > 0,
  )
  const policy = environment.deployment_branch_policy
  if (policy?.protected_branches && policy.custom_branch_policies) return null
  return {
    requiredReviewers: reviewed.length > 0,
    preventSelfReview: reviewed.some((rule) => rule.prevent_self_review === true),
    deploymentBranches: policy?.protected_branches ? "protected" : policy?.custom_branch_policies ? "custom" : "all",
  }
}

function sentenceFor(refusal: Refusal, { unit: repository }: Identity, environment: string, now: Date): string {
  if (refusal.outcome === "no-access" && refusal.why === "not-visible") {
    return `GitHub shows no environment ${JSON.stringify(environment)} of ${repository} to the broker's GitHub App: create it, or check that the App is still installed on the repository.`
  }
  return `The protection of the environment is unknown. ${explainRefusal(refusal, { repository, permission: "actions", now })}`
}
