import type { Health, HealthCheck } from "../ports/health.ts"
import type { Marks } from "../ports/marks.ts"
import type { TreeStore } from "../ports/tree-store.ts"
import type { LogStates, ReadState } from "./log-state.ts"

/** What lasts for so long is said in `/healthz`, and told as an alert. A restart of a witness is no trouble. */
const PATIENCE_MS = 60 * 60_000

const OK: Health = { state: "ok" }

/** Whether all witnesses cosign. Nothing is refused when one does not; only nobody outside can vouch for the newest records. */
export const witnessHealth = (states: LogStates, now: () => Date): HealthCheck => ({
  part: "witnesses",
  async look(): Promise<Health> {
    const read = await states.read().catch(() => null)
    const failing = Object.entries(read?.state.witnesses ?? {}).flatMap(([key, { failing: fault }]) =>
      fault !== null && now().getTime() - Date.parse(fault.since) >= PATIENCE_MS ? [{ key, ...fault }] : [],
    )
    const [first] = failing.sort((one, other) => one.since.localeCompare(other.since))
    if (first === undefined) return OK
    const reason = `the witness ${first.key.split("+", 1)[0]} does not cosign the checkpoints of the audit trail: ${first.reason}`
    return { state: "degraded", reason, since: first.since }
  },
})

export interface CheckpointHealthParts {
  readonly states: LogStates
  readonly store: Pick<TreeStore, "grown">
  readonly marks: Marks
  now(): Date
}

/** The checkpoint after which something was missing, and since when. A checkpoint is given away at most once. */
const MARK = "checkpoint late"

/**
 * Whether the newest records come into a checkpoint that is given away. A mark has since when one is missing: at the edge, the
 * memory of an object is lost in between.
 */
export const checkpointHealth = ({ states, store, marks, now }: CheckpointHealthParts): HealthCheck => ({
  part: "checkpoints",
  async look(): Promise<Health> {
    try {
      const read = await states.read()
      if (!(await isMissing(read, states, store))) return OK
      const given = `${read?.state.birth ?? ""} ${read?.state.published?.size ?? 0}`
      const [since = "", known] = (await marks.read(MARK))?.split(" after ") ?? []
      if (known !== given) {
        await marks.write(MARK, `${now().toISOString()} after ${given}`)
        return OK
      }
      if (now().getTime() - Date.parse(since) < PATIENCE_MS) return OK
      return { state: "degraded", reason: reasonOf(read), since }
    } catch {
      // The storage does not answer. The parts of the storage say so.
      return OK
    }
  },
})

async function isMissing(
  read: ReadState | null,
  states: LogStates,
  store: CheckpointHealthParts["store"],
): Promise<boolean> {
  if (read !== null && read.state.size !== (read.state.published?.size ?? 0)) return true
  return (await store.grown(read === null ? "" : states.originOf(read.state), 1)).length > 0
}

const reasonOf = (read: ReadState | null): string =>
  read !== null && read.state.size !== (read.state.published?.size ?? 0)
    ? "the newest checkpoint of the audit trail is not given away, because too few witnesses cosign it"
    : "the newest records of the audit trail are in no checkpoint: follow.failed in the log says why"
