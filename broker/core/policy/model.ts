import type { Condition } from "./condition.ts"

/** The organisation file, checked and compiled: whom we trust and where credentials come from. */
export interface Organisation {
  readonly issuers: ReadonlyMap<string, IssuerConfig>
  readonly connections: ReadonlyMap<string, Connection>
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
}

export interface Connection {
  readonly name: string
  readonly provider: string
  /** What the provider's own schema made of the connection's other keys. */
  readonly settings: unknown
  readonly requireBoundToken: boolean
  readonly maxTtlSeconds?: number
}

/** One policy file, checked and compiled. */
export interface Policy {
  /** Relative to its folder, with forward slashes. */
  readonly file: string
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  readonly repository: string
  readonly repositoryId: string
  /** Absent: for jobs that run in no environment. */
  readonly environment?: string
  readonly allow: readonly Rule[]
  readonly deny: readonly Rule[]
  readonly grants: ReadonlyMap<string, Grant>
}

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
  /** What the provider's own schema made of the grant's other keys. */
  readonly fields: unknown
  /** The least of what the policy, the connection and the provider allow. */
  readonly ttlSeconds: number
  /** The shortest lifetime that the provider can mint. */
  readonly minTtlSeconds: number
}

/** Where a policy file is wrong and what to change. Lines and columns are 1-based. */
export interface PolicyFault {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
}

/** A folder of policies that loaded without a fault. Immutable: a reload makes another. */
export interface PolicySet {
  /** SHA-256 over the files' names and texts, hex: the same files are the same version anywhere. */
  readonly version: string
  readonly organisation: Organisation
  /** All policies of one repository, whatever their environment; empty when there are none. */
  policiesOf(issuer: string, repositoryId: string): readonly Policy[]
  /** All of them, in the folder's order. */
  readonly policies: readonly Policy[]
  readonly policyCount: number
}
