import { expect, it } from "vitest"
import { createOverdueWatch } from "../../broker/entry/overdue-watch.ts"
import type { Overdue } from "../../broker/ports/sweeping.ts"

const NOW = Date.parse("2026-11-22T12:00:00.000Z")
const MINUTE = 60_000

function watching() {
  let overdue: Overdue | null = { leases: 0, since: null }
  let now = NOW
  const failing: { connection: string; forMs: number }[] = []
  const events: unknown[] = []
  const watch = createOverdueWatch(
    {
      overdue: async () => {
        if (overdue === null) throw new Error("the storage cannot be read")
        return overdue
      },
    },
    { now: () => new Date(now), elapsed: () => now },
    (event) => void events.push(event),
  )
  const look = async (next: Overdue | null, at = NOW) => {
    overdue = next
    now = at
    await watch.tick({ failing: () => failing })
    return await watch.look()
  }
  return { look, failing, events }
}

it("is degraded while the oldest lease has been overdue for five minutes, and tells each change once", async () => {
  const { look, events } = watching()
  expect(await look({ leases: 3, since: NOW - 4 * MINUTE })).toEqual({ state: "ok" })
  const reason = "3 leases are over and not ended yet, the oldest since 6 minutes"
  const late = { state: "degraded", reason, since: new Date(NOW).toISOString() }
  expect(await look({ leases: 3, since: NOW - 6 * MINUTE })).toEqual(late)
  expect(await look({ leases: 3, since: NOW - 5 * MINUTE }, NOW + MINUTE)).toEqual(late)
  // What cannot be read is told by the ledger's own part, and hides nothing here.
  expect(await look(null)).toEqual(late)
  expect(await look({ leases: 0, since: null })).toEqual({ state: "ok" })
  expect(events).toEqual([
    { event: "leases.overdue", detail: reason },
    { event: "leases.in_time", detail: "all leases that are over have ended" },
  ])
})

it("is degraded while a vendor has revoked nothing for five minutes, and names no connection", async () => {
  const { look, failing } = watching()
  failing.push({ connection: "vault-prod", forMs: 7 * MINUTE }, { connection: "github", forMs: MINUTE })
  expect(await look({ leases: 0, since: null })).toMatchObject({
    state: "degraded",
    reason: "the vendors of 1 connections revoke nothing, since 7 minutes: see revocation.failed in the log",
  })
})
