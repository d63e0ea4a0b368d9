import type { IssuerConfig } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { Region, Witness } from "../regions/region.ts"
import type { Cases } from "../regions/words.ts"
import type { ChangeSubject } from "../scopes/scope.ts"

/** Which jobs get more and which get less from one policy set than from another. */
export interface PolicyDiff {
  /** Whether a job gets more, or the analysis cannot rule it out. */
  readonly widens: boolean
  /** Whether a job gets less. */
  readonly narrows: boolean
  /** Changes that give more come first. A replacement is two changes: one gives more, the other less. */
  readonly changes: readonly PolicyChange[]
  /** Every issuer that either set lists. */
  readonly issuers: readonly ComparedIssuer[]
}

/**
 * One issuer in both sets; null in the set that does not list it. An issuer with the same URL and another name is the same
 * issuer: the broker decides about its jobs as before, and ledgers and audit records contain its URL. But its name is part
 * of the `sub` of identity tokens, so the change counts as more and as less.
 */
export interface ComparedIssuer {
  readonly old: IssuerConfig | null
  readonly next: IssuerConfig | null
}

/** Inputs of a comparison, besides the two sets. */
export interface DiffContext {
  /** Describe what a grant reaches. A grant without a known provider is described by its fields. */
  readonly providers: ProviderSchemaTable
}

/**
 * What a `wider` change gives; a `narrower` one takes it away. `grant`: a credential that jobs could not get before.
 * `lifetime`: the same credential for longer. `protection`: the same with fewer demands on the environment.
 * `token-binding`: without a key-bound token. `connection`: through changed settings of its connection. `issuer`, `owner`,
 * `token-lifetime`: other subject tokens are accepted. An issuer that was renamed is an `issuer` change too. `own-policies`: what a repository's own policy could give.
 * `too-complex`: unknown.
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
  /**
   * All of one issuer, except where the sets cannot be compared. Issuers have the names of the new set, or their old name
   * if the new set does not list them.
   */
  readonly subjects: readonly ChangeSubject[]
  /** The grant's name; null if the change is not about a single grant. */
  readonly grant: string | null
  readonly connection: string | null
  /** Which jobs of the subjects are affected; empty when they cannot be described. */
  readonly cases: Cases
  /** A job that gets more, or less, confirmed by the broker's engine; null when none was found. */
  readonly example: Witness | null
  /** False if the analysis found no example and cannot rule one out. */
  readonly proven: boolean
  readonly place: ChangePlace
  /** The affected identities, by subject. Empty for changes of whole issuers and connections. */
  readonly regions: readonly Region[]
}

/** A line of the new set, or of the old set for something that was removed. */
export interface ChangePlace {
  readonly set: "old" | "new"
  readonly file: string
  /** 1-based. */
  readonly line: number
}
