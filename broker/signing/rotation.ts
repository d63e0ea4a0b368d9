import { BrokerError } from "../core/errors.ts"
import type { StoredKey } from "../ports/key-ring.ts"
import { changeRing, type Decision, type RingPorts } from "./change-ring.ts"
import { activeKey, addNext, first, nextStateOf, promote, publishedKeys, retire, stateOf } from "./key-states.ts"
import { makeSigningKey } from "./signing-key.ts"

/**
 * What a rotation did. `published`: there is a next key, and nothing signs with it yet. `promoted`: the next key was
 * published long enough, and signs now. `waiting`: it was not, and nothing was changed. `replaced`: a new key signs at
 * once, and all others have left the key set.
 */
export interface Rotation {
  readonly outcome: "published" | "promoted" | "waiting" | "replaced"
  readonly kid: string
  /** When this key signs. */
  readonly signsFrom: Date
}

/**
 * Takes the next step of a rotation: publishes the next key, or lets it sign when it was published long enough. Jobs notice
 * nothing: a verifier has seen a key before the first token that it signs.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function rotate(ports: RingPorts): Promise<Rotation> {
  return await changeRing(ports, async (keys): Promise<Decision<Rotation>> => {
    const now = ports.clock.now()
    const next = keys.find((key) => stateOf(key, now) === "next")
    if (next) {
      const after = promote(keys, now)
      if (after === null) return { value: { outcome: "waiting", kid: next.kid, signsFrom: signsFrom(next, now) } }
      const value = { outcome: "promoted", kid: next.kid, signsFrom: now } as const
      return { value, change: { keys: after, reason: promoted(after, now) } }
    }
    const made = await makeSigningKey(ports.sealer, now)
    const after = activeKey(keys, now) && addNext(keys, made, now)
    // A broker that has signed nothing yet has no verifier whose cache must be waited for.
    if (!after) return replacing(keys, made, now)
    const value = { outcome: "published", kid: made.kid, signsFrom: signsFrom(made, now) } as const
    return { value, change: { keys: after, reason: published(made) } }
  })
}

/**
 * Replaces all keys at once, because a private half may be in other hands: a new key signs, and the others leave the key
 * set. A verifier that goes on with a key set that it has read before takes the old keys' tokens, and may refuse the new
 * ones, until it reads the keys again.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function replaceAll(ports: RingPorts): Promise<Rotation> {
  const made = await makeSigningKey(ports.sealer, ports.clock.now())
  return await changeRing(ports, (keys) => replacing(keys, made, ports.clock.now()))
}

/**
 * Takes a key out of the key set before its time: one that has stopped signing, or the next one.
 *
 * @throws {BrokerError} `request_malformed` for the key that signs, and for one that is not there; `ledger_unavailable`
 */
export async function retireKey(ports: RingPorts, kid: string): Promise<void> {
  await changeRing(ports, (keys) => {
    const after = retire(keys, kid, ports.clock.now())
    if (after === "unknown") throw new BrokerError("request_malformed", "No signing key with this id is published.")
    if (after === "signing") throw new BrokerError("request_malformed", STILL_SIGNS)
    return { value: undefined, change: { keys: after, reason: `the signing key ${kid} leaves the key set` } }
  })
}

const STILL_SIGNS =
  "This key signs, so it cannot be retired. Rotate instead: daypass keys rotate, or with --now to replace all keys at once."

function replacing(keys: readonly StoredKey[], made: StoredKey, now: Date): Decision<Rotation> {
  const gone = publishedKeys(keys, now).map(({ kid }) => kid)
  const reason = `the new signing key ${made.kid} signs at once, and these leave the key set: ${gone.join(", ") || "none"}`
  return {
    value: { outcome: "replaced", kid: made.kid, signsFrom: now },
    change: { keys: first(made, now), reason },
  }
}

const signsFrom = (next: StoredKey, now: Date): Date => nextStateOf(next, [next], now)?.at ?? now

/** Sentences for the record. */
export const published = ({ kid }: StoredKey): string => `the next signing key ${kid} is published`
export const promoted = (after: readonly StoredKey[], now: Date): string =>
  `the signing key ${activeKey(after, now)?.kid} signs from now on: it was published long enough`
