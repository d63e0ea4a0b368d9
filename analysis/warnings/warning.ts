import { type Position, visible } from "../../broker/core/policy/faults.ts"

/**
 * What is no error, and yet most likely not meant so. Stable: scripts read these from `daypass check --json`, files
 * acknowledge them by name, and each has a page of this name in docs/warnings.
 */
export type WarningCode = keyof typeof SEVERITIES

/** `notice`: a fact that is worth knowing and needs no change. `--strict` fails for warnings only. */
export type WarningSeverity = "warning" | "notice"

export interface Warning {
  readonly severity: WarningSeverity
  readonly code: WarningCode
  readonly file: string
  /** 1-based, like `column`. */
  readonly line: number
  readonly column: number
  /** What is so, why it matters, and what to change. */
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
  grant_overlap: "warning",
  grant_unreachable: "warning",
  name_without_id: "warning",
  names_differ_in_case: "warning",
  no_boundary: "notice",
  owner_unlisted: "warning",
  repository_policies_open: "notice",
  too_complex: "notice",
  value_never_sent: "warning",
} as const satisfies Readonly<Record<string, WarningSeverity>>

/** Every code there is, in alphabetical order. */
export const WARNING_CODES = Object.keys(SEVERITIES) as readonly WarningCode[]

/** A warning at one place of one file, as grave as its code is unless told otherwise. */
export function warn(
  file: string,
  at: Position,
  code: WarningCode,
  message: string,
  severity: WarningSeverity = SEVERITIES[code],
): Warning {
  return { severity, code, file: visible(file), line: at.line, column: at.column, message: visible(message) }
}
