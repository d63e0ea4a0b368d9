import { evictAllDurableObjects, reset } from "cloudflare:test"
import { expect, test } from "vitest"
import { createCloudflareDocuments, createCloudflareKeyRing } from "../../broker/adapters/cloudflare/ledgers.ts"
import { writeStops } from "../../broker/core/stops.ts"
import { createStops } from "../../broker/exchange/stops.ts"
import { documentsContract } from "../contract/documents.suite.ts"
import { keyRingContract } from "../contract/key-ring.suite.ts"
import { TestClock } from "../support/clock.ts"
import { objects } from "./objects.ts"

keyRingContract("in a Durable Object", {
  ring: () => createCloudflareKeyRing(objects.KEY_RING),
  clear: () => reset(),
  restart: () => evictAllDurableObjects(),
})

documentsContract("in a Durable Object", {
  documents: () => createCloudflareDocuments(objects.KEY_RING),
  restart: () => evictAllDurableObjects(),
})

test("a stop that one isolate orders is known to another 3.5 seconds after its last look", async () => {
  const clock = new TestClock(Date.now())
  const [one, other] = [createCloudflareDocuments(objects.KEY_RING), createCloudflareDocuments(objects.KEY_RING)]
  const elsewhere = createStops(other, clock)
  const before = await one.read("stops")
  await elsewhere.inForce()
  const at = new Date().toISOString()
  const stop = { on: "all" as const, reason: "why", by: "operator ann", at, until: null }
  expect(await one.replace("stops", before.version, writeStops([stop]))).toBe(true)
  clock.advance(3.4)
  expect(await elsewhere.inForce()).toEqual([])
  clock.advance(0.1)
  expect(await elsewhere.inForce()).toEqual([stop])
})
