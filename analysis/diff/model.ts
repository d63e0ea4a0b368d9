import type { IssuerConfig } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { Region, Witness } from "../regions/region.ts"
import type { Cases } from "../regions/words.ts"
import type { ChangeSubject } from "../scopes/scope.ts"

/** What two policy sets give differently, to whom. */
export interface PolicyDiff {
  /** Whether anybody gets more, or it cannot be ruled out. */
  readonly widens: boolean
  /** Whether anybody gets less. */
  readonly narrows: boolean
  /** What gives more comes first. Whoever moves sideways is in one of each. */
  readonly changes: readonly PolicyChange[]
  /** Every issuer that either set lists. */
  readonly issuers: readonly ComparedIssuer[]
}

/**
 * One issuer in both sets; null on the side that does not list it. One that has the same URL under another name is the
 * same issuer: the broker decides about its jobs as before, and identity tokens, ledgers and audit records carry its URL.
 */
export interface ComparedIssuer {
  readonly old: IssuerConfig | null
  readonly next: IssuerConfig | null
}

/** What is known besides the sets. */
export interface DiffContext {
  /** Who says what a grant reaches. Without its provider, a grant is described by its fields. */
  readonly providers: ProviderSchemaTable
}

/**
 * `grant`: a credential that was not to be had. `lifetime`: the same one for longer. `protection`: with less demanded of the
 * environment. `token-binding`: without a key-bound token. `connection`: by other settings of its connection. `issuer`,
 * `owner`, `token-lifetime`: whose tokens are taken. `own-policies`: what a policy that a repository keeps for itself could
 * give. `too-complex`: unknown.
 */
export type ChangeKind =
  | "grant"
  | "lifetime"
  | "protection"
  | "token-binding"
  | "connection"
  | "issuer"
  | "owner"
  | "token-lifetime"
  | "own-policies"
  | "too-complex"

export interface PolicyChange {
  readonly direction: "wider" | "narrower"
  readonly kind: ChangeKind
  /** A sentence without its subject: `can get aws-deploy: ...`. */
  readonly says: string
  /** All of one issuer, except where the sets cannot be compared. Names of issuers are those of the new set; one that it does not list has its old name. */
  readonly subjects: readonly ChangeSubject[]
  /** The grant's name, when it is about one. */
  readonly grant: string | null
  readonly connection: string | null
  /** Which jobs of the subjects; none when nothing can be said of them. */
  readonly cases: Cases
  /** A job that really gets more, or less, by the engine's own word; null when none was found. */
  readonly example: Witness | null
  /** False for what cannot be ruled out and was not found either. */
  readonly proven: boolean
  readonly place: ChangePlace
  /** The identities, by subject. Empty for what is about whole issuers and connections. */
  readonly regions: readonly Region[]
}

/** A line of the new set, or of the old one for what is no more. */
export interface ChangePlace {
  readonly set: "old" | "new"
  readonly file: string
  /** 1-based. */
  readonly line: number
}
