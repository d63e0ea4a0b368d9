import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { Grant } from "../core/policy/model.ts"
import { mayStop, readStops, STOPS_DOCUMENT, type Stop, scopeText, stopOf } from "../core/stops.ts"
import type { Clock } from "../ports/clock.ts"
import type { Documents } from "../ports/documents.ts"
import type { Help } from "../wire/exchange.ts"

/** The stops in force, as this instance knows them. */
export interface Stops {
  /** @throws {BrokerError} `ledger_unavailable` when they could not be read for a minute, or are not understood */
  inForce(): Promise<readonly Stop[]>
  /** Reads them anew before they are asked for again: they may have changed here. */
  expire(): void
}

/**
 * For how long what was read is used without a look. With the time that another call's look may take, no exchange that begins
 * 5 seconds after a stop is granted.
 */
const FRESH_MS = 3500
/** While one call looks, or after it failed, others go on with what was read. */
const LOOK_AGAIN_MS = 1000
/** For how long that goes on while the store cannot be read. */
const USABLE_MS = 60_000

/**
 * Reads the stops from the deployment's documents, and keeps them in memory. It holds values, never a promise: on workerd, one
 * request must not await another's I/O.
 *
 * @param isOnlyWriter whether only this process changes the document. Then it is read once.
 */
export function createStops(documents: Pick<Documents, "read">, clock: Clock, isOnlyWriter = false): Stops {
  const freshMs = isOnlyWriter ? Number.POSITIVE_INFINITY : FRESH_MS
  let known: { readonly version: number; readonly stops: readonly Stop[] | null } | null = null
  /** When the look that found it began, and the last look, in milliseconds of `elapsed`. */
  let asOf = Number.NEGATIVE_INFINITY
  let lookedAt = Number.NEGATIVE_INFINITY
  let [expired, renewed] = [0, 0]

  async function look(now: number): Promise<void> {
    const seen = expired
    lookedAt = now
    const { version, text } = await documents.read(STOPS_DOCUMENT)
    // A look that began earlier may end later.
    if (now < asOf || (now === asOf && version < (known?.version ?? 0))) return
    const read = readStops(text)
    known = { version, stops: read.ok ? read.value : null }
    asOf = now
    renewed = Math.max(renewed, seen)
  }

  return {
    async inForce() {
      const now = clock.elapsed()
      const mustLook = known === null || expired > renewed
      if (mustLook || now - asOf >= freshMs) {
        // What is too old to be used, each call must read: after a quiet minute, several can come at once.
        const isUnusable = mustLook || now - asOf > USABLE_MS
        if (isUnusable || now - lookedAt >= LOOK_AGAIN_MS) await look(now).catch(() => {})
        if (known === null || clock.elapsed() - asOf > USABLE_MS) {
          throw unread("It cannot be known whether an operator has stopped this: the stops cannot be read.")
        }
      }
      if (known?.stops) return known.stops
      throw unread("The stops were written by another version of Daypass: run that version on every broker.")
    },
    expire() {
      expired += 1
    },
  }
}

const unread = (detail: string) => new BrokerError("ledger_unavailable", detail)

/**
 * The refusal of grants that an operator or an alarm has stopped; null when nothing is stopped.
 *
 * Grants that may lift stops need no look: their holders must get in while the store of the stops is broken, too.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function stopped(
  identity: Identity,
  grants: readonly Grant[],
  broker: { readonly stops: Stops; readonly clock: Clock },
  extra: { readonly policyVersion: string; readonly help?: Help },
): Promise<BrokerError | null> {
  if (grants.every(mayStop)) return null
  const stops = await broker.stops.inForce()
  if (stops.length === 0) return null
  const stop = stopOf(stops, identity, grants, broker.clock.now().getTime())
  return stop === null ? null : new BrokerError("stopped", sentence(stop), extra)
}

function sentence(stop: Stop): string {
  const who = stop.by.startsWith("alarm ") ? `The ${stop.by}` : "An operator of this broker"
  const until = stop.until === null ? "until it is resumed" : `until ${stop.until}`
  return `${who} has stopped this (${scopeText(stop)}) at ${stop.at}, ${until}: "${stop.reason}". Nothing was granted.`
}
