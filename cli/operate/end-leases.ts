import { END_LEASES_PATH, type EndLeasesRequest, type StopTarget } from "../../broker/wire/stops.ts"
import { counted } from "../format.ts"
import type { CliIo } from "../io.ts"
import type { OperatorClient } from "./client.ts"
import { readEnded } from "./stop-answers.ts"

/** An exchange that began before the stop has an outcome after 65 seconds; then its credentials are revoked at their vendors. */
const WAIT_AT_MOST_MS = 150_000
const LOOK_EVERY_MS = 5000

export interface Ended {
  readonly ended: number
  /** Leases that are not over: they are being revoked, under way, or of a unit whose ledger could not be reached. */
  readonly left: number
  readonly expiring: { readonly leases: number; readonly until: string | null }
}

interface Wanted {
  readonly target: StopTarget
  readonly reason: string
  /** ISO 8601: when the stop was ordered. */
  readonly since: string
  /** Resolves when no broker admits an exchange of the scope any more. */
  readonly isForced: Promise<void>
}

/** Ends what the scope's leases hold, and waits until all that can be revoked is revoked. @throws {ActionError} */
export async function endLeases(client: OperatorClient, wanted: Wanted, io: CliIo): Promise<Ended> {
  const until = performance.now() + WAIT_AT_MOST_MS
  let isForced = false
  void wanted.isForced.then(() => {
    isForced = true
  })
  let ended = 0
  for (;;) {
    // An exchange that was admitted during this look may be in no answer of it.
    const isLast = isForced
    const look = await lookAll(client, wanted)
    ended += look.ended
    const left = look.ended + look.revoking + look.under_way + look.unreached
    if ((left === 0 && isLast) || performance.now() > until) return { ended, left, expiring: look.expiring }
    if (left > 0) {
      const underWay = look.under_way === 0 ? "" : `, ${counted(look.under_way, "exchange", "exchanges")} under way`
      io.err(`${counted(look.ended + look.revoking, "lease", "leases")} being revoked${underWay}`)
      if (look.unreached > 0) {
        io.err(`${counted(look.unreached, "ledger", "ledgers")} could not be reached; trying again`)
      }
    }
    await pause(isForced ? null : wanted.isForced)
  }
}

/** Until the next look, or until the stop is in force. A timer that is left would keep the process. */
async function pause(isForced: Promise<void> | null): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const isOver = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LOOK_EVERY_MS)
  })
  await (isForced === null ? isOver : Promise.race([isOver, isForced]))
  clearTimeout(timer)
}

/** One look at all ledgers, part by part. */
async function lookAll(client: OperatorClient, { target, reason, since }: Wanted) {
  const all = { ended: 0, revoking: 0, under_way: 0, unreached: 0 }
  const expiring = { leases: 0, until: null as string | null }
  let after: string | null = null
  do {
    const json: EndLeasesRequest = { ...target, reason, since, ...(after === null ? {} : { after }) }
    const part = readEnded(await client.call({ method: "POST", path: END_LEASES_PATH, json }))
    for (const name of ["ended", "revoking", "under_way", "unreached"] as const) all[name] += part[name]
    expiring.leases += part.expiring.leases
    const last = part.expiring.until
    if (last !== null && (expiring.until === null || last > expiring.until)) expiring.until = last
    after = part.next
  } while (after !== null)
  return { ...all, expiring }
}
