import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { ChangePlace } from "../diff/model.ts"
import { implies } from "../reach/offers.ts"
import { meaningOf, meaningOfBoundary, settingsOf, sorted, stable } from "../scopes/meaning.ts"
import { whyAllowed, whyRefused } from "./places.ts"
import { type Replayed, Replayer } from "./replay.ts"
import { type RunGroup, type Runs, type RunUnit, subjectIn } from "./runs.ts"

/** Recorded exchanges that another policy set decides otherwise, or perhaps otherwise, with one reason. */
export interface ChangedRuns {
  /** `unknown`: the record does not say enough. */
  readonly change: "refused" | "allowed" | "unknown"
  readonly unit: RunUnit
  readonly environment: string | null
  readonly grants: readonly string[]
  /** The reason, without its subject. */
  readonly says: string
  /** The line that decides; null when no line says it, and for `unknown`. */
  readonly place: ChangePlace | null
  readonly exchanges: number
  /** ISO 8601. */
  readonly first: string
  readonly last: string
  /** Ids of some of the runs. */
  readonly examples: readonly string[]
}

export interface RecordedDiff {
  /** Decisions in the record. */
  readonly exchanges: number
  /** Decisions that both sets decide alike. */
  readonly alike: number
  /** Decisions that the broker made otherwise than the old set would: under other policies, or by policies that are not in the folder. */
  readonly otherwise: number
  /** Denials beyond a limit, which have no record of their own. */
  readonly uncounted: number
  /** ISO 8601: the time that the record covers; null when it is empty. */
  readonly first: string | null
  readonly last: string | null
  /** Refused first, then allowed, then unknown; the most exchanges first. */
  readonly changes: readonly ChangedRuns[]
}

/** Decides all runs of a record by both sets, and says which would be decided otherwise, and by which line. */
export function changedRuns(old: PolicySet, next: PolicySet, runs: Runs): RecordedDiff {
  const [before, after] = [new Replayer(old), new Replayer(next)]
  const isSame = sameness(old, next)
  const found = new Map<string, ChangedRuns>()
  let [alike, otherwise] = [0, 0]
  for (const group of runs.groups) {
    const was = before.replay(group)
    if (isContrary(was, group)) otherwise += group.exchanges
    const changes = isSame(group.unit) ? [] : changesOf(group, was, after.replay(group), { old, next })
    if (changes.length === 0) alike += group.exchanges
    for (const change of changes) {
      const { unit, environment } = group
      const key = stable([change, unit.issuerUrl, unit.unit_id, unit.unit, environment])
      found.set(key, joined(found.get(key), group, change))
    }
  }
  const { exchanges, uncounted, first, last } = runs
  const order = ["refused", "allowed", "unknown"]
  const changes = [...found.values()].sort(
    (a, b) => order.indexOf(a.change) - order.indexOf(b.change) || b.exchanges - a.exchanges,
  )
  return { exchanges, alike, otherwise, uncounted, first, last, changes }
}

type Change = Pick<ChangedRuns, "change" | "grants" | "says" | "place">

/** A grant each, if lines tell them apart: the whole exchange is refused with one of them. */
function changesOf(
  group: RunGroup,
  was: Replayed,
  is: Replayed,
  { old, next }: { readonly old: PolicySet; readonly next: PolicySet },
): readonly Change[] {
  const [gave, gives] = settled(was, is, group, old)
  if (gave === gives && gave !== "unknown") return []
  const { asked } = group
  if (gave === "unknown" || gives === "unknown") {
    return [{ change: "unknown", grants: asked, says: unknownOf(was, is), place: null }]
  }
  const causes = asked.flatMap((grant): readonly Change[] => {
    if (gives === "allow" && is.trace !== null)
      return [{ change: "allowed", grants: [grant], ...whyAllowed(is.trace, grant, "new") }]
    if (was.trace === null || (is.trace !== null && isGiven(is, grant))) return []
    return [{ change: "refused", grants: [grant], ...whyRefused(was.trace, is, grant, next) }]
  })
  const byCause = new Map<string, Change>()
  for (const cause of causes) {
    const key = stable([cause.says, cause.place])
    const same = byCause.get(key)
    byCause.set(key, same === undefined ? cause : { ...same, grants: [...same.grants, ...cause.grants] })
  }
  return [...byCause.values()]
}

/** A grant that is given for itself: another one refuses the exchange. */
const isGiven = (is: Replayed, grant: string) =>
  is.outcome === "deny" &&
  is.why === "policy" &&
  is.trace?.grants.some(({ name, outcome }) => name === grant && outcome === "allow") === true

type Outcome = "allow" | "deny" | "unknown"

/**
 * Both outcomes. Where the environment's protection decides, the recorded outcome stands for the old set's: what the broker
 * allowed met the demands of its policies.
 */
function settled(was: Replayed, is: Replayed, group: RunGroup, old: PolicySet): readonly [Outcome, Outcome] {
  const { recorded, policyVersion } = group
  const plain = ({ outcome }: Replayed): Outcome => (outcome === "protected" ? "unknown" : outcome)
  if (is.outcome !== "protected") {
    if (was.outcome === "protected" && is.outcome === "deny" && recorded !== "allowed") return ["deny", "deny"]
    if (was.outcome === "protected" && recorded === "allowed") return ["allow", plain(is)]
    return [plain(was), plain(is)]
  }
  if (was.outcome !== "protected") return [plain(was), "unknown"]
  const { demands } = was
  const implied = (some: Replayed & { outcome: "protected" }, by: typeof demands) =>
    some.demands.every((demand) => by.some((one) => implies(one, demand)))
  if (implied(is, demands) && implied(was, is.demands)) return ["allow", "allow"]
  if (implied(is, demands) && recorded === "allowed" && policyVersion === old.version) return ["allow", "allow"]
  return ["unknown", "unknown"]
}

function unknownOf(was: Replayed, is: Replayed): string {
  const claims = new Set([was, is].flatMap((one) => (one.outcome === "unknown" ? one.claims : [])))
  if (claims.size > 0) return `the record does not say ${[...claims].join(", ")}`
  return "it depends on how the environment is protected, which only its host knows"
}

/** Whether the broker surely decided otherwise then. */
function isContrary({ outcome }: Replayed, { recorded }: RunGroup): boolean {
  if (outcome === "unknown" || outcome === "protected") return false
  return (outcome === "allow") !== (recorded === "allowed")
}

function joined(before: ChangedRuns | undefined, group: RunGroup, change: Change): ChangedRuns {
  const { unit, environment, exchanges, first, last, examples } = group
  if (before === undefined) return { ...change, unit, environment, exchanges, first, last, examples: [...examples] }
  const times = [first, before.first, last, before.last].sort()
  return {
    ...before,
    exchanges: before.exchanges + exchanges,
    first: times[0] ?? first,
    last: times.at(-1) ?? last,
    examples: [...new Set([...before.examples, ...examples])].slice(0, 3),
  }
}

/** Whether both sets surely decide alike about all jobs of a unit, because what covers it means the same. */
function sameness(old: PolicySet, next: PolicySet): (unit: RunUnit) => boolean {
  if (old.version === next.version) return () => true
  if (ceilingOf(old) !== ceilingOf(next)) return () => false
  const known = new WeakMap<RunUnit, boolean>()
  return (unit) => {
    const before = known.get(unit)
    if (before !== undefined) return before
    const is = policiesOf(old, unit) === policiesOf(next, unit)
    known.set(unit, is)
    return is
  }
}

function policiesOf(set: PolicySet, unit: RunUnit): string | null {
  const subject = subjectIn(set, unit)
  if (subject === null) return null
  const meanings = set.policiesOf(subject).map((policy) => stable([policy.unit, meaningOf(policy)]))
  return stable([subject.issuer, sorted(meanings)])
}

/** The organisation file, as far as decisions depend on it. */
function ceilingOf({ organisation: { issuers, connections, boundaries, requireBoundToken } }: PolicySet): string {
  return stable([
    [...issuers.values()].map(({ name, family, url, owners }) => [name, family, url, [...owners]]),
    [...connections.values()].map((one) => [one.name, settingsOf(one), one.requireBoundToken, one.people]),
    boundaries.map(meaningOfBoundary),
    requireBoundToken,
  ])
}
