import type { FiledRecord } from "../../../analysis/records/record-lines.ts"
import type { LeaseState } from "../../../analysis/records/search.ts"

/** Records, one line each: when, what, where, by whom. */
export function linesOfFound(found: readonly FiledRecord[]): readonly string[] {
  return found.map(({ ledger, record }) => {
    const { at, event, identity, grants, reason, lease } = record
    const where = identity
      ? `${identity.unit} (id ${identity.unit_id}), ${identity.environment ?? "no environment"}`
      : `unit ${ledger.unit_id}`
    const got = grants.map(({ name, resource }) => `${name}: ${resource}`).join(", ")
    const who = identity
      ? `${runOf(identity.run_id)}by ${identity.actor ?? "?"}${identity.actor_id ? ` (id ${identity.actor_id})` : ""}`
      : "by the broker"
    return [
      at,
      event,
      where,
      got,
      reason === "allowed" || reason === "minted" ? "" : reason,
      who,
      lease ? `lease ${lease}` : "",
    ]
      .filter((part) => part !== "")
      .join("  ")
  })
}

const commitOf = (commit: string | null): string =>
  commit === null ? "; the record does not say the commit: the run does" : `; commit ${commit}`

/** A person has no run. */
const runOf = (id: string): string => (id === "" ? "" : `run ${id} `)

/** `alive`: somebody who has its credentials may use them. `over`: its time is over, and the record has no end of it. */
export type State = "alive" | "ended" | "over"

export function stateOf({ ended, ends }: LeaseState, now: Date): State {
  if (ended !== null) return "ended"
  return Date.parse(ends) > now.getTime() ? "alive" : "over"
}

/** What became of each lease: for a value that turned up somewhere. */
export function linesOfLeases(leases: readonly LeaseState[], now: Date): readonly string[] {
  return leases.flatMap((one) => {
    const { lease, unit, unit_id, run_id, actor, commit, grants, opened, ends, ended } = one
    const state = {
      alive: `ALIVE until ${ends}, as far as the record says`,
      ended: `ended ${ended?.at}: ${ended?.reason}`,
      over: `its time was over at ${ends}; the record has no end of it`,
    }[stateOf(one, now)]
    return [
      `lease ${lease}: ${state}`,
      `  ${grants.join(", ")} of ${unit} (id ${unit_id}), since ${opened}`,
      `  ${runOf(run_id)}by ${actor ?? "?"}${run_id === "" ? "" : commitOf(commit)}`,
    ]
  })
}
