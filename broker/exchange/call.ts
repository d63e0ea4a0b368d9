import type { BrokerError } from "../core/errors.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import type { RequestEvent } from "../ports/log.ts"

/** The common part of every call. */
export interface Call {
  readonly requestId: string
  /** The bearer token, not yet verified. */
  readonly subjectToken: string
  /** An audience that the token may have instead of the broker's. */
  readonly audience?: string
  /** Absent when the call carries no DPoP proof. */
  readonly proof?: PresentedProof
  /** The client's address for the audit record; null when the runtime does not know it. */
  readonly clientAddress: string | null
  /** Whether the client has ended the connection, so that an answer would be lost. */
  isGone(): boolean
  /** The log entry. It is filled along the way, and written once, whatever happens. */
  readonly event: RequestEvent
}

/** A DPoP proof (RFC 9449), not yet verified, and the call that it must be for. */
export interface PresentedProof {
  readonly text: string
  readonly method: string
  /** The path below the broker's URL. */
  readonly path: string
}

/** The job's ephemeral key. It was checked to be a point on the curve. */
export interface JobKey {
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string
}

export interface ExchangeCall extends Call {
  readonly grants: readonly string[]
  readonly ttlSeconds: number | undefined
  readonly key: JobKey | undefined
  /** The lease's id when the job has chosen it. */
  readonly lease: string | undefined
  /**
   * Why the caller cannot get these grants in the form that it asks for; null when it can. Asked before anything is minted.
   * Left out: every form is fine.
   */
  unfit?(grants: readonly GrantedGrant[]): BrokerError | null
}

export interface RevokeCall extends Call {
  readonly lease: string
}
