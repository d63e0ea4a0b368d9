import { isKnownClaim } from "./families/families.ts"

/** Names that identity tokens use for facts about the job, beside those of subject tokens. `runner_id` is GitLab's. */
const FURTHER_NAMES: ReadonlySet<string> = new Set(["grant", "subject_issuer", "runner_id"])

/**
 * Whether a claim's name belongs to the facts about a job. A policy may add claims to an identity token, but none of
 * these: systems that trust the token read them as proven.
 */
export const isJobClaim = (name: string): boolean =>
  FURTHER_NAMES.has(name) || (isKnownClaim(name) && !name.startsWith(AWS_NAMESPACE))

/** What STS reads. Some issuers send such claims, and the broker drops them: only its own provider sets them. */
export const AWS_NAMESPACE = "https://aws.amazon.com/"
