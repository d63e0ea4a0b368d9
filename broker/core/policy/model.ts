import type { Identity } from "../identity.ts"
import type { Condition } from "./condition.ts"
import type { EnvironmentDemand } from "./environment-protection.ts"
import type { Pattern } from "./pattern.ts"
import type { ProviderSchemas } from "./provider-schemas.ts"

/** The organisation file, checked and compiled: whom we trust and where credentials come from. */
export interface Organisation {
  readonly issuers: ReadonlyMap<string, IssuerConfig>
  readonly connections: ReadonlyMap<string, Connection>
  /** The ceiling; empty when the organisation sets none. */
  readonly boundaries: readonly Boundary[]
  /** True when the whole organisation accepts key-bound subject tokens only. */
  readonly requireBoundToken: boolean
}

export interface IssuerConfig {
  /** Its name in the organisation file. */
  readonly name: string
  readonly family: string
  /** The exact `iss`. */
  readonly url: string
  /** Owner name -> owner id. Ids decide; whoever is not listed is a stranger. */
  readonly owners: ReadonlyMap<string, string>
  /** Overrides the family's own limit; only ever lower or equal. */
  readonly maxTokenLifetimeSeconds?: number
  /** Whether repositories keep policies of their own, which a boundary must cover. */
  readonly repositoryPolicies: boolean
}

export interface Connection {
  readonly name: string
  readonly provider: string
  /** What the provider's own schema made of the connection's other keys. */
  readonly settings: unknown
  readonly requireBoundToken: boolean
  readonly maxTtlSeconds?: number
}

/** The most that some jobs may get, whatever policies say: a part of the organisation's ceiling. */
export interface Boundary {
  readonly name: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** Whom it is about: every one must match. */
  readonly when: readonly Condition[]
  /** What may be granted; empty for a boundary that only restricts. */
  readonly allow: readonly BoundaryEntry[]
  /** What must hold besides. */
  readonly require: readonly Condition[]
  readonly protectedEnvironment?: EnvironmentDemand
  readonly maxTtlSeconds?: number
}

/** One connection, and what grants of it may say. A field that is not listed is free. */
export interface BoundaryEntry {
  readonly connection: string
  readonly line: number
  readonly fields: ReadonlyMap<string, FieldCeiling>
}

/**
 * What one field of a grant may be. `text`: every text in it matches one of the patterns. `map`: it has a key, every key
 * of it is listed, and its value is inside. A field that the grant leaves out, or leaves empty, is outside: what is not
 * said is not narrowed.
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
  /** As the file writes it, for people. */
  readonly repository: string
  readonly target: PolicyTarget
  /** Absent: for jobs that run in no environment. */
  readonly environment?: string
  /** Who wrote it. What a repository keeps for itself is inert where no boundary is about the repository. */
  readonly origin: "organisation" | "repository"
  readonly protectedEnvironment?: EnvironmentDemand
  readonly allow: readonly Rule[]
  readonly deny: readonly Rule[]
  readonly grants: ReadonlyMap<string, Grant>
}

/** Whose jobs a policy speaks of. Ids decide: a pattern chooses among the repositories of one owner only. */
export type PolicyTarget =
  | { readonly kind: "repository"; readonly id: string }
  /** `names` is held against what stands behind `owner/`. */
  | { readonly kind: "owner"; readonly ownerId: string; readonly names: Pattern }

export interface Rule {
  readonly kind: "allow" | "deny"
  readonly name: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** `all` is what a deny without `grants` covers; an allow always lists. */
  readonly grants: ReadonlySet<string> | "all"
  /** Every one must match. */
  readonly conditions: readonly Condition[]
}

export interface Grant {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly connection: Connection
  /** What the provider's own schema made of the grant's other keys; of a template, with samples in its gaps. */
  readonly fields: unknown
  /** Present when the fields have gaps that a job's claims fill. */
  readonly template?: GrantTemplate
  /** Present when boundaries see something else than the fields as they are: the provider's own word. */
  readonly underCeiling?: (fields: unknown) => unknown
  /** The texts of the folder's files that it names, by path, encrypted as they lie there. Present when it names any. */
  readonly files?: ReadonlyMap<string, string>
  /** The least of what the policy, the connection and the provider allow. */
  readonly ttlSeconds: number
  /** The shortest lifetime that the provider can mint. */
  readonly minTtlSeconds: number
}

/** A grant's own keys as the policy wrote them, with gaps such as `${repository_name}` in their texts. */
export interface GrantTemplate {
  readonly raw: Readonly<Record<string, unknown>>
  /** The claims that fill the gaps, without duplicates. */
  readonly claims: readonly string[]
  /** Who checks what came out of filling them. */
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

/** What a set is asked by: whose job it is. */
export type PolicySubject = Pick<Identity, "issuer" | "repositoryId" | "repository" | "ownerId">

/** A folder of policies that loaded without a fault. Immutable: a reload makes another. */
export interface PolicySet {
  /** SHA-256 over the files' names and texts, hex: the same files are the same version anywhere. */
  readonly version: string
  readonly organisation: Organisation
  /** All policies that speak of a repository, by its id or by its name, whatever their environment. */
  policiesOf(subject: PolicySubject): readonly Policy[]
  /** All of them, in the folder's order. */
  readonly policies: readonly Policy[]
  readonly policyCount: number
}
