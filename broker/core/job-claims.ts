import { FAMILY_FACTS, isKnownClaim, knownTo } from "./families/families.ts"
import { idNameOf, UNIT_KINDS, type UnitKind } from "./families/units.ts"

/** Names that identity tokens use for facts about the job, beside those of subject tokens. `runner_id` is GitLab's. */
const FURTHER_NAMES: ReadonlySet<string> = new Set([
  "grant",
  "subject_issuer",
  "runner_id",
  ...UNIT_KINDS.flatMap((kind) => [kind, idNameOf(kind), `${kind}_owner`, `${kind}_owner_id`]),
])

/**
 * Whether a claim's name belongs to the facts about a job. A policy may add claims to an identity token, but none of
 * these: systems that trust the token read them as proven.
 */
export const isJobClaim = (name: string): boolean =>
  FURTHER_NAMES.has(name) || (isKnownClaim(name) && !name.startsWith(AWS_NAMESPACE))

/** What STS reads. Some issuers send such claims, and the broker drops them: only its own provider sets them. */
export const AWS_NAMESPACE = "https://aws.amazon.com/"

const KNOWN_OF: ReadonlyMap<UnitKind, (claim: string) => boolean> = new Map(
  UNIT_KINDS.map((kind) => [kind, knownTo([...FAMILY_FACTS.values()].filter(({ unit }) => unit === kind))]),
)

/**
 * Whether a claim of a subject token has the name of a fact that only issuers of other kinds of units vouch for. Administrators
 * of some issuers choose the names of claims: a job of Jenkins can have a `repository_id` or `groups`, and no system may
 * read them as a repository's or a person's.
 */
export const isForeignFact = (kind: UnitKind, name: string): boolean =>
  isJobClaim(name) && KNOWN_OF.get(kind)?.(name) !== true
