/** `GET`: the stops; `POST`: order one; `DELETE`: lift one. */
export const STOPS_PATH = "/v1/operate/stops"
/** `POST`: end leases before their time. */
export const END_LEASES_PATH = "/v1/operate/leases/end"

export const STOP_KINDS = ["all", "issuer", "owner", "unit", "connection", "grant"] as const

/** What a stop concerns, as operators write it: the body of `POST`, and the query of `DELETE`. */
export interface StopTarget {
  readonly on: (typeof STOP_KINDS)[number]
  /**
   * An issuer's name in the organisation file; `ISSUER:ID` or `ISSUER:NAME` for an owner and a unit; a connection; a grant. Left
   * out for `all`.
   */
  readonly name?: string
  /** Of a grant: only for this unit, as `ISSUER:ID` or `ISSUER:NAME`. */
  readonly unit?: string
}

/** The body of `POST /v1/operate/stops`. */
export interface StopRequest extends StopTarget {
  /** Told to every job that it refuses: 1 to 300 characters. */
  readonly reason: string
  /** After which time it ends by itself, such as `2h`; left out: when somebody resumes. */
  readonly for?: string
}

export interface StopAnswer {
  /** The scope in words: `unit acme/shop (41)`. */
  readonly scope: string
  readonly reason: string
  readonly by: string
  /** ISO 8601, UTC. */
  readonly at: string
  /** ISO 8601, UTC; null: until somebody resumes. */
  readonly until: string | null
}

/** The answer of `GET /v1/operate/stops`: those that the operator's scope covers. */
export interface StopsAnswer {
  readonly stops: readonly StopAnswer[]
}

/** No exchange that begins so long after a stop was ordered is granted. */
export const STOP_IN_FORCE_SECONDS = 5

/** The body of `POST /v1/operate/leases/end`. */
export interface EndLeasesRequest extends StopTarget {
  readonly reason: string
  /** ISO 8601: exchanges that began before this time, or a few seconds later, are counted while they are under way. */
  readonly since: string
  /** `next` of the answer before; left out: from the start. */
  readonly after?: string
}

/** The answer of `POST /v1/operate/leases/end`, for one part of the ledgers. */
export interface EndLeasesAnswer {
  /** Leases whose credentials the broker revokes from now on. */
  readonly ended: number
  /** Leases that it revokes since an earlier call. */
  readonly revoking: number
  /** Exchanges that have no outcome yet: at most 65 seconds after `since` they have one, and can be ended. */
  readonly under_way: number
  /** Leases with credentials that cannot be revoked, and when the last of them expires (ISO 8601, UTC; null: there are none). */
  readonly expiring: { readonly leases: number; readonly until: string | null }
  /** Units whose ledger could not be reached. */
  readonly unreached: number
  /** Where the next call goes on; null: this was the last part. */
  readonly next: string | null
}
