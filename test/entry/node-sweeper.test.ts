import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { DueLedger, NodeStore } from "../../broker/adapters/node/ledgers.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { startSweeping } from "../../broker/entry/node-sweeper.ts"
import type { SweptLedger } from "../../broker/ports/ledger.ts"
import { world } from "../core/exchange/world.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it("sweeps every ledger that is due, although one before it cannot be swept", async () => {
  const { broker } = await world({ grants: {} })
  const swept: string[] = []
  const due = ["broken", "41"].map((unitId): DueLedger => {
    const takeDue: SweptLedger["takeDue"] = async () => {
      swept.push(unitId)
      if (unitId === "broken") throw new Error("a text of another system")
      return []
    }
    const lookDue: SweptLedger["lookDue"] = async () => {
      throw new BrokerError("ledger_unavailable", "the ledger cannot be read")
    }
    return { issuerUrl: "https://issuer.example", unitId, ledger: { takeDue, lookDue } as SweptLedger }
  })
  const events: unknown[] = []
  const store = { due: async () => due } as unknown as NodeStore
  const sweeper = startSweeping(store, { ...broker, log: (event) => void events.push(event) }, { tick: () => {} })
  // At once, because leases may have waited for the broker to start; and every fifteen seconds.
  await vi.advanceTimersByTimeAsync(0)
  expect(swept).toEqual(["broken", "41"])
  await vi.advanceTimersByTimeAsync(15_000)
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

it("gives a ledger with many due leases further turns at once, and ends although they stay due", async () => {
  const { broker } = await world({ grants: {} })
  const turns = { many: 0, stuck: 0 }
  const dueOf = (name: "many" | "stuck"): DueLedger => {
    const takeDue: SweptLedger["takeDue"] = async () => {
      turns[name]++
      return [{ lease: `${name} ${turns[name]}`, credentials: [] }]
    }
    const ledger = { takeDue, settleRevocation: async () => {} } as unknown as SweptLedger
    return { issuerUrl: "https://issuer.example", unitId: name, ledger }
  }
  const store = {
    health: { look: async () => ({ state: "ok" }) },
    due: async () => [...(turns.many < 4 ? [dueOf("many")] : []), dueOf("stuck")],
  } as unknown as NodeStore
  const sweeper = startSweeping(store, broker, { tick: () => {} })
  await vi.advanceTimersByTimeAsync(1)
  await sweeper.stop()
  expect(turns.many).toBe(4)
  expect(turns.stuck).toBeGreaterThan(4)
  expect(turns.stuck).toBeLessThan(20)
})
