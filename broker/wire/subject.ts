/** A job, as the subject of an identity token names it. */
export interface SubjectOfJob {
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  /** `repository`, `project`, `service_account`, ... */
  readonly unitKind: string
  readonly unitId: string
  /** Absent or null for a job that runs in no environment. */
  readonly environment?: string | null
}

/**
 * The `sub` of the broker's identity tokens, which a cloud's trust policy names:
 * `<issuer>:<unit kind>:<unit id>:environment:<name or ->:grant:<name>`, such as
 * `github:repository:41:environment:production:grant:aws-deploy`.
 *
 * It contains the unit's id and no name of a unit or an owner. After a rename, another unit can take the old name, and the
 * other side would then trust a stranger. Two issuers can know the same id, so the issuer is part of it.
 *
 * Each part is percent-encoded (RFC 3986 unreserved characters stay), so that the name of an environment cannot contain the
 * separator and give the subject of another grant. An environment with the name `-` becomes `%2D`. The result is ASCII.
 */
export function identityTokenSubject({ issuer, unitKind, unitId, environment }: SubjectOfJob, grant: string): string {
  const unit = `${encodePart(issuer)}:${encodePart(unitKind)}:${encodePart(unitId)}`
  return `${unit}:environment:${environmentPart(environment)}:grant:${encodePart(grant)}`
}

const environmentPart = (name: string | null | undefined) => {
  if (name === undefined || name === null) return "-"
  return name === "-" ? "%2D" : encodePart(name)
}

/** `encodeURIComponent`, and also the characters that it leaves, among them the wildcard `*` of IAM's `StringLike`. */
const encodePart = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** What a policy tells of the subjects of its jobs. `unitId` is null for a policy of several units. */
export interface SubjectParts extends Omit<SubjectOfJob, "unitId"> {
  readonly unitId: string | null
  /** The longest id that a unit of the issuer can have. */
  readonly longestId: string
}

/** The longest `sub` that a vendor takes, and the vendor's own name for the place, such as `Google's google.subject`. */
export interface SubjectLimit {
  readonly bytes: number
  readonly place: string
}

/**
 * Why a grant's subject is longer than a vendor takes; null when it fits. The end of a sentence, which says what to shorten.
 *
 * The ids of a policy of several units are not known when it loads. It must then fit with the longest possible id, so that
 * no later unit gets a subject that the vendor refuses. All other parts are known: a policy writes its environment and its
 * grants in full.
 */
export function subjectTooLong(jobs: SubjectParts, grant: string, limit: SubjectLimit): string | null {
  const { issuer, environment, unitId, longestId } = jobs
  const { length } = identityTokenSubject({ ...jobs, unitId: unitId ?? longestId }, grant)
  if (length <= limit.bytes) return null
  const parts = [
    { name: "the environment's name", bytes: environmentPart(environment).length },
    { name: "the grant's name", bytes: encodePart(grant).length },
    { name: "the issuer's name in the organisation file", bytes: encodePart(issuer).length },
  ].sort((one, other) => other.bytes - one.bytes)
  const [longest] = parts
  const ids =
    unitId === null ? ` with an id of ${longestId.length} ${/^\d+$/.test(longestId) ? "digits" : "characters"}` : ""
  return `the sub of its identity tokens has ${length} bytes${ids}, but ${limit.place} takes at most ${limit.bytes}: shorten ${longest?.name}, which has ${longest?.bytes} bytes when it is percent-encoded`
}
