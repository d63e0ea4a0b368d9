import { BrokerError } from "../core/errors.ts"
import type { Clock } from "../ports/clock.ts"
import type { KeyRing, StoredKey } from "../ports/key-ring.ts"
import type { Sealer } from "./sealer.ts"

/** What a change of the signing keys needs. */
export interface RingPorts {
  readonly keyRing: KeyRing
  readonly sealer: Sealer
  readonly clock: Clock
  /** Records what is about to happen to the keys, in a sentence. Nothing happens when it throws. */
  record(reason: string): Promise<void>
  /** Called after the ring was changed: this instance's signer must read it again. */
  changed(): void
}

/** What is to become of the ring. */
export interface Decision<Value> {
  readonly value: Value
  /** The ring's next keys, and a sentence for the record; left out when nothing is to be changed. */
  readonly change?: { readonly keys: readonly StoredKey[]; readonly reason: string }
}

/** How often a change is decided anew after another broker was first. */
const ATTEMPTS = 3

/**
 * Changes the ring as `decide` says for the stored keys, records that before, and returns the decision's value. When another
 * broker was first, that is recorded, and `decide` is asked again with the keys of now.
 *
 * @throws {BrokerError} `ledger_unavailable`, and what `decide` throws
 */
export async function changeRing<Value>(
  ports: RingPorts,
  decide: (keys: readonly StoredKey[]) => Decision<Value> | Promise<Decision<Value>>,
): Promise<Value> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { version, keys } = await ports.keyRing.read()
    const { value, change } = await decide(keys)
    if (change === undefined) return value
    await ports.record(change.reason)
    if (await ports.keyRing.replace(version, change.keys)) {
      ports.changed()
      return value
    }
    await ports.record(`not done, because the signing keys were changed at the same time: ${change.reason}`)
  }
  throw new BrokerError("ledger_unavailable", "The signing keys were changed by others at the same time. Try again.")
}
