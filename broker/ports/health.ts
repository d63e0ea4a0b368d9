/** One part of the broker without which it cannot serve, as `/healthz` shows it. */
export interface HealthCheck {
  readonly part: HealthPart
  /** Never throws. Does no more I/O than one read of its own part. */
  look(): Promise<Health>
}

export type HealthPart =
  | "policies"
  | "ledger"
  | "clock"
  | "keys"
  | "leases"
  | "checkpoints"
  | "witnesses"
  | "alerts"
  | "exports"
  | "index"

/**
 * `ok`: an exchange would work. `degraded`: it would work, and an operator must act soon. `unavailable`: it would fail.
 * `reason` is a sentence for the operator. It contains no secret, no claim and no name of a unit or a file, because
 * the route is public. So is `note`: what an operator has begun and not finished.
 */
export type Health =
  | { readonly state: "ok"; readonly note?: string }
  | { readonly state: "degraded" | "unavailable"; readonly reason: string; readonly since: string }
