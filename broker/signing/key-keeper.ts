import type { StoredKey } from "../ports/key-ring.ts"
import { changeRing, type RingPorts } from "./change-ring.ts"
import { addNext, promote, publishesNextAt } from "./key-states.ts"
import { promoted, published } from "./rotation.ts"
import { sealedAnew } from "./sealer.ts"
import { makeSigningKey, sealedAs } from "./signing-key.ts"

/**
 * Does what is due with the signing keys: seals them anew under the current deployment key, lets a key sign that was
 * published long enough, and publishes the next one by the schedule. Call it every now and then; it changes nothing when
 * nothing is due. Several brokers may call it at the same time: the ring takes the change of one.
 *
 * @param rotateEverySeconds how long a key signs; left out, keys are rotated by hand only
 * @throws {BrokerError} `ledger_unavailable`, `configuration_invalid`
 */
export async function keepKeys(ports: RingPorts, rotateEverySeconds?: number): Promise<void> {
  const { clock, sealer } = ports
  await sealRingAnew(ports)
  await changeRing(ports, (keys) => {
    const after = promote(keys, clock.now())
    return { value: undefined, ...(after && { change: { keys: after, reason: promoted(after, clock.now()) } }) }
  })
  if (rotateEverySeconds === undefined) return
  await changeRing(ports, async (keys) => {
    const due = publishesNextAt(keys, clock.now(), rotateEverySeconds)
    if (due === null || clock.now() < due) return { value: undefined }
    const next = await makeSigningKey(sealer, clock.now())
    const after = addNext(keys, next, clock.now())
    return {
      value: undefined,
      ...(after && { change: { keys: after, reason: `${published(next)}, by the schedule` } }),
    }
  })
}

/**
 * Seals the private halves anew that are sealed under the previous deployment key. Returns how many they were.
 * @throws {BrokerError} `ledger_unavailable`, `configuration_invalid`
 */
export async function sealRingAnew(ports: RingPorts): Promise<number> {
  const { sealer } = ports
  if (!sealer.hasPrevious) return 0
  return await changeRing(ports, async (keys) => {
    const after = await Promise.all(
      keys.map(async (key): Promise<StoredKey> => {
        const sealedPrivateKey = await sealedAnew(key.sealedPrivateKey, sealedAs(key.kid), sealer)
        return sealedPrivateKey === null ? key : { ...key, sealedPrivateKey }
      }),
    )
    const value = after.filter((key, index) => key !== keys[index]).length
    if (value === 0) return { value }
    return { value, change: { keys: after, reason: `signing keys sealed under the new DAYPASS_KEK: ${value}` } }
  })
}
