import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { createCloudflareKeyRing } from "../../broker/adapters/cloudflare/ledgers.ts"
import type { KeyRing } from "./main.ts"
import { objects } from "./objects.ts"

const HOUR = 60 * 60_000

test("the alarm of the key ring's object is set by the first read, and cares for the keys again and again", async () => {
  const stub = objects.KEY_RING.getByName("signing-keys")
  const inside = <Value>(work: (ring: KeyRing, state: DurableObjectState) => Promise<Value>) =>
    runInDurableObject(stub, (instance, state) => work(instance as unknown as KeyRing, state))
  const alarm = () => inside((_ring, state) => state.storage.getAlarm())
  const ring = createCloudflareKeyRing(objects.KEY_RING)
  expect(await alarm()).toBe(null)
  await ring.read()
  const first = (await alarm()) ?? 0
  expect(first).toBeGreaterThan(Date.now() + HOUR - 60_000)
  // Another start of the object finds it, and does not put it off.
  await evictDurableObject(stub)
  await ring.read()
  expect(await alarm()).toBe(first)

  const kept: number[] = []
  const keepWith = (work: () => void) =>
    inside(async (object) => {
      object.onKeep = async (its) => {
        kept.push((await its.read()).version)
        work()
      }
    })
  await keepWith(() => {})
  expect(await runDurableObjectAlarm(stub)).toBe(true)
  expect(kept).toEqual([0])
  await keepWith(() => {
    throw new Error("the policies cannot be loaded")
  })
  expect(await runDurableObjectAlarm(stub)).toBe(true)
  expect(kept).toEqual([0, 0])
  expect(await alarm()).toBeGreaterThan(Date.now() + HOUR - 60_000)
})
