import type { Claims, Identity } from "../../broker/core/identity.ts"
import type { ApprovalFact } from "../../broker/core/policy/break-glass.ts"
import type { ProtectionFact } from "../../broker/core/policy/environment-protection.ts"
import type { IssuerConfig } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import type { DenialCode } from "./schema.ts"

/** One checked policy test, merged with the defaults of its file. */
export interface PolicyTest {
  readonly name: string
  readonly file: string
  /** 1-based, like `column`. */
  readonly line: number
  readonly column: number
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  /** All claims of the job's token. */
  readonly claims: Claims
  /** Whether the token is bound to a key of the job. */
  readonly bound: boolean
  readonly protection: ProtectionFact
  readonly approvals: ApprovalFact
  /** The grants that the job asks for. */
  readonly grants: readonly string[]
  readonly ttlSeconds?: number
  readonly expected: Expectation
}

/** The expected result. A member that is left out may have any value. */
export interface Expectation {
  readonly outcome: "allow" | "deny"
  readonly code?: DenialCode
  /** The name of a rule or a boundary that must have decided. */
  readonly by?: string
  readonly ttlSeconds?: number
}

/** Turns claims into an identity, as the broker does. */
export type Identify = (claims: Claims, issuer: IssuerConfig) => Result<Identity, string>
