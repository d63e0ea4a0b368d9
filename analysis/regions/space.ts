import { EVENT_CLAIM } from "../../broker/core/claims/families.ts"
import type { Claims } from "../../broker/core/identity.ts"
import { type Condition, OUTSIDER_EVENTS } from "../../broker/core/policy/condition.ts"
import { ok, type Result } from "../../broker/core/result.ts"
import { atomsOf } from "./atoms.ts"
import { type Language, languageOfPattern, languageOfText } from "./language.ts"
import { type TooComplex, tooComplex } from "./too-complex.ts"

/**
 * Every identity there can be, as far as some conditions can tell: for each claim they speak of, finitely many values.
 * Regions are subsets of one space; only those of the same space can be compared.
 *
 * Claims are taken as independent, although a real token's are not (`ref` and `workflow_ref`): a space has every identity
 * that there is and some that no issuer would vouch for, so what is proven for it holds. A claim is one text, number or
 * flag, as GitHub sends them; of a list, whose members can each match something else, a space says nothing.
 */
export interface Space {
  readonly axes: readonly Axis[]
  readonly work: Work
}

/**
 * What may be spent on regions, in boxes compared on one axis: counted and not timed, so that the same policies come to the
 * same answer on any machine.
 */
export interface Work {
  /** False when less than this is left: the operation is too complex. */
  spend(steps: number): boolean
}

/** What one space may cost: seconds. As people write policies, a thousandth of it is spent. */
const MAX_STEPS_OF_SPACE = 100_000_000
/** What all spaces of one run may cost together: about a minute. */
const MAX_STEPS = 1_500_000_000

/** One claim, and a value for each way in which it can behave. */
export interface Axis {
  readonly claim: string
  /** Null stands for a claim that is missing. */
  readonly values: readonly (string | null)[]
}

/** What a claim can be, whatever conditions say of it. */
export interface Domain {
  /** `always`: never missing. `never`: always missing. Left out: either. */
  readonly present?: "always" | "never"
  /** Only texts of at least one of these. Left out: any text. */
  readonly within?: readonly Language[]
  /** Values that such a claim would have, the best first: witnesses are chosen among them where possible. */
  readonly samples?: readonly string[]
}

export interface SpaceInput {
  /** All that will be asked of the space: its regions are exact for these conditions, and for no others. */
  readonly conditions: Iterable<Condition>
  /** What is known of claims. A claim with a domain has an axis, whether a condition speaks of it or not. */
  readonly domains?: ReadonlyMap<string, Domain>
  /** Further languages by claim, whose texts must be told apart from others. */
  readonly languages?: ReadonlyMap<string, readonly Language[]>
  /** Axes that were made before, for whoever makes many spaces of policies that are alike. */
  readonly memo?: AxisMemo
}

/** What spaces of one run share. */
export interface AxisMemo {
  /** Values of axes by what they had to tell apart. Starts empty, and only grows. */
  readonly values: Map<string, readonly (string | null)[]>
  readonly work: Work
}

/** The memory of a run that begins. */
export const axisMemo = (): AxisMemo => ({ values: new Map(), work: workOf(MAX_STEPS) })

/** Makes the space in which these conditions can be held against all identities at once. */
export function createSpace({ conditions, domains, languages, memo }: SpaceInput): Result<Space, TooComplex> {
  const told = new Map<string, Map<string, Language>>()
  const toldOf = (claim: string): Map<string, Language> => {
    const known = told.get(claim) ?? new Map<string, Language>()
    told.set(claim, known)
    return known
  }
  for (const claim of domains?.keys() ?? []) toldOf(claim)
  for (const { claim, test } of conditions) {
    const known = toldOf(claim)
    if (test.kind === "present") continue
    for (const pattern of test.patterns) known.set(pattern.source, languageOfPattern(pattern))
  }
  // An allow tells outsiders' events apart by their names, whatever its conditions say.
  for (const event of OUTSIDER_EVENTS) toldOf(EVENT_CLAIM).set(event, languageOfText(event))

  const axes: Axis[] = []
  const claims = [...new Set([...told.keys(), ...(languages?.keys() ?? [])])].sort()
  for (const claim of claims) {
    const [further, domain] = [languages?.get(claim), domains?.get(claim) ?? {}]
    // What has no name of its own is not remembered.
    const { within, ...named } = domain
    const key = further || within ? null : JSON.stringify([named, [...toldOf(claim).keys()].sort()])
    const before = key === null ? undefined : memo?.values.get(key)
    const values = before ? ok(before) : valuesOf([...toldOf(claim).values(), ...(further ?? [])], domain)
    if (!values.ok) return tooComplex(`${claim}: ${values.fault.reason}`)
    if (key !== null) memo?.values.set(key, values.value)
    axes.push({ claim, values: values.value })
  }
  return ok({ axes, work: workOf(MAX_STEPS_OF_SPACE, memo?.work) })
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

/** The values of one axis as a set of bits, by what each of them, alone in a token, fulfils. */
export function valuesThat(axis: Axis, fulfils: (claims: Claims) => boolean): bigint {
  let bits = 0n
  for (const [index, value] of axis.values.entries()) {
    if (fulfils(value === null ? {} : { [axis.claim]: value })) bits |= 1n << BigInt(index)
  }
  return bits
}

/** All values of an axis. */
export const allValues = (axis: Axis): bigint => (1n << BigInt(axis.values.length)) - 1n

function valuesOf(languages: readonly Language[], domain: Domain): Result<readonly (string | null)[], TooComplex> {
  const { present, within, samples } = domain
  if (present === "never") return ok([null])
  const atoms = atomsOf(languages, { ...(within && { within }), ...(samples && { samples }) })
  if (!atoms.ok) return atoms
  const texts = atoms.value.map(({ witness }) => witness)
  return ok(present === "always" ? texts : [...texts, null])
}
