import type { UnitKind } from "../../broker/core/families/units.ts"
import type { Demand } from "./wild.ts"

/** What the other side must trust for one grant of one unit and environment. */
export interface GivenSubject {
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  readonly unitKind: UnitKind
  readonly unitId: string
  /** Null for jobs that run in no environment. */
  readonly environment: string | null
  /** The unit's names that the policies write, for people. */
  readonly names: readonly string[]
  readonly connection: string
  readonly provider: string
  readonly grant: string
  readonly subject: string
  /** The `aud` of the tokens that the other side sees. */
  readonly audiences: readonly string[]
  /** What trusts the broker there: a role, a client id, a service account; null if the policies do not name it. */
  readonly door: string | null
  readonly ownerIds: readonly string[]
  /** Where the policy defines the grant. */
  readonly place: { readonly file: string; readonly line: number }
}

/**
 * Subjects that no list can name. `pattern`: a policy covers many units, and their ids are not in the folder.
 * `own-policies`: repositories may keep policies of their own. `undecided`: the analysis cannot tell who gets the grant.
 */
export interface OpenSubjects {
  readonly connection: string
  readonly provider: string
  readonly why: "pattern" | "own-policies" | "undecided"
  readonly issuer: string
  readonly unitKind: UnitKind
  /** The grant's name; null for any. */
  readonly grant: string | null
  /** A pattern of units; null for any. */
  readonly unit: string | null
  /** Null for jobs in no environment; absent for any or none. */
  readonly environment?: string | null
  /** A pattern with `*` that covers the subjects, and also others. */
  readonly subjects: string
  readonly ownerIds: readonly string[]
  readonly door: string | null
  readonly audiences: readonly string[]
  readonly place: { readonly file: string; readonly line: number } | null
}

/** What the policies of a folder give to jobs, as their other sides see it. */
export interface Given {
  readonly subjects: readonly GivenSubject[]
  readonly open: readonly OpenSubjects[]
  /** Grants that no job can get, so that no other side needs to trust anything for them. */
  readonly unreachable: readonly { readonly connection: string; readonly grant: string; readonly subject: string }[]
}

/** One way into the other side. It lets in the tokens that fulfil all of it. */
export interface Admission {
  /** Where the document says so: `statement 2`. */
  readonly place: string
  /** The issuer's URL; null when the document does not say it. */
  readonly issuer: string | null
  /** An empty list lets every subject in. */
  readonly subject: readonly Demand[]
  /** An empty list accepts every audience. */
  readonly audience: readonly Demand[]
  /** Further conditions. They are not evaluated, and can only let in less. */
  readonly unread: readonly string[]
  /** Of these, the claims that a unit's, an owner's or a person's name is in. */
  readonly names: readonly string[]
}

export type DoorKind =
  | "aws-role"
  | "vault-role"
  | "azure-credential"
  | "google-provider"
  | "google-binding"
  | "google-pool"

/** What a document of the other side lets in. */
export interface Door {
  readonly kind: DoorKind
  /** The role's ARN, if the document has it. */
  readonly name: string | null
  readonly admissions: readonly Admission[]
  /** What was found while reading: others who are let in, and parts that cannot be understood. */
  readonly findings: readonly TrustFinding[]
}

/**
 * `finding`: the other side lets in more than the policies give, or it cannot be proved that it does not. `note`: it lets in
 * less, or something else that a reader should know.
 */
export interface TrustFinding {
  readonly severity: "finding" | "note"
  readonly code: TrustCode
  readonly place: string
  readonly message: string
  /** A subject or audience that it lets in. */
  readonly example?: string
}

export type TrustCode =
  | "subject_missing"
  | "subject_wildcard"
  | "subject_by_name"
  | "subject_stale"
  | "subject_of_another_grant"
  | "subject_unproven"
  | "audience_missing"
  | "audience_beyond"
  | "issuer_other"
  | "issuer_unknown"
  | "principal_other"
  | "condition_on_name"
  | "condition_unread"
  | "not_understood"
  | "not_let_in"
  | "tags_refused"

/** What a document is compared with. */
export interface Expected {
  /** The broker's URL. */
  readonly issuer: string
  /** The audiences of the connection's tokens. */
  readonly audiences: readonly string[]
  /** The role, client or account whose document it is; null if there is only one, or for a whole pool. */
  readonly door: string | null
  /** What the document may let in. */
  readonly subjects: readonly GivenSubject[]
  /** What other grants of the folder give, for better sentences. */
  readonly others: readonly GivenSubject[]
  readonly open: readonly OpenSubjects[]
  /** Subjects that look real and that no policy gives: examples for a wildcard. */
  readonly strangers: readonly string[]
  /** The workload identity pools of the connections: `projects/1/locations/global/workloadIdentityPools/x`. */
  readonly pools: readonly string[]
  /** Whether the broker sends session tags to AWS. */
  readonly sendsTags: boolean
}
