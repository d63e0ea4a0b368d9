import type { AuditIdentity } from "../../broker/core/audit-record.ts"
import { markedValues } from "../../broker/core/families/cautions.ts"
import { factsOf } from "../../broker/core/families/families.ts"
import type { ClaimRoles } from "../../broker/core/families/family-facts.ts"
import { claimsRead } from "../../broker/core/policy/claims-read.ts"
import type { PolicySet, PolicySubject } from "../../broker/core/policy/model.ts"
import type { FiledRecord, ReadRecord } from "../records/record-lines.ts"

/** What a record says of a claim: texts as conditions compare them; null: the token had it, and the record has no value. */
export type RecordedClaim = string | readonly string[] | null

/** A unit as its jobs' tokens named it. */
export interface RunUnit extends Pick<AuditIdentity, "unit" | "unit_id" | "owner" | "owner_id" | "unit_kind"> {
  readonly issuerUrl: string
  /** Policy version -> claims that some token of the unit had while it decided: so that version read them. */
  readonly read: Map<string, Set<string>>
}

/** Decisions of one unit that no policy can tell apart: same environment, same claims, same grants. */
export interface RunGroup {
  readonly unit: RunUnit
  readonly environment: string | null
  readonly asked: readonly string[]
  /** `allowed`, or the code of the denial. */
  readonly recorded: string
  readonly policyVersion: string | null
  /** Whether the token was bound to a key; null when the record does not say it. */
  readonly bound: boolean | null
  /** What the record says of the claims that one of the policy sets reads. */
  readonly claims: ReadonlyMap<string, RecordedClaim>
  /** Claims that the token surely had not. */
  readonly absent: ReadonlySet<string>
  /** False when claims were left out, or the record is of a version without claims: a claim without a value may have had one. */
  readonly complete: boolean
  exchanges: number
  /** ISO 8601. */
  first: string
  last: string
  /** Ids of the first runs. */
  readonly examples: string[]
}

/** The most runs that an answer names as examples. */
const MAX_EXAMPLES = 3

interface KnownUnit {
  readonly unit: RunUnit
  readonly key: string
  readonly names: readonly string[]
  readonly roles: ReadonlyMap<string, keyof AuditIdentity>
}

/**
 * Collects the decisions of a record, grouped before anything is decided: a repository that runs a thousand times a day makes few
 * groups. Only claims that one of the policy sets reads tell groups apart.
 */
export class Runs {
  readonly #sets: readonly PolicySet[]
  /** Further claims that tell groups apart, by their role. */
  readonly #further: readonly (keyof ClaimRoles)[]
  readonly #units = new Map<string, KnownUnit>()
  readonly #groups = new Map<string, RunGroup>()
  /** How many decisions were added. */
  exchanges = 0
  /** Connections by which a recorded run got something. */
  readonly connections = new Set<string>()
  /** Denials that were only counted: no record has their claims. */
  uncounted = 0
  /** ISO 8601; null before the first record. */
  first: string | null = null
  last: string | null = null

  constructor(sets: readonly PolicySet[], further: readonly (keyof ClaimRoles)[] = []) {
    this.#sets = sets
    this.#further = further
  }

  get groups(): Iterable<RunGroup> {
    return this.#groups.values()
  }

  /** Takes any record. Those that are no decision change only the time that the record covers. */
  add({ record }: FiledRecord): void {
    if (this.first === null || record.at < this.first) this.first = record.at
    if (this.last === null || record.at > this.last) this.last = record.at
    if (record.event === "denials.counted") this.uncounted += Number(/^[0-9]+/.exec(record.reason)?.[0] ?? 0)
    const decision = decisionOf(record)
    if (decision === null) return
    this.exchanges += 1
    const { identity, asked, recorded } = decision
    if (recorded === "allowed") for (const { connection } of record.grants) this.connections.add(connection)
    const known = this.#unitOf(identity)
    const version = record.policy_version
    const complete = record.complete && record.claims !== undefined && record.claims_left_out === undefined
    const said = record.claims ?? {}
    if (version !== null) {
      const read = known.unit.read.get(version) ?? new Set<string>()
      known.unit.read.set(version, read)
      for (const name in said) read.add(name)
    }
    const values = known.names.map((name) => recordedValue(name, said, identity, known.roles))
    const bound = record.token_binding === null ? null : /^(?:thumbprint|dpop)$/.test(record.token_binding)
    const environment = identity.environment
    const key = JSON.stringify([known.key, environment, asked, recorded, version, bound, complete, values])
    const group = this.#groups.get(key)
    if (group === undefined) {
      const claims = new Map<string, RecordedClaim>()
      const absent = new Set<string>()
      for (const [index, name] of known.names.entries()) {
        const value = values[index]
        if (value === ABSENT) absent.add(name)
        else if (value !== NOT_SAID && value !== undefined) claims.set(name, value)
      }
      this.#groups.set(key, {
        ...{ unit: known.unit, environment, asked, recorded, policyVersion: version, bound, claims, absent, complete },
        ...{ exchanges: 1, first: record.at, last: record.at, examples: [identity.run_id].filter((id) => id !== "") },
      })
      return
    }
    group.exchanges += 1
    if (record.at < group.first) group.first = record.at
    if (record.at > group.last) group.last = record.at
    if (group.examples.length < MAX_EXAMPLES && !group.examples.includes(identity.run_id)) {
      group.examples.push(identity.run_id)
    }
  }

  #unitOf(identity: AuditIdentity): KnownUnit {
    const { issuer: issuerUrl, unit_kind, unit, unit_id, owner, owner_id } = identity
    const key = JSON.stringify([issuerUrl, unit_id, unit, owner_id, owner])
    const before = this.#units.get(key)
    if (before !== undefined) return before
    const names = new Set<string>()
    const roles = new Map<string, keyof AuditIdentity>()
    for (const set of this.#sets) {
      const subject = subjectIn(set, { issuerUrl, unit, unit_id, owner_id })
      if (subject === null) continue
      const family = factsOf(set.organisation.issuers.get(subject.issuer)?.family)
      for (const name of claimsRead(set.organisation, set.policiesOf(subject), { cautions: [] })) names.add(name)
      for (const name of ["outsider", "interactive", ...markedValues(family).map(([claim]) => claim)]) names.add(name)
      for (const role of this.#further) if (family.roles[role] !== undefined) names.add(family.roles[role])
      for (const [role, member] of ROLES) if (family.roles[role] !== undefined) roles.set(family.roles[role], member)
    }
    const known: KnownUnit = {
      unit: { issuerUrl, unit_kind, unit, unit_id, owner, owner_id, read: new Map() },
      key: String(this.#units.size),
      names: [...names].sort(),
      roles,
    }
    this.#units.set(key, known)
    return known
  }
}

/** How a policy set finds a unit's policies; null when it does not list the unit's issuer. */
export function subjectIn(
  { organisation }: PolicySet,
  { issuerUrl, unit, unit_id, owner_id }: Pick<RunUnit, "issuerUrl" | "unit" | "unit_id" | "owner_id">,
): PolicySubject | null {
  const issuer = [...organisation.issuers.values()].find(({ url }) => url === issuerUrl)
  return issuer === undefined ? null : { issuer: issuer.name, unit, unitId: unit_id, ownerId: owner_id }
}

/** What every record says, also of claims that no policy read. */
const ROLES: readonly (readonly [keyof ClaimRoles, keyof AuditIdentity])[] = [
  ["unitId", "unit_id"],
  ["unit", "unit"],
  ["ownerId", "owner_id"],
  ["owner", "owner"],
  ["environment", "environment"],
  ["ref", "ref"],
  ["event", "event"],
  ["actor", "actor"],
  ["actorId", "actor_id"],
  ["runId", "run_id"],
  ["runAttempt", "run_attempt"],
]

const ABSENT = 0
const NOT_SAID = 1

function recordedValue(
  name: string,
  said: NonNullable<ReadRecord["claims"]>,
  identity: AuditIdentity,
  roles: ReadonlyMap<string, keyof AuditIdentity>,
): RecordedClaim | typeof ABSENT | typeof NOT_SAID {
  if (Object.hasOwn(said, name)) return unescaped(said[name] ?? null)
  const role = roles.get(name)
  if (role === undefined) return NOT_SAID
  const value = identity[role]
  // The id stands for a name that the token does not say.
  if ((role === "unit" && value === identity.unit_id) || (role === "owner" && value === identity.owner_id))
    return NOT_SAID
  return value === null || value === undefined || value === "" ? ABSENT : unescaped(value)
}

/** A record escapes invisible characters. The claim's own text is then not known. */
function unescaped(value: RecordedClaim): RecordedClaim {
  const isEscaped = (text: string) => text.includes("\\u{")
  return (typeof value === "string" ? isEscaped(value) : value?.some(isEscaped)) ? null : value
}

/** The decision that a record is about; null for other records, such as outcomes of a decision that another record has. */
function decisionOf(record: ReadRecord) {
  const { event, identity, decision, reason, grants } = record
  if (identity === null) return null
  if (event === "exchange.denied") {
    const [recorded = "", names = ""] = reason.split(": ", 2)
    const asked = names.split(", ").filter((name) => name !== "")
    return asked.length === 0 ? null : { identity, asked, recorded }
  }
  if (decision !== "allow" || (event !== "exchange.intended" && event !== "exchange.minted")) return null
  return { identity, asked: grants.map(({ name }) => name), recorded: "allowed" }
}
