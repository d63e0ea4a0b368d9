import { describe, expect, it } from "vitest"
import { createClockWatch } from "../../broker/entry/clock-watch.ts"
import { TestClock } from "../support/clock.ts"

const NOW = Date.parse("2026-11-29T10:00:00.000Z")
const HOUR = 3600

function open(latestTime = 0) {
  const clock = new TestClock(NOW)
  const events: unknown[] = []
  const watch = createClockWatch(clock, latestTime, (event) => void events.push(event))
  return { clock, events, watch }
}

describe("the watch over the machine's clock", () => {
  it("is content while time passes, however long nobody looks", async () => {
    const { clock, events, watch } = open()
    for (const seconds of [0, 15, 29, 100_000]) {
      clock.advance(seconds)
      watch.tick()
      expect(await watch.look()).toEqual({ state: "ok" })
    }
    clock.jump(29)
    expect(await watch.look()).toEqual({ state: "ok" })
    expect(events).toEqual([])
  })

  it.each([
    [3 * HOUR, "10800 s forward"],
    [-30, "30 s back"],
  ])("tells a jump of %d s once, and shows it for an hour", async (seconds, said) => {
    const { clock, events, watch } = open()
    clock.jump(seconds)
    watch.tick()
    clock.advance(15)
    watch.tick()
    expect(events).toMatchObject([{ event: "clock.jumped", detail: expect.stringContaining(said) }])
    expect(await watch.look()).toMatchObject({ state: "degraded", reason: expect.stringContaining(said) })
    clock.advance(HOUR)
    expect(await watch.look()).toEqual({ state: "ok" })
  })

  it("tells a clock that stands behind what the ledger has seen, until it has caught up", async () => {
    const { clock, events, watch } = open(NOW + 3 * HOUR * 1000)
    expect(events).toMatchObject([{ event: "clock.behind", detail: expect.stringContaining("180 minutes behind") }])
    expect(await watch.look()).toMatchObject({ state: "degraded", since: "2026-11-29T10:00:00.000Z" })
    clock.advance(3 * HOUR - 301)
    expect((await watch.look()).state).toBe("degraded")
    clock.advance(1)
    expect(await watch.look()).toEqual({ state: "ok" })
    expect(events).toHaveLength(1)
  })

  it("tells a clock that was ahead and was set right: the way of a wrong time zone", async () => {
    const { clock, events, watch } = open()
    clock.jump(3 * HOUR)
    watch.tick()
    clock.jump(-3 * HOUR)
    watch.tick()
    expect(events).toMatchObject([{ event: "clock.jumped" }, { event: "clock.jumped" }, { event: "clock.behind" }])
  })
})
