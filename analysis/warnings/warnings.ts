import type { PolicyInput } from "../../broker/core/policy/load.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { parseUsualYaml } from "../../broker/core/policy/usual-yaml.ts"
import { acknowledge } from "./acknowledgements.ts"
import { unknownClaims } from "./claim-names.ts"
import { ceilingWarnings, containmentOf, type GrantContainment } from "./containment.ts"
import { contradictingConditions, deadRules } from "./contradictions.ts"
import { doubleStars } from "./double-star.ts"
import { editableProperties } from "./editable-properties.ts"
import { environmentsWithoutBranch } from "./environment-branch.ts"
import { freeTextConditions } from "./free-text.ts"
import { doubtfulGaps } from "./gaps.ts"
import { overlappingGrants } from "./grant-overlap.ts"
import { handedOverTokens } from "./handed-over.ts"
import { ambiguousIssuers } from "./issuer-ambiguous.ts"
import { namesThatDifferInCase } from "./letter-case.ts"
import { namesWithoutId } from "./names.ts"
import { valuesNeverSent } from "./never-sent.ts"
import { openCeilings } from "./open-ceilings.ts"
import { unlistedOwners } from "./owners.ts"
import { grantsThatChangePolicies } from "./policy-changes.ts"
import { allowsAlwaysDenied, unreachableGrants } from "./reachability.ts"
import { secretsInTwoEnvironments } from "./shared-secrets.ts"
import { sourcesOf } from "./sources.ts"
import { standingsOf } from "./standings.ts"
import type { Subject } from "./subject.ts"
import type { Warning } from "./warning.ts"

export interface WarningsInput {
  readonly set: PolicySet
  /** The files that the set was loaded from, byte for byte. */
  readonly files: readonly PolicyInput[]
  readonly providers: ProviderSchemaTable
  /** A parser that may return documents parsed earlier: parsing is most of the work. */
  readonly parse?: typeof parseUsualYaml
}

/** All warnings about a loaded set. */
export interface WarningReport {
  /** Sorted by file and position. */
  readonly warnings: readonly Warning[]
  /** Warnings that a comment in their file acknowledges as intended. */
  readonly acknowledged: readonly Warning[]
  /** Whether each grant is inside the organisation's ceiling, in the set's order. */
  readonly containment: readonly GrantContainment[]
}

const FINDERS: readonly ((subject: Subject) => Iterable<Warning>)[] = [
  freeTextConditions,
  doubleStars,
  environmentsWithoutBranch,
  namesWithoutId,
  namesThatDifferInCase,
  unlistedOwners,
  unknownClaims,
  valuesNeverSent,
  contradictingConditions,
  doubtfulGaps,
  overlappingGrants,
  openCeilings,
  grantsThatChangePolicies,
  handedOverTokens,
  secretsInTwoEnvironments,
  editableProperties,
  ambiguousIssuers,
]

/**
 * Finds what is valid in a set and yet most likely does not do what the author intends.
 *
 * Pure: the same files give the same report. Never throws. What would take too long is reported as too complex.
 */
export function warningsOf(input: WarningsInput): WarningReport {
  const { set, files, providers, parse } = input
  const subject: Subject = { set, sources: sourcesOf(files, parse), providers, dead: deadRules(set) }
  const standings = standingsOf(subject)
  const { warnings, acknowledged } = acknowledge(
    [
      ...FINDERS.flatMap((finder) => [...finder(subject)]),
      ...unreachableGrants(subject, standings),
      ...allowsAlwaysDenied(subject, standings),
      ...ceilingWarnings(subject, standings),
    ],
    subject.sources,
  )
  return {
    warnings: warnings.toSorted(compareWarnings),
    acknowledged: acknowledged.toSorted(compareWarnings),
    containment: containmentOf(subject, standings),
  }
}

function compareWarnings(a: Warning, b: Warning): number {
  return (
    compare(a.file, b.file) ||
    a.line - b.line ||
    a.column - b.column ||
    compare(a.code, b.code) ||
    compare(a.message, b.message)
  )
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
