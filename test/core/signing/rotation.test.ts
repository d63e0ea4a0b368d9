import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { Secret } from "../../../broker/core/secret.ts"
import type { RingPorts } from "../../../broker/signing/change-ring.ts"
import { keepKeys } from "../../../broker/signing/key-keeper.ts"
import { PUBLISH_AFTER_SECONDS, stateOf } from "../../../broker/signing/key-states.ts"
import { replaceAll, retireKey, rotate } from "../../../broker/signing/rotation.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"
import { openSigningKey } from "../../../broker/signing/signing-key.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { ringInMemory } from "../../support/key-ring.ts"

const kek = (first: number) => new Secret(Uint8Array.from({ length: 32 }, (_, index) => first + index))
const DAY = 24 * 3600
const STARTED = Date.parse("2026-11-22T12:00:00.000Z")

async function world(sealer = createSealer(kek(0), "test", cryptography)) {
  const clock = new TestClock(STARTED)
  const keyRing = ringInMemory()
  const records: string[] = []
  const signer = createSigner({ keyRing, sealer: await sealer, cryptography, clock })
  const ports: RingPorts = {
    keyRing,
    sealer: await sealer,
    clock,
    record: async (reason) => void records.push(reason),
    changed: () => signer.forget(),
  }
  const kids = async () => (await signer.publicKeys()).map(({ kid }) => kid)
  const signs = async () => JSON.parse(atob((await signer.sign({})).reveal().split(".")[0] ?? "")).kid as string
  await signer.publicKeys()
  const states = () => keyRing.stored().map((key) => stateOf(key, clock.now()))
  return { clock, keyRing, records, signer, ports, kids, signs, states }
}

describe("a rotation", () => {
  it("publishes, waits a day, signs, and takes the old key away when its last token is dead", async () => {
    const { clock, ports, kids, signs, records } = await world()
    const [old = ""] = await kids()
    const published = await rotate(ports)
    expect(published).toEqual({
      outcome: "published",
      kid: expect.any(String),
      signsFrom: new Date(STARTED + DAY * 1000),
    })
    // At once in this instance's key set, and nothing signs with it.
    expect(await kids()).toEqual([old, published.kid])
    expect(await signs()).toBe(old)
    clock.advance(DAY - 1)
    expect(await rotate(ports)).toMatchObject({ outcome: "waiting", kid: published.kid })
    clock.advance(1)
    expect(await rotate(ports)).toMatchObject({ outcome: "promoted", kid: published.kid })
    expect(await signs()).toBe(published.kid)
    expect(await kids()).toEqual([old, published.kid])
    clock.advance(PUBLISH_AFTER_SECONDS)
    expect(await kids()).toEqual([published.kid])
    expect(records).toEqual([
      `the next signing key ${published.kid} is published`,
      `the signing key ${published.kid} signs from now on: it was published long enough`,
    ])
  })

  it("that is urgent leaves one new key, which signs at once", async () => {
    const { ports, kids, signs, records } = await world()
    await rotate(ports)
    const before = await kids()
    const { kid } = await replaceAll(ports)
    expect(await kids()).toEqual([kid])
    expect(await signs()).toBe(kid)
    expect(records.at(-1)).toBe(
      `the new signing key ${kid} signs at once, and these leave the key set: ${before.join(", ")}`,
    )
  })

  it("changes nothing that cannot be recorded", async () => {
    const { ports, keyRing } = await world()
    const before = keyRing.stored()
    const full = { ...ports, record: () => Promise.reject(new BrokerError("ledger_unavailable", "The disk is full.")) }
    for (const act of [rotate, replaceAll]) await expect(act(full)).rejects.toThrow("The disk is full.")
    expect(keyRing.stored()).toBe(before)
  })

  it("refuses to retire the key that signs, and one that is not there", async () => {
    const { ports, kids, keyRing } = await world()
    const [active = ""] = await kids()
    await expect(retireKey(ports, active)).rejects.toThrow("This key signs")
    await expect(retireKey(ports, "of another broker")).rejects.toThrow("No signing key with this id")
    const { kid } = await rotate(ports)
    await retireKey(ports, kid)
    expect(keyRing.stored().map((key) => key.kid)).toEqual([active])
  })

  it("by two brokers at once happens once, and the record says so", async () => {
    const { ports, kids, records } = await world()
    const done = await Promise.all([rotate(ports), rotate(ports)])
    expect(new Set(done.map(({ kid }) => kid)).size).toBe(1)
    expect(done.map(({ outcome }) => outcome).sort()).toEqual(["published", "waiting"])
    expect(await kids()).toHaveLength(2)
    expect(records.filter((reason) => reason.startsWith("not done"))).toHaveLength(1)
  })
})

describe("the keeper of the keys", () => {
  it("rotates by the schedule, so that each key signs for its time", async () => {
    const { clock, ports, kids, signs, records } = await world()
    const signed = new Map<string, number>()
    for (let day = 0; day < 21; day++) {
      await keepKeys(ports, 7 * DAY)
      const kid = await signs()
      signed.set(kid, (signed.get(kid) ?? 0) + 1)
      clock.advance(DAY)
    }
    expect([...signed.values()]).toEqual([7, 7, 7])
    expect(records.filter((reason) => reason.endsWith("by the schedule"))).toHaveLength(3)
    expect((await kids()).length).toBeLessThanOrEqual(2)
  })

  it("does nothing without a schedule except to finish what was begun by hand", async () => {
    const { clock, ports, records, states } = await world()
    clock.advance(1000 * DAY)
    await keepKeys(ports)
    expect(records).toEqual([])
    await rotate(ports)
    clock.advance(DAY)
    await keepKeys(ports)
    expect(states()).toEqual(["retiring", "active"])
  })

  it("seals the ring anew under the new deployment key, after which the old one is not needed", async () => {
    const { ports, clock, keyRing, signer, records } = await world()
    await rotate(ports)
    const kidBefore = (await signer.publicKeys()).map(({ kid }) => kid)
    const sealer = await createSealer(kek(9), "test", cryptography, kek(0))
    // Two brokers start with the new key at the same time.
    await Promise.all([keepKeys({ ...ports, sealer }), keepKeys({ ...ports, sealer })])
    const only = await createSealer(kek(9), "test", cryptography)
    for (const key of keyRing.stored()) await openSigningKey(key, only, cryptography)
    expect(keyRing.stored().map(({ kid }) => kid)).toEqual(kidBefore)
    expect(records.filter((reason) => reason === "signing keys sealed under the new DAYPASS_KEK: 2")).not.toEqual([])
    await createSigner({ keyRing, sealer: only, cryptography, clock }).sign({})
  })
})
