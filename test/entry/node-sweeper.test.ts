import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { BrokerError } from "../../broker/core/errors.ts"
import { startSweeping } from "../../broker/entry/node-sweeper.ts"
import type { SweptLedger } from "../../broker/ports/ledger.ts"
import type { DueLedger, NodeStore } from "../../broker/ports/node-store.ts"
import { world } from "../core/exchange/world.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const UNWATCHED = [{ tick: () => {} }, { tick: async () => {} }] as const

it("sweeps every ledger that is due, although one before it cannot be swept", async () => {
  const { broker } = await world({ grants: {} })
  const swept: string[] = []
  let isDue = true
  const due = ["broken", "41"].map((unitId): DueLedger => {
    const takeDue: SweptLedger["takeDue"] = async () => {
      swept.push(unitId)
      if (unitId === "broken") throw new Error("a text of another system")
      isDue = false
      return []
    }
    const lookDue: SweptLedger["lookDue"] = async () => {
      throw new BrokerError("ledger_unavailable", "the ledger cannot be read")
    }
    return { issuerUrl: "https://issuer.example", unitId, ledger: { takeDue, lookDue } as SweptLedger }
  })
  const events: unknown[] = []
  const store = {
    due: async () => due.filter(({ unitId }) => unitId === "broken" || isDue),
  } as unknown as NodeStore
  const sweeper = startSweeping(store, { ...broker, log: (event) => void events.push(event) }, ...UNWATCHED)
  // At once, because leases may have waited for the broker to start; and every fifteen seconds.
  await vi.advanceTimersByTimeAsync(0)
  expect(swept).toEqual(["broken", "41"])
  await vi.advanceTimersByTimeAsync(14_000)
  expect(swept).toEqual(["broken", "41"])
  isDue = true
  await vi.advanceTimersByTimeAsync(2000)
  await sweeper.stop()
  expect(swept).toEqual(["broken", "41", "broken", "41"])
  const failed = {
    event: "sweep.failed",
    detail: "due leases of a unit could not be ended; the next sweep tries again: the ledger cannot be read",
    issuer: "https://issuer.example",
    unit_id: "broken",
  }
  expect(events).toEqual([failed, failed])
})

it("goes on until nothing is due, and gives each ledger its turn before one has its next", async () => {
  const { broker } = await world({ grants: {} })
  const left = new Map([
    ["many", 500],
    ["few", 20],
    ...Array.from({ length: 30 }, (_, index) => [`single ${index}`, 1] as const),
  ])
  const turns: string[] = []
  const dueOf = (unitId: string): DueLedger => {
    const takeDue: SweptLedger["takeDue"] = async (_, limit) => {
      turns.push(unitId)
      left.set(unitId, Math.max(0, (left.get(unitId) ?? 0) - limit))
      return []
    }
    return { issuerUrl: "https://issuer.example", unitId, ledger: { takeDue } as unknown as SweptLedger }
  }
  const store = {
    due: async () => [...left].filter(([, leases]) => leases > 0).map(([unitId]) => dueOf(unitId)),
  } as unknown as NodeStore
  const sweeper = startSweeping(store, broker, ...UNWATCHED)
  await vi.advanceTimersByTimeAsync(10_000)
  await sweeper.stop()
  expect([...left.values()].filter((leases) => leases > 0)).toEqual([])
  expect(turns.slice(0, 32)).toEqual([...left.keys()])
  expect(turns.slice(32, 35)).toEqual(["many", "few", "many"])
})

it("leaves a ledger that cannot be written to the next sweep, so that its vendors are not asked again at once", async () => {
  const { broker, story } = await world({ grants: {}, ledgerFails: ["takeDue"] })
  const ledger = broker.ledgers.of("", "") as SweptLedger
  const due: DueLedger[] = [{ issuerUrl: "https://issuer.example", unitId: "41", ledger }]
  const sweeper = startSweeping({ due: async () => due } as unknown as NodeStore, broker, ...UNWATCHED)
  await vi.advanceTimersByTimeAsync(14_000)
  expect(story).toEqual(["takeDue", "lookDue"])
  await vi.advanceTimersByTimeAsync(2000)
  expect(story).toEqual(["takeDue", "lookDue", "takeDue", "lookDue"])
  await sweeper.stop()
})
