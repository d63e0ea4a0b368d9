import type { Help } from "../../wire/exchange.ts"
import type { Identity } from "../identity.ts"
import type { PublicKey } from "../public-key.ts"
import type { BreakGlass } from "./break-glass.ts"
import type { Condition } from "./condition.ts"
import type { EnvironmentDemand } from "./environment-protection.ts"
import type { Pattern } from "./pattern.ts"
import type { GrantKey, ProviderSchemas } from "./provider-schemas.ts"
import type { Alarms } from "./schema-alarms.ts"
import type { AlertEndpoint, Archive, ExportTarget } from "./schema-outbound.ts"

/** The organisation file, checked and compiled: trusted issuers and owners, and where credentials come from. */
export interface Organisation {
  readonly issuers: ReadonlyMap<string, IssuerConfig>
  readonly connections: ReadonlyMap<string, Connection>
  /** The ceiling; empty when the organisation sets none. */
  readonly boundaries: readonly Boundary[]
  /** What repositories may use up; empty when the organisation keeps the defaults. */
  readonly limits: readonly LimitEntry[]
  /** True when the whole organisation accepts only key-bound subject tokens. */
  readonly requireBoundToken: boolean
  /** Where people ask when a job is denied. */
  readonly help?: Help
  /** Endpoints that are told of events, by name. */
  readonly alerts?: ReadonlyMap<string, AlertEndpoint>
  /** Where new records are written to, by name. */
  readonly exports?: ReadonlyMap<string, ExportTarget>
  /** When records leave the ledgers. */
  readonly archive?: Archive
  /** What the broker stops by itself. */
  readonly alarms?: Alarms
  /** Who cosigns the checkpoints of the audit trail: lines of c2sp.org/tlog-policy. */
  readonly witnesses?: string
}

export interface IssuerConfig {
  /** Its name in the organisation file. */
  readonly name: string
  readonly family: string
  /** The exact `iss`. */
  readonly url: string
  /**
   * Owner name -> owner id. Ids decide. Jobs of owners that are not listed get nothing. Where the issuer is the owner of
   * its units, its host -> its URL.
   */
  readonly owners: ReadonlyMap<string, string>
  /** The audience of its tokens, where it is not the broker's: every token of such an issuer has the issuer's own. */
  readonly audience?: string
  /** Where its keys are; left out: where its family publishes them. */
  readonly keys?: IssuerKeys
  /** Claims of the family that are read from another claim of the token: the family's name -> the token's. */
  readonly claims?: Readonly<Record<string, string>>
  /** The audiences that a token may have beside that one, of a family whose tokens can have several. */
  readonly otherAudiences?: readonly string[]
  /** Replaces the default of one hour; never higher than the family's limit. */
  readonly maxTokenLifetimeSeconds?: number
  /** Whether repositories may keep their own policies, which count only under a boundary. */
  readonly repositoryPolicies: boolean
  /** owner/name of the repository that keeps the policies. The broker does not need it; `check` warns by it. */
  readonly controlRepository?: string
  /** Custom properties that only the organisation can edit, by the organisation's own word. */
  readonly organisationProperties?: readonly string[]
}

/** Keys in the organisation file itself, or a place that it fixes, which may be on another host than the issuer's. */
export type IssuerKeys =
  | { readonly by: "list"; readonly list: readonly PublicKey[] }
  | { readonly by: "url"; readonly url: string }

export interface Connection {
  readonly name: string
  readonly provider: string
  /** The connection's other keys, as the provider's schema parsed them. */
  readonly settings: unknown
  readonly requireBoundToken: boolean
  /** Whether people may use it; left out: only jobs. */
  readonly people?: boolean
  readonly maxTtlSeconds?: number
}

/** A connection as it was read, for checks of what names it. */
export interface ConnectionReading {
  /** Null when the connection names no existing provider. */
  readonly provider: ProviderSchemas | null
  /** Null when it has faults. */
  readonly connection: Connection | null
}

/** The most that some jobs may get, regardless of policies: a part of the organisation's ceiling. */
export interface Boundary {
  readonly name: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** Which jobs it concerns: every condition must match. */
  readonly when: readonly Condition[]
  /**
   * `true`: it is about people only. `false`: about jobs only. Left out: it restricts both. Only a boundary with `true` allows
   * people anything, so that one that was written for jobs never does.
   */
  readonly people?: boolean
  /** What may be granted; empty for a boundary that only restricts. */
  readonly allow: readonly BoundaryEntry[]
  /** Further conditions that the job must fulfil. */
  readonly require: readonly Condition[]
  readonly protectedEnvironment?: EnvironmentDemand
  readonly maxTtlSeconds?: number
}

/** One entry of `limits`: what some repositories may use up. */
export interface LimitEntry {
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** Conditions on the unit or its owner; every one must match. */
  readonly when: readonly Condition[]
  readonly max: Readonly<Partial<Record<"exchanges_per_minute" | "open_leases" | "denials_per_hour", number>>>
}

/** One connection, and the values that its grants may have. A field that is not listed may have any value. */
export interface BoundaryEntry {
  readonly connection: string
  readonly line: number
  readonly fields: ReadonlyMap<string, FieldCeiling>
}

/**
 * The allowed values of one field of a grant. `text`: every text in the field must match one of the patterns. `map`: the
 * field must be a map with at least one key, all its keys must be listed, and each value must be allowed under its key. A
 * field that the grant leaves out or leaves empty is refused, because the provider would not narrow the credential by it.
 */
export type FieldCeiling =
  | { readonly kind: "text"; readonly patterns: readonly Pattern[] }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, FieldCeiling> }

/** One policy file, checked and compiled. */
export interface Policy {
  /** Relative to its folder, with forward slashes. */
  readonly file: string
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  /** The unit's name as the file writes it, for people. */
  readonly unit: string
  readonly target: PolicyTarget
  /** Absent: for jobs that run in no environment. */
  readonly environment?: string
  /** Who wrote it. A repository's own policy counts only where a boundary concerns the repository. */
  readonly origin: "organisation" | "repository"
  readonly protectedEnvironment?: EnvironmentDemand
  readonly allow: readonly Rule[]
  readonly deny: readonly Rule[]
  readonly grants: ReadonlyMap<string, Grant>
}

/** The units that a policy covers. Ids decide: a pattern only selects among the units of one owner id. */
export type PolicyTarget =
  | { readonly kind: "unit"; readonly id: string }
  /** `names` must match the part of the unit's name after the last slash. */
  | { readonly kind: "owner"; readonly ownerId: string; readonly names: Pattern }

export interface Rule {
  readonly kind: "allow" | "deny"
  readonly name: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** `all`: a deny without `grants`. An allow always lists its grants. */
  readonly grants: ReadonlySet<string> | "all"
  /** Every condition must match. */
  readonly conditions: readonly Condition[]
}

export interface Grant {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly connection: Connection
  /** The grant's other keys, as the provider's schema parsed them; in a template, with samples in the gaps. */
  readonly fields: unknown
  /** Present when the fields have gaps that a job's claims fill. */
  readonly template?: GrantTemplate
  /** Present when the provider shows boundaries another form of the fields. */
  readonly underCeiling?: (fields: unknown) => unknown
  /** Present in a repository's own policy: keys that reach the organisation, so that a boundary must name them. */
  readonly mustBeNamed?: (fields: unknown) => readonly GrantKey[]
  /** Path -> encrypted text of each file in the folder that the grant names. Present when it names any. */
  readonly files?: ReadonlyMap<string, string>
  /** The lowest limit of policy, connection and provider. */
  readonly ttlSeconds: number
  /** The shortest lifetime that the provider can mint. */
  readonly minTtlSeconds: number
  /** How many leases with this grant may be open at the same time; left out: no limit of its own. */
  readonly maxOpenLeases?: number
  /** Present when the job's run must have been approved by others. */
  readonly breakGlass?: BreakGlass
}

/** A grant's keys as the policy wrote them, with gaps such as `${repository_name}` in their texts. */
export interface GrantTemplate {
  readonly raw: Readonly<Record<string, unknown>>
  /** The claims that fill the gaps, without duplicates. */
  readonly claims: readonly string[]
  /** The provider's checks for the filled fields. */
  readonly schemas: Pick<ProviderSchemas, "grant" | "check" | "checkFilled">
}

/** Where a policy file is wrong and what to change. Lines and columns are 1-based. */
export interface PolicyFault {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
}

/** What finds the policies of a job: its issuer, unit and owner. */
export type PolicySubject = Pick<Identity, "issuer" | "unitId" | "unit" | "ownerId">

/** A folder of policies that loaded without a fault. Immutable: a reload makes a new set. */
export interface PolicySet {
  /** SHA-256 over the files' names and texts, hex: the same files have the same version everywhere. */
  readonly version: string
  readonly organisation: Organisation
  /** All policies that cover a unit, by its id or by its name, for any environment. */
  policiesOf(subject: PolicySubject): readonly Policy[]
  /** All policies, in the folder's order. */
  readonly policies: readonly Policy[]
  readonly policyCount: number
}
