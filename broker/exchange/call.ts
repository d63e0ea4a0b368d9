import type { RequestEvent } from "../ports/log.ts"

/** What every call carries, whatever it asks for. */
export interface Call {
  readonly requestId: string
  /** The bearer, not yet verified. */
  readonly subjectToken: string
  /** Where the call came from, for the audit record; null when the runtime does not say. */
  readonly clientAddress: string | null
  /** Filled along the way; written once, whatever happens. */
  readonly event: RequestEvent
}

/** The job's ephemeral key, checked to be a point on the curve. */
export interface JobKey {
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string
}

export interface ExchangeCall extends Call {
  readonly grants: readonly string[]
  readonly ttlSeconds: number | undefined
  readonly key: JobKey | undefined
}

export interface RevokeCall extends Call {
  readonly lease: string
}
