import { idNameOf } from "../../core/families/units.ts"
import type { ClaimValue, Identity } from "../../core/identity.ts"

const MAX_SESSION_NAME_LENGTH = 64
/** What a run may take of it: run ids of some issuers are UUIDs. */
const MAX_RUN_LENGTH = 44
const MAX_TAG_VALUE_LENGTH = 256

/**
 * The role session's name, which CloudTrail shows: unit, run and attempt, such as `acme.shop@10988497055.1`.
 *
 * STS accepts 2 to 64 characters of `[\w+=,.@-]`. A longer name is shortened in the unit, never in the run.
 */
export function sessionName(identity: Identity): string {
  const { unit, runId, runAttempt } = identity
  const said = [runId, runAttempt].filter((part) => part !== "").join(".")
  const run = (said === "" ? "" : `@${said}`).replace(/[^\w+=,.@-]/g, "-").slice(0, MAX_RUN_LENGTH)
  const name = unit.replaceAll("/", ".").replace(/[^\w+=,.@-]/g, "-")
  return `${name.slice(0, MAX_SESSION_NAME_LENGTH - run.length)}${run}`.padEnd(2, "-")
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
  const facts: Record<string, string | null | undefined> = {
    // Two issuers can know the same id.
    issuer: identity.issuer,
    [identity.unitKind]: identity.unit,
    [idNameOf(identity.unitKind)]: identity.unitId,
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
