import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { type Stop, writeStops } from "../../../broker/core/stops.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { explain } from "../../../broker/exchange/explain.ts"
import { createStops } from "../../../broker/exchange/stops.ts"
import type { StoredDocument } from "../../../broker/ports/documents.ts"
import { TestClock } from "../../support/clock.ts"
import { NOW, world } from "./world.ts"

const stop = (scope: Partial<Stop> = {}): Stop => ({
  on: "all",
  reason: "an incident",
  by: "ann of acme/ops",
  at: "2026-11-22T11:00:00.000Z",
  until: null,
  ...scope,
})

/** The store of the stops, with what it was asked for. */
function store(clock: TestClock) {
  let document: StoredDocument = { version: 0, text: null }
  let answer: (found: StoredDocument) => Promise<StoredDocument> = async (found) => found
  const looks: number[] = []
  return {
    looks,
    write(text: string) {
      document = { version: document.version + 1, text }
    },
    answers(next: typeof answer) {
      answer = next
    },
    documents: {
      read: (name: string) => {
        expect(name).toBe("stops")
        looks.push(clock.elapsed() / 1000)
        return answer(document)
      },
    },
  }
}

const broken = async (): Promise<never> => {
  throw new BrokerError("ledger_unavailable", "the ledger cannot be reached")
}

describe("the stops that an instance knows", () => {
  it("are used for 3.5 seconds, and are then read before an exchange goes on", async () => {
    const clock = new TestClock(NOW.getTime())
    const { looks, write, documents } = store(clock)
    const stops = createStops(documents, clock)
    expect(await stops.inForce()).toEqual([])
    write(writeStops([stop()]))
    clock.advance(3.4)
    expect(await stops.inForce()).toEqual([])
    clock.advance(0.1)
    expect(await stops.inForce()).toEqual([stop()])
    expect(looks).toEqual([0, 3.5])
  })

  it("are read by each of several calls that come at once after a quiet time, so that none is refused", async () => {
    const clock = new TestClock(NOW.getTime())
    const { documents } = store(clock)
    const stops = createStops(documents, clock)
    await stops.inForce()
    clock.advance(61)
    expect(await Promise.all([stops.inForce(), stops.inForce(), stops.inForce()])).toEqual([[], [], []])
  })

  it("are at most 4.5 seconds old while one look after another hangs", async () => {
    const clock = new TestClock(NOW.getTime())
    const { looks, write, answers, documents } = store(clock)
    const stops = createStops(documents, clock)
    await stops.inForce()
    write(writeStops([stop()]))
    answers(() => new Promise(() => {}))
    clock.advance(3.5)
    void stops.inForce()
    // Others need not wait for it.
    clock.advance(0.9)
    expect(await stops.inForce()).toEqual([])
    answers(async (found) => found)
    clock.advance(0.1)
    expect(await stops.inForce()).toEqual([stop()])
    expect(looks).toEqual([0, 3.5, 4.5])
  })

  it("are used for a minute while they cannot be read, and nothing is granted after it", async () => {
    const clock = new TestClock(NOW.getTime())
    const { looks, write, answers, documents } = store(clock)
    write(writeStops([stop()]))
    const stops = createStops(documents, clock)
    await stops.inForce()
    answers(broken)
    for (const seconds of [30, 29.9, 0.1]) {
      clock.advance(seconds)
      expect(await stops.inForce()).toEqual([stop()])
    }
    // A store that fails is asked once a second, not by every exchange.
    expect(looks).toEqual([0, 30, 59.9])
    clock.advance(0.1)
    await expect(stops.inForce()).rejects.toMatchObject({ code: "ledger_unavailable" })
    answers(async (found) => found)
    clock.advance(1)
    expect(await stops.inForce()).toEqual([stop()])
  })

  it("must be read once before anything is granted", async () => {
    const clock = new TestClock(NOW.getTime())
    const { answers, documents } = store(clock)
    answers(broken)
    const stops = createStops(documents, clock)
    await expect(stops.inForce()).rejects.toMatchObject({ code: "ledger_unavailable" })
  })

  it("are not set back by a look that began earlier and ends later", async () => {
    const clock = new TestClock(NOW.getTime())
    const { write, answers, documents } = store(clock)
    const stops = createStops(documents, clock)
    await stops.inForce()
    let release = () => {}
    answers(async (found) => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return found
    })
    clock.advance(3.5)
    const slow = stops.inForce()
    write(writeStops([stop()]))
    answers(async (found) => found)
    clock.advance(1)
    await stops.inForce()
    release()
    await slow
    expect(await stops.inForce()).toEqual([stop()])
  })

  it("are read once by the only writer, and again after it has written", async () => {
    const clock = new TestClock(NOW.getTime())
    const { looks, write, answers, documents } = store(clock)
    const stops = createStops(documents, clock, true)
    await stops.inForce()
    clock.advance(3600)
    expect(await stops.inForce()).toEqual([])
    write(writeStops([stop()]))
    stops.expire()
    expect(await stops.inForce()).toEqual([stop()])
    expect(looks).toEqual([0, 3600])
    // A write whose outcome nobody knows: what was read before is not enough.
    answers(broken)
    clock.advance(3600)
    stops.expire()
    await expect(stops.inForce()).rejects.toMatchObject({ code: "ledger_unavailable" })
  })

  it.each([
    ["of a newer version", JSON.stringify({ v: 2, stops: [] })],
    ["with a member that is not known", JSON.stringify({ v: 1, stops: [{ ...stop(), except: "acme/shop" }] })],
    ["of an unknown kind", JSON.stringify({ v: 1, stops: [{ ...stop(), on: "region" }] })],
    ["that is not JSON", "{"],
  ])("stop everything, at once, by a list %s", async (_, text) => {
    const clock = new TestClock(NOW.getTime())
    const { write, documents } = store(clock)
    const stops = createStops(documents, clock)
    await stops.inForce()
    write(text)
    clock.advance(3.5)
    await expect(stops.inForce()).rejects.toMatchObject({
      code: "ledger_unavailable",
      detail: expect.stringContaining("another version"),
    })
  })
})

describe("an exchange that is stopped", () => {
  const help = { url: "https://wiki.acme.example/daypass" }

  it("mints nothing, records the denial, and tells the job the reason and who helps", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "mints" }, stops: [stop()], help })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      code: "stopped",
      status: 403,
      detail:
        'An operator of this broker has stopped this (all) at 2026-11-22T11:00:00.000Z, until it is resumed: "an incident". Nothing was granted.',
      help,
      policyVersion: "v1",
    })
    expect(story).toEqual(["verify", "policiesOf", "admit"])
    expect(recorded).toMatchObject([{ audit: { event: "exchange.denied", decision: "deny", reason: "stopped: one" } }])
  })

  it("is answered so by explain, which records nothing", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, stops: [stop()] })
    const answer = await explain(call(), broker)
    expect(answer).toMatchObject({ decision: "deny", code: "stopped", trace: { grants: [{ outcome: "allow" }] } })
    expect(answer.notes).toEqual([expect.stringContaining('"an incident"')])
    expect(story).not.toContain("admit")
  })

  it("tells nothing of a stop to a job that no policy allows anything", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, stops: [stop()], identity: { unitId: "42" } })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "not_allowed" })
  })

  it("is refused while nobody can know what is stopped, before anything is recorded", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, stops: "unknown" })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(story).toEqual(["verify", "policiesOf"])
  })

  it("goes on when the stop is over, or concerns others", async () => {
    const stops = [
      stop({ until: NOW.toISOString() }),
      stop({ on: "connection", name: "other" }),
      stop({ on: "unit", issuer: "https://token.actions.githubusercontent.com", id: "42", name: "acme/other" }),
    ]
    const { broker, call } = await world({ grants: { one: "mints" }, stops })
    await expect(exchange(call(), broker)).resolves.toMatchObject({ credentials: { one: {} } })
  })
})
