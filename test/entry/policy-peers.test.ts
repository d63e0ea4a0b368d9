import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createPolicyPeers } from "../../broker/entry/policy-peers.ts"
import type { Health } from "../../broker/ports/health.ts"
import { TestClock } from "../support/clock.ts"

const [OWN, NEWER, OLDER] = ["a".repeat(64), "b".repeat(64), "c".repeat(64)] as const
const OK: Health = { state: "ok" }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function peers() {
  const clock = new TestClock(Date.parse("2026-11-22T12:00:00.000Z"))
  const events: { event?: string; detail?: string }[] = []
  const folder = { version: OWN as string, health: OK, looks: 0 }
  const followed = createPolicyPeers(
    {
      status: () => ({ version: folder.version, policies: 1, loaded_at: null }),
      health: { part: "policies", look: async () => folder.health },
      notice: () => void folder.looks++,
    },
    clock,
    (event) => void events.push(event as { event?: string }),
  )
  const heard = (broker: string, policies: string) => followed.heard({ broker, policies })
  /** Minutes pass in which both brokers tell what they have. */
  const minutes = (count: number, told: Readonly<Record<string, string>>) => {
    for (let minute = 0; minute < count; minute++) {
      clock.advance(60)
      for (const [broker, policies] of Object.entries(told)) heard(broker, policies)
    }
  }
  return { ...followed, heard, minutes, folder, clock, events }
}

it("looks at the folder for a version that is new, now and once more, and not for one that it knows or has", async () => {
  const { heard, folder } = peers()
  heard("one", OWN)
  expect(folder.looks).toBe(0)
  heard("one", NEWER)
  expect(folder.looks).toBe(1)
  heard("one", NEWER)
  expect(folder.looks).toBe(1)
  // A network folder shows the change late.
  await vi.advanceTimersByTimeAsync(10_000)
  expect(folder.looks).toBe(2)
})

it("looks when notices may have been missed", () => {
  const { missed, folder } = peers()
  missed()
  expect(folder.looks).toBe(1)
})

it("is silent while a change is rolled out, degraded when brokers differ for five minutes, and tells both once", async () => {
  const { look, minutes, folder, events } = peers()
  minutes(5, { one: NEWER, two: OWN })
  expect(await look()).toEqual(OK)
  expect(events).toEqual([])
  minutes(3, { one: NEWER, two: OWN })
  expect(await look()).toEqual({
    state: "degraded",
    reason: expect.stringMatching(/different policies for more than 5 minutes/),
    since: "2026-11-22T12:01:00.000Z",
  })
  expect(events).toEqual([{ event: "policies.differ", detail: expect.stringMatching(/^1 of the 2 other brokers/) }])
  expect(events[0]?.detail).toContain(`here version ${OWN}, there ${NEWER}`)
  folder.version = NEWER
  minutes(1, { one: NEWER, two: NEWER })
  expect(await look()).toEqual(OK)
  expect(events.slice(1)).toEqual([expect.objectContaining({ event: "policies.agree" })])
})

it("forgets a broker that has told nothing for three minutes: it has ended", async () => {
  const { look, minutes, clock, events } = peers()
  minutes(4, { one: OLDER })
  clock.advance(200)
  expect(await look()).toEqual(OK)
  minutes(10, { two: OWN })
  expect(await look()).toEqual(OK)
  expect(events).toEqual([])
})

it("shows the folder's own fault before a difference", async () => {
  const { look, minutes, folder } = peers()
  folder.health = { state: "unavailable", reason: "old", since: "2026-11-22T12:00:00.000Z" }
  minutes(8, { one: NEWER })
  expect(await look()).toEqual(folder.health)
})

it("remembers a thousand brokers at most, however many somebody invents", async () => {
  const { heard, folder } = peers()
  for (let index = 0; index < 5000; index++) heard(`broker ${index}`, NEWER)
  expect(folder.looks).toBe(1000)
  expect(vi.getTimerCount()).toBe(1)
})
