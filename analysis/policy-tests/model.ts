import type { Claims, Identity } from "../../broker/core/identity.ts"
import type { ProtectionFact } from "../../broker/core/policy/environment-protection.ts"
import type { IssuerConfig } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import type { DenialCode } from "./schema.ts"

/** One policy test, checked, with the defaults of its file in it. */
export interface PolicyTest {
  readonly name: string
  readonly file: string
  /** 1-based, like `column`. */
  readonly line: number
  readonly column: number
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  /** The claims of the job's token, all of them. */
  readonly claims: Claims
  /** Whether the token is bound to a key of the job's. */
  readonly bound: boolean
  readonly protection: ProtectionFact
  /** What the job asks for. */
  readonly grants: readonly string[]
  readonly ttlSeconds?: number
  readonly expected: Expectation
}

/** What must come out. What is left out may be anything. */
export interface Expectation {
  readonly outcome: "allow" | "deny"
  readonly code?: DenialCode
  /** The name of a rule or a boundary that must be why. */
  readonly by?: string
  readonly ttlSeconds?: number
}

/** What a test must know of an issuer family to make an identity as the broker does. */
export interface IdentifyingFamily {
  readonly requiredStrings: readonly string[]
  identify(claims: Claims, issuer: IssuerConfig): Result<Identity, string>
}
