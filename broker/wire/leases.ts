import type { Revocation } from "./exchange.ts"

/** `GET LEASES_PATH/{id}`: a lease; `POST LEASES_PATH/{id}/revoke`: end it. */
export const LEASES_PATH = "/v1/operate/leases"

/** The body of `POST LEASES_PATH/{id}/revoke`. */
export interface RevokeLeaseRequest {
  readonly reason: string
}

/** The answer of `GET LEASES_PATH/{id}`: who has the lease, and what of it is still alive. */
export interface LeaseAnswer {
  readonly lease: string
  readonly ledger: { readonly issuer: string; readonly unit_id: string }
  /** As the record names the unit and the run. */
  readonly unit: string
  readonly environment: string | null
  readonly run_id: string
  readonly run_attempt: string
  readonly actor: string | null
  /** ISO 8601, UTC: when the exchange was recorded. */
  readonly at: string
  /** True while something of it is alive, as far as the broker knows. */
  readonly open: boolean
  /** What has not ended. */
  readonly credentials: readonly {
    readonly grant: string
    readonly connection: string
    readonly provider: string
    readonly revocation: Revocation
    /** ISO 8601, UTC; null: it does not end by itself. */
    readonly expires_at: string | null
  }[]
}

/** The answer of `POST LEASES_PATH/{id}/revoke`. */
export interface RevokeLeaseAnswer {
  readonly lease: string
  /** Whether credentials are being revoked from now on. */
  readonly revoking: boolean
  /** True while the exchange has no outcome yet: ask again in a minute. */
  readonly under_way: boolean
  /** ISO 8601, UTC: when the last credential that cannot be revoked expires; null: there is none. */
  readonly expires_at: string | null
}
