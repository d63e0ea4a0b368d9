import type { Caution, Claims } from "../identity.ts"
import type { ClaimFact, ValueFact } from "./claim-fact.ts"
import type { FamilyFacts } from "./family-facts.ts"

/** The claims by which a condition speaks of a caution, whatever the issuer. They are made of the token's other claims. */
export const CAUTION_CLAIMS = ["outsider", "interactive"] as const

export const isCautionClaim = (claim: string): boolean => CAUTION_CLAIMS.some((one) => one === claim)

/** The rows that a family's table of claims has for them. */
export const CAUTION_ROWS: readonly (readonly [string, ClaimFact])[] = [
  [
    "outsider",
    flag("whether people without write access to the code can cause the job, with text or code of theirs in it", {
      outsiders: true,
    }),
  ],
  ["interactive", flag("whether a person has a shell in the job", { interactive: true })],
]

function flag(summary: string, whenTrue: ValueFact): ClaimFact {
  const values = new Map<string, ValueFact>([
    ["false", {}],
    ["true", whenTrue],
  ])
  return { summary, sent: "always", tells: "job", type: "boolean", derived: true, values, samples: ["false"] }
}

const WHY: Readonly<Record<Caution["fact"], string>> = {
  outsider: "outsiders can cause it",
  interactive: "a person has a shell in such a job",
}

/**
 * What is unusual about a job, by its token's claims: values that the family's table marks, and what takes several claims
 * to know. Pure.
 */
export function cautionsOf(facts: FamilyFacts, claims: Claims): readonly Caution[] {
  const found: Caution[] = []
  for (const [claim, values] of markedValues(facts)) {
    const sent = claims[claim]
    if (sent === undefined || sent === null || typeof sent === "object") continue
    const value = String(sent)
    for (const fact of values.get(value) ?? []) found.push({ fact, why: WHY[fact], claim, value })
  }
  return [...found, ...(facts.furtherCautions?.(claims) ?? [])]
}

/**
 * The caution about a value that a family's table does not know: a newer server may send what outsiders cause. For the table
 * of what causes jobs.
 */
export function cautionOfUnknown(
  claims: Claims,
  claim: string,
  values: ReadonlyMap<string, ValueFact>,
): readonly Caution[] {
  const value = claims[claim]
  if (typeof value !== "string" || values.has(value)) return []
  return [{ fact: "outsider", why: "this version does not know whether outsiders can cause it", claim, value }]
}

/** The values that an `allow` must name, by claim: they make the job an outsider's, or interactive. */
export function markedValues(facts: FamilyFacts): MarkedValues {
  const known = MARKED.get(facts)
  if (known !== undefined) return known
  const marked = [...facts.claims].flatMap(([claim, { values, derived }]) => {
    const found = [...(values ?? [])].flatMap(([value, fact]) => {
      const marks = marksOf(fact)
      return marks.length === 0 ? [] : [[value, marks] as const]
    })
    return found.length === 0 || derived ? [] : [[claim, new Map(found)] as const]
  })
  MARKED.set(facts, marked)
  return marked
}

type MarkedValues = readonly (readonly [claim: string, values: ReadonlyMap<string, readonly Caution["fact"][]>])[]

const MARKED = new WeakMap<FamilyFacts, MarkedValues>()

const marksOf = ({ outsiders, interactive }: ValueFact): readonly Caution["fact"][] => [
  ...(outsiders ? (["outsider"] as const) : []),
  ...(interactive ? (["interactive"] as const) : []),
]

/** Whether an `allow` must name this value of a claim. */
export const isMarked = (fact: ValueFact | undefined): boolean => fact !== undefined && marksOf(fact).length > 0
