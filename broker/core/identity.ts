/** A claim's value, as in the issuer's JSON. */
export type ClaimValue =
  | string
  | number
  | boolean
  | null
  | readonly ClaimValue[]
  | { readonly [name: string]: ClaimValue }

/** The claims of one token, by name. Has no prototype, so that a claim's name cannot reach an inherited member. */
export type Claims = Readonly<Record<string, ClaimValue>>

/**
 * A verified job: the contents of its subject token, under names that do not depend on the issuer.
 *
 * `repositoryId` and `ownerId` decide; the names are for people. `claims` are the token's claims, for conditions.
 */
export interface Identity {
  /** The issuer's name in the organisation file, for example `github`. */
  readonly issuer: string
  /** The token's `iss`. */
  readonly issuerUrl: string
  readonly repository: string
  readonly repositoryId: string
  readonly owner: string
  readonly ownerId: string
  /** Absent for a job that runs in no environment. */
  readonly environment?: string
  readonly ref: string
  readonly refType: string
  readonly event: string
  readonly actor: string
  readonly runId: string
  readonly runAttempt: string
  readonly claims: Claims
}

/** A repository's name without its owner: the part after the first slash. */
export function repositoryName(repository: string): string {
  return repository.slice(repository.indexOf("/") + 1)
}
