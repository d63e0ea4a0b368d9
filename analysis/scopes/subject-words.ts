import { UNITS } from "../../broker/core/families/units.ts"
import type { Organisation, Policy } from "../../broker/core/policy/model.ts"
import type { ChangeSubject } from "./scope.ts"
import { familyOf } from "./unit-claims.ts"

/** What an answer says of the issuer of this name; null where the issuer goes without saying, because there is only one. */
export type IssuerWords = (issuer: string) => string | null

/** For answers about one set: `issuer ghes` where the organisation file lists several issuers. */
export function issuerWordsOf({ issuers }: Pick<Organisation, "issuers">): IssuerWords {
  return issuers.size > 1 ? (issuer) => `issuer ${issuer}` : () => null
}

/** What an organisation's policies speak of, for sentences: `repositories`; `units` where its issuers know several kinds. */
export function unitWordOf({ issuers }: Pick<Organisation, "issuers">): {
  readonly one: string
  readonly many: string
} {
  const kinds = new Set([...issuers.values()].map((issuer) => familyOf(issuer).unit))
  const [kind, ...others] = kinds
  return kind === undefined || others.length > 0 ? { one: "unit", many: "units" } : UNITS[kind]
}

/** The subject of a result in words: `acme/shop (id 41, issuer ghes), production`. */
export function subjectWords(subject: ChangeSubject, issuerWords: IssuerWords): string {
  const { issuer, unit, environment } = subject
  const where = environment === undefined ? "" : environment === null ? ", no environment" : `, ${environment}`
  if (unit === null) return `all jobs of ${issuerWords(issuer) ?? issuer}${where}`
  return `${unitWords({ ...subject, unit }, issuerWords)}${where}`
}

/** A unit, or a pattern of units, with what tells it from another of its name: `acme/shop (id 41, issuer ghes)`. */
export function unitWords(
  { issuer, unit, unitId }: Pick<ChangeSubject, "issuer" | "unitId"> & { readonly unit: string },
  issuerWords: IssuerWords,
): string {
  const facts = [unitId === null || unitId === unit ? null : `id ${unitId}`, issuerWords(issuer)].filter(
    (fact) => fact !== null,
  )
  return facts.length === 0 ? unit : `${unit} (${facts.join(", ")})`
}

/** The units that a policy speaks of, as it writes them. */
export function policyWords({ issuer, unit }: Policy, organisation: Pick<Organisation, "issuers">): string {
  return unitWords({ issuer, unit, unitId: null }, issuerWordsOf(organisation))
}
