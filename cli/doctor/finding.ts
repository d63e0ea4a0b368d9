/** `ok`: it works. `note`: nothing is wrong, or it cannot be told from here. `fix`: an exchange fails, or will. */
export type FindingState = "ok" | "note" | "fix"

/** One line of the answer. */
export interface DoctorFinding {
  /** What was looked at: `clock`, `keys`, `trust aws-prod`. */
  readonly check: string
  readonly state: FindingState
  /** What was found and, unless it is ok, what to do. */
  readonly detail: string
}

/** Findings of one check. */
export const findingsFor = (check: string) => ({
  ok: (detail: string): DoctorFinding => ({ check, state: "ok", detail }),
  note: (detail: string): DoctorFinding => ({ check, state: "note", detail }),
  fix: (detail: string): DoctorFinding => ({ check, state: "fix", detail }),
})
