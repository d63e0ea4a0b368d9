import { AZURE_DEVOPS } from "./azure-devops.ts"
import { BITBUCKET } from "./bitbucket.ts"
import { BUILDKITE } from "./buildkite.ts"
import { CIRCLECI } from "./circleci.ts"
import type { ClaimFact, ClaimForm, ClaimTable } from "./claim-fact.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { FORGEJO } from "./forgejo.ts"
import { GITHUB_ACTIONS } from "./github-actions.ts"
import { GITLAB } from "./gitlab.ts"
import { HCP_TERRAFORM } from "./hcp-terraform.ts"
import { JENKINS } from "./jenkins.ts"
import { KUBERNETES } from "./kubernetes.ts"
import { LOCAL } from "./local.ts"
import { OPENID } from "./openid.ts"
import { SEMAPHORE } from "./semaphore.ts"
import { SPACELIFT } from "./spacelift.ts"

/**
 * Everything that is known of issuer families. What depends on them derives from it: which claims verification requires,
 * which conditions constrain an `allow`, which jobs an `allow` must name, which claims a ceiling goes by, what `check` warns
 * about, what examples are made of, and a page of the docs.
 */
const ALL = [
  GITHUB_ACTIONS,
  GITLAB,
  KUBERNETES,
  BUILDKITE,
  CIRCLECI,
  FORGEJO,
  JENKINS,
  HCP_TERRAFORM,
  BITBUCKET,
  AZURE_DEVOPS,
  SPACELIFT,
  SEMAPHORE,
  OPENID,
  LOCAL,
] as const

export type IssuerFamilyName = (typeof ALL)[number]["name"]

const FAMILIES: readonly FamilyFacts[] = ALL

export const FAMILY_FACTS: ReadonlyMap<string, FamilyFacts> = new Map(FAMILIES.map((family) => [family.name, family]))

/** The issuer families that an organisation file can name. */
export const ISSUER_FAMILIES: readonly [IssuerFamilyName, ...IssuerFamilyName[]] = [
  GITHUB_ACTIONS.name,
  ...ALL.slice(1).map(({ name }) => name),
]

/** The family of a file whose issuer is not known: faults and examples then speak of the most common one. */
export const USUAL_FAMILY: FamilyFacts = GITHUB_ACTIONS

/** The facts of a family; those of `USUAL_FAMILY` for a name that does not exist, which is a fault of its own. */
export const factsOf = (family: string | undefined): FamilyFacts => FAMILY_FACTS.get(family ?? "") ?? USUAL_FAMILY

/** What is known of a claim of a family; undefined for a claim that no token of the family is known to have. */
export function claimFact(family: string, claim: string): ClaimFact | undefined {
  const facts = FAMILY_FACTS.get(family)
  const known = facts?.claims.get(claim)
  if (known !== undefined) return known
  for (const [prefix, fact] of facts?.prefixes ?? []) {
    if (claim.startsWith(prefix)) return fact
  }
  return undefined
}

/** The names of the claims that a family's tokens are known to have, for suggestions. */
export const claimNames = (family: string): readonly string[] => [...(FAMILY_FACTS.get(family)?.claims.keys() ?? [])]

/** The claims that are in every token of a family; with a form, those of that form. */
export const requiredClaims = ({ claims }: { readonly claims: ClaimTable }, form?: ClaimForm): readonly string[] =>
  [...claims].flatMap(([name, fact]) =>
    fact.sent === "always" && !fact.registered && !fact.derived && (form === undefined || fact.form === form)
      ? [name]
      : [],
  )

/**
 * Whether a claim identifies a unit of the family, and no job can choose it. A boundary is about every unit that its
 * conditions on these admit. A unit's settings do not count: its administrators could lift a ceiling by changing them.
 */
export const isUnitClaim = (family: string, claim: string): boolean => claimFact(family, claim)?.tells === "unit"

/**
 * Whether a claim identifies units of other families, and no token of this one has it: a condition on it is about jobs of
 * other issuers.
 */
export const isForeignUnitClaim = (family: string, claim: string): boolean =>
  claimFact(family, claim) === undefined && UNIT_CLAIMS.has(claim)

/** The claims that identify units, of all families. */
export const UNIT_CLAIMS: ReadonlySet<string> = new Set(
  ALL.flatMap(({ claims }) => [...claims]).flatMap(([name, { tells }]) => (tells === "unit" ? [name] : [])),
)

/** The claims that say which unit it is, and whose: limits go by them. A name that its bearer could change is none. */
export const LIMIT_CLAIMS: ReadonlySet<string> = new Set(
  FAMILIES.flatMap(({ claims, roles: { unit, unitId, owner, ownerId } }) =>
    [unit, unitId, owner, ownerId].flatMap((claim) =>
      claim !== undefined && claims.get(claim)?.tells === "unit" ? [claim] : [],
    ),
  ),
)

/** Makes a test whether any of some families knows a claim. */
export function knownTo(families: readonly FamilyFacts[]): (claim: string) => boolean {
  const names = new Set(families.flatMap(({ claims }) => [...claims.keys()]))
  const prefixes = families.flatMap(({ prefixes = [] }) => [...prefixes].map(([prefix]) => prefix))
  return (claim) => names.has(claim) || prefixes.some((prefix) => claim.startsWith(prefix))
}

/** Whether some family knows a claim. */
export const isKnownClaim = knownTo([...FAMILY_FACTS.values()])
