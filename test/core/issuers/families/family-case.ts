import type { Identity } from "../../../../broker/core/identity.ts"
import type { IssuerConfig } from "../../../../broker/core/policy/model.ts"
import type { IssuerFamily } from "../../../../broker/issuers/family.ts"
import type { Json } from "../fixture.ts"

/** What the suite of families knows of one family. */
export interface FamilyCase {
  readonly family: IssuerFamily
  /** The issuer as an organisation file lists it. Its `url` is the `iss` of the samples. */
  readonly config: IssuerConfig
  /** Whole claims of tokens that must verify, times and all; the first one is what the common rows change. */
  readonly samples: readonly FamilySample[]
  /** The first sample with other claims must be refused; undefined leaves a claim out. */
  readonly refused: readonly RefusedRow[]
  /** Set where the family reads a part of the identity out of `sub`. */
  readonly subject?: "decides"
}

export interface FamilySample {
  readonly name: string
  readonly claims: Json
  /** The members of the identity that matter. */
  readonly identity: Partial<Omit<Identity, "claims">>
  /** Derived claims, and others that conditions need. */
  readonly derived?: Json
}

/** Name, claims to change, and a part of the sentence that says why. */
export type RefusedRow = readonly [name: string, claims: Json, fault: string | RegExp]
