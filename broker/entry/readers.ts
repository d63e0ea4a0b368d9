import { type AlarmOffice, createAlarms } from "../operate/alarms.ts"
import type { Reader } from "../ports/followed.ts"
import type { OperateStore } from "../ports/operate-store.ts"
import type { CheckpointKeeping } from "./checkpoints.ts"

/**
 * All that follows the record, on every runtime. A reader here gets each record of each ledger a moment after it was made, and
 * no exchange waits for it.
 */
export const readersOf = (
  { indexReader }: Pick<OperateStore, "indexReader">,
  office: AlarmOffice,
  { log }: Pick<CheckpointKeeping, "log">,
): readonly Reader[] => [indexReader, createAlarms(office), log]
