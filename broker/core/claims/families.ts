import type { ClaimFact, ClaimForm, ClaimTable } from "./claim-fact.ts"
import { GITHUB_ACTIONS_CLAIMS, GITHUB_PROPERTY, GITHUB_PROPERTY_PREFIX } from "./github-actions.ts"

/** The issuer families that an organisation file can name. */
export const ISSUER_FAMILIES = ["github-actions"] as const

export type IssuerFamilyName = (typeof ISSUER_FAMILIES)[number]

/**
 * Everything that is known of claims, by family. What depends on claims derives from it: which claims verification
 * requires, which conditions constrain an `allow`, which events an `allow` must name, which claims a ceiling goes by, what
 * `check` warns about, what examples are made of, and a page of the docs.
 */
export const CLAIMS: Readonly<Record<IssuerFamilyName, ClaimTable>> = { "github-actions": GITHUB_ACTIONS_CLAIMS }

/** Families of claims whose names are an organisation's own, by prefix. */
const PREFIXES: Readonly<Record<IssuerFamilyName, ReadonlyMap<string, ClaimFact>>> = {
  "github-actions": new Map([[GITHUB_PROPERTY_PREFIX, GITHUB_PROPERTY]]),
}

/** What is known of a claim of a family; undefined for a claim that no token of the family is known to have. */
export function claimFact(family: string, claim: string): ClaimFact | undefined {
  if (!isFamily(family)) return undefined
  const known = CLAIMS[family].get(claim)
  if (known !== undefined) return known
  for (const [prefix, fact] of PREFIXES[family]) {
    if (claim.startsWith(prefix)) return fact
  }
  return undefined
}

/** The names of the claims that a family's tokens are known to have, for suggestions. */
export const claimNames = (family: string): readonly string[] => (isFamily(family) ? [...CLAIMS[family].keys()] : [])

/** The claims that are in every token of a family, and are strings; with a form, those of that form. */
export const requiredClaims = (family: IssuerFamilyName, form?: ClaimForm): readonly string[] =>
  [...CLAIMS[family]].flatMap(([name, fact]) =>
    fact.sent === "always" && !fact.registered && (form === undefined || fact.form === form) ? [name] : [],
  )

/** The claim that says which event caused a run. An `allow` names outsiders' events in it. */
export const EVENT_CLAIM = "event_name"

/** The events of all families that people without write access to a repository can cause. */
export const outsiderEvents = (): ReadonlySet<string> =>
  new Set(
    ISSUER_FAMILIES.flatMap((family) => [...(CLAIMS[family].get(EVENT_CLAIM)?.values ?? [])]).flatMap(
      ([event, { outsiders }]) => (outsiders ? [event] : []),
    ),
  )

/**
 * Whether a claim identifies a repository, and no job can choose it. A boundary is about every repository that its
 * conditions on these admit. A repository's settings do not count: its administrators could lift a ceiling by changing them.
 */
export const isRepositoryClaim = (claim: string): boolean => REPOSITORY_CLAIMS.has(claim)

const REPOSITORY_CLAIMS: ReadonlySet<string> = new Set(
  ISSUER_FAMILIES.flatMap((family) => [...CLAIMS[family]]).flatMap(([name, { tells }]) =>
    tells === "repository" ? [name] : [],
  ),
)

/** Whether some family knows a claim. */
export const isKnownClaim = (claim: string): boolean =>
  ISSUER_FAMILIES.some((family) => claimFact(family, claim) !== undefined)

const isFamily = (name: string): name is IssuerFamilyName => ISSUER_FAMILIES.some((family) => family === name)
