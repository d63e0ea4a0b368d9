import { type Position, visible } from "../../broker/core/policy/faults.ts"

/**
 * The codes of warnings: valid policies that most likely do not do what the author intends. Stable: scripts read the codes
 * from `daypass check --json`, comments acknowledge them, and each has a page of this name in docs/warnings.
 */
export type WarningCode = keyof typeof SEVERITIES

/** `notice`: useful to know, no change needed. `--strict` fails for warnings only. */
export type WarningSeverity = "warning" | "notice"

export interface Warning {
  readonly severity: WarningSeverity
  readonly code: WarningCode
  readonly file: string
  /** 1-based, like `column`. */
  readonly line: number
  readonly column: number
  /** What was found, why it matters, and what to change. */
  readonly message: string
}

const SEVERITIES = {
  acknowledgement_unused: "notice",
  allow_always_denied: "warning",
  ceiling_may_be_exceeded: "warning",
  ceiling_unproven: "warning",
  condition_unknown_claim: "warning",
  conditions_contradict: "warning",
  double_star: "warning",
  environment_without_branch: "warning",
  free_text_pattern: "warning",
  gap_unknown_claim: "warning",
  gaps_adjacent: "warning",
  grant_changes_policies: "warning",
  grant_overlap: "warning",
  grant_unreachable: "warning",
  issuer_ambiguous: "warning",
  name_without_id: "warning",
  names_differ_in_case: "warning",
  no_boundary: "notice",
  owner_unlisted: "warning",
  property_editable: "warning",
  repository_policies_open: "notice",
  secret_in_two_environments: "warning",
  token_handed_over: "notice",
  too_complex: "notice",
  value_never_sent: "warning",
} as const satisfies Readonly<Record<string, WarningSeverity>>

/** All codes, in alphabetical order. */
export const WARNING_CODES = Object.keys(SEVERITIES) as readonly WarningCode[]

/** A warning at one position of a file. Its code gives the severity, unless a severity is passed. */
export function warn(
  file: string,
  at: Position,
  code: WarningCode,
  message: string,
  severity: WarningSeverity = SEVERITIES[code],
): Warning {
  return { severity, code, file: visible(file), line: at.line, column: at.column, message: visible(message) }
}
