import type { ClaimValue, Identity } from "../../core/identity.ts"

const MAX_SESSION_NAME_LENGTH = 64
const MAX_TAG_VALUE_LENGTH = 256

/**
 * The role session's name, which CloudTrail shows: repository, run and attempt, such as `acme.shop@10988497055.1`.
 *
 * STS accepts 2 to 64 characters of `[\w+=,.@-]`. A longer name is shortened in the repository, never in the run.
 */
export function sessionName(identity: Identity): string {
  const run = `@${identity.runId}.${identity.runAttempt}`.replace(/[^\w+=,.@-]/g, "-")
  const repository = identity.repository.replaceAll("/", ".").replace(/[^\w+=,.@-]/g, "-")
  return `${repository.slice(0, MAX_SESSION_NAME_LENGTH - run.length)}${run}`
}

/** The claim from which STS reads the session tags of a web identity token (IAM User Guide, "Passing session tags"). */
export const TAGS_CLAIM = "https://aws.amazon.com/tags"

/**
 * The job's facts as session tags. All are transitive: they stay when the role assumes another role.
 *
 * Tag values allow letters, digits, spaces and `_ . : / = + - @`; any other character becomes `_`, so a
 * condition on a tag must use the replaced value.
 */
export function sessionTags(identity: Identity, grant: string): ClaimValue {
  const facts: Record<string, string | undefined> = {
    repository: identity.repository,
    repository_id: identity.repositoryId,
    environment: identity.environment,
    ref: identity.ref,
    event_name: identity.event,
    actor: identity.actor,
    run_id: identity.runId,
    grant,
  }
  const tags = Object.entries(facts).flatMap(([key, value]) => (value ? [[key, [tagValue(value)]] as const] : []))
  return { principal_tags: Object.fromEntries(tags), transitive_tag_keys: tags.map(([key]) => key) }
}

const tagValue = (text: string) => text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_").slice(0, MAX_TAG_VALUE_LENGTH)
