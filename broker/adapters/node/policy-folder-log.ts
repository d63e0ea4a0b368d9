import { formatDuration } from "../../core/duration.ts"
import type { PolicyFault, PolicySet } from "../../core/policy/model.ts"
import type { Result } from "../../core/result.ts"
import type { Log } from "../../ports/log.ts"
import type { PolicyAge } from "./policy-age.ts"

/** Writes what becomes of a policy folder to the log, in words that an operator can act on. */
export function createPolicyFolderLog(log: Log, age: PolicyAge) {
  let stopped = false
  const stillUsed = () =>
    age.isOver()
      ? "nothing is granted until that changes"
      : `the last good policies stay in force for ${age.remaining()}, then nothing is granted`

  return {
    reloaded(outcome: Result<PolicySet, readonly PolicyFault[]>): void {
      if (outcome.ok) {
        log({
          event: "policies.loaded",
          detail: `${outcome.value.policyCount} policies, version ${outcome.value.version}`,
        })
        return
      }
      const count = outcome.fault.length
      const detail = `${count} ${count === 1 ? "fault" : "faults"}, the first at ${placeOf(outcome.fault[0])}; ${stillUsed()}`
      log({ event: "policies.refused", detail })
    },
    unsettled(milliseconds: number): void {
      const time = formatDuration(Math.round(milliseconds / 1000))
      log({
        event: "policies.unsettled",
        detail: `the policy folder has been written to for ${time} without a pause, so it is not read; ${stillUsed()}`,
      })
    },
    /** Says once when granting stops, and once when it resumes. */
    standing(): void {
      if (age.isOver() === stopped) return
      stopped = !stopped
      if (stopped) {
        log({ event: "policies.expired", detail: "nothing is granted: the last good policies are too old" })
      } else log({ event: "policies.resumed", detail: "granting resumes: the policies are those of the folder" })
    },
  }
}

const placeOf = (fault: PolicyFault | undefined) =>
  fault ? `${fault.file}:${fault.line}:${fault.column} (${fault.code})` : "an unknown place"
