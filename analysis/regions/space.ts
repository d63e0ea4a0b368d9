import { isCautionClaim, markedValues } from "../../broker/core/families/cautions.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import type { Claims, ClaimValue } from "../../broker/core/identity.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import { ok, type Result } from "../../broker/core/result.ts"
import { atomsOf } from "./atoms.ts"
import { CAUSED, furtherFacts } from "./cautions.ts"
import { type Language, languageOfPattern, languageOfText } from "./language.ts"
import { manyOf } from "./many.ts"
import { type TooComplex, tooComplex } from "./too-complex.ts"

/**
 * All possible identities of one issuer family, as far as some conditions can distinguish them: finitely many values for
 * each claim in them. Regions are subsets of one space. Only regions of the same space can be compared.
 *
 * Claims are treated as independent, although those of a real token are not (`ref` and `workflow_ref`). So a space contains
 * all real identities and some that no issuer would vouch for; a proof over the space holds for the real ones. A claim that
 * the family does not know is one text, number or flag.
 */
export interface Space {
  readonly family: FamilyFacts
  readonly axes: readonly Axis[]
  readonly work: Work
}

/**
 * The budget for computing regions, in comparisons of two boxes on one axis. It is counted, not timed, so that the same
 * policies get the same answer on every machine.
 */
export interface Work {
  /** False when less than this is left: the operation is too complex. */
  spend(steps: number): boolean
}

/** The budget of one space: some seconds. Usual policies need a thousandth of it. */
const MAX_STEPS_OF_SPACE = 100_000_000
/** The budget of all spaces of one run: about a minute. */
const MAX_STEPS = 1_500_000_000

/** One claim, with one value for each way in which conditions can treat it. */
export interface Axis {
  readonly claim: string
  /** Null stands for a claim that is missing. */
  readonly values: readonly (string | null)[]
  /** True for a claim with several members, or of any type: its values are in JSON. */
  readonly inJson?: true
}

/** The possible values of a claim, independent of conditions. */
export interface Domain {
  /** `always`: never missing. `never`: always missing. Left out: either. */
  readonly present?: "always" | "never"
  /** Only texts of at least one of these languages. Absent: any text. */
  readonly within?: readonly Language[]
  /** Realistic values of the claim, the best first. Witnesses use them where possible. */
  readonly samples?: readonly string[]
  /** `list`: several texts. `object`: what no pattern matches. `any`: one text, several, or such an object. */
  readonly shape?: "list" | "object" | "any"
}

export interface SpaceInput {
  readonly family: FamilyFacts
  /** All conditions that the space must support. Its regions are exact for these conditions only. */
  readonly conditions: Iterable<Condition>
  /** Known facts about claims. A claim with a domain has an axis, even without a condition on it. */
  readonly domains?: ReadonlyMap<string, Domain>
  /** By claim: further languages whose texts the space must distinguish from others. */
  readonly languages?: ReadonlyMap<string, readonly Language[]>
  /** Axes computed earlier, for callers that make many spaces of similar policies. */
  readonly memo?: AxisMemo
}

/** State that the spaces of one run share. */
export interface AxisMemo {
  /** Values of axes, by the patterns that they distinguish. Starts empty, and only grows. */
  readonly values: Map<string, readonly (string | null)[]>
  readonly work: Work
}

/** Shared state for a new run. */
export const axisMemo = (): AxisMemo => ({ values: new Map(), work: workOf(MAX_STEPS) })

/** Makes the space in which these conditions can be evaluated for all identities at once. */
export function createSpace({ family, conditions, domains, languages, memo }: SpaceInput): Result<Space, TooComplex> {
  const told = new Map<string, Map<string, Language>>()
  const toldOf = (claim: string): Map<string, Language> => {
    const known = told.get(claim) ?? new Map<string, Language>()
    told.set(claim, known)
    return known
  }
  for (const claim of domains?.keys() ?? []) toldOf(claim)
  for (const { claim, test } of conditions) {
    // What these say follows from other claims.
    if (isCautionClaim(claim)) continue
    const known = toldOf(claim)
    if (test.kind === "present") continue
    for (const pattern of test.patterns) known.set(pattern.source, languageOfPattern(pattern))
  }
  // An allow treats marked values by name, such as outsiders' events, even without a condition on them.
  for (const [claim, values] of markedValues(family)) {
    for (const value of values.keys()) toldOf(claim).set(value, languageOfText(value))
  }

  const axes: Axis[] = furtherFacts(family).map((claim) => ({ claim, values: [null, CAUSED] }))
  const claims = [...new Set([...told.keys(), ...(languages?.keys() ?? [])])].sort()
  for (const claim of claims) {
    const [further, domain] = [languages?.get(claim), domains?.get(claim) ?? {}]
    // Languages have no key, so an axis with further languages is not remembered.
    if (isCautionClaim(claim)) continue
    const { within, ...named } = domain
    const key = further || within ? null : JSON.stringify([named, [...toldOf(claim).keys()].sort()])
    const before = key === null ? undefined : memo?.values.get(key)
    const values = before ? ok(before) : valuesOf([...toldOf(claim).values(), ...(further ?? [])], domain)
    if (!values.ok) return tooComplex(`${claim}: ${values.fault.reason}`)
    if (key !== null) memo?.values.set(key, values.value)
    axes.push({ claim, values: values.value, ...(domain.shape && { inJson: true as const }) })
  }
  return ok({ family, axes, work: workOf(MAX_STEPS_OF_SPACE, memo?.work) })
}

function workOf(steps: number, shared?: Work): Work {
  let left = steps
  return {
    spend(steps) {
      left -= steps
      return (shared?.spend(steps) ?? true) && left >= 0
    },
  }
}

/** The values of one axis that pass a test when they are the only claim of a token, as a set of bits. */
export function valuesThat(axis: Axis, fulfils: (claims: Claims) => boolean): bigint {
  let bits = 0n
  for (const [index, value] of axis.values.entries()) {
    if (fulfils(value === null ? {} : { [axis.claim]: valueOn(axis, value) })) bits |= 1n << BigInt(index)
  }
  return bits
}

/** A value of an axis as a token has it. */
const valueOn = ({ inJson }: Pick<Axis, "inJson">, value: string): ClaimValue =>
  inJson ? (JSON.parse(value) as ClaimValue) : value

/** All values of an axis. */
export function allValues({ values: { length } }: Axis): bigint {
  ALL[length] ??= (1n << BigInt(length)) - 1n
  return ALL[length]
}

/** By the number of values: axes are asked for all of theirs a hundred times a scope. */
const ALL: bigint[] = []

function valuesOf(languages: readonly Language[], domain: Domain): Result<readonly (string | null)[], TooComplex> {
  const { present, within, samples, shape } = domain
  if (present === "never") return ok([null])
  const atoms = atomsOf(languages, { ...(within && { within }), ...(samples && { samples }) })
  if (!atoms.ok) return atoms
  const many = shape === undefined ? ok(atoms.value.map(({ witness }) => witness)) : manyOf(atoms.value, shape)
  if (!many.ok) return many
  const texts = many.value
  return ok(present === "always" ? texts : [...texts, null])
}
