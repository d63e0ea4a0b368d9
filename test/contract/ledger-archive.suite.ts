import { describe, expect, test } from "vitest"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import { canonicalJson } from "../../broker/core/canonical-json.ts"
import type { ArchiveOrder } from "../../broker/ports/ledger.ts"
import { verifyChain } from "../support/verify-chain.ts"
import { ISSUER, type LedgerHands } from "./ledger-hands.ts"
import { denial, HOUR, NOW, record } from "./ledger-samples.ts"

const DAY = 24 * HOUR

/** What every ledger must do when its oldest records leave. */
export function whatIsArchived(hands: LedgerHands): void {
  const { ledger, trail, events, repository, restart } = hands
  /** Records, one on each of these days. */
  const recorded = async (...days: readonly number[]) => {
    for (const day of days) await ledger().append(record("lease.closed", null, day * DAY))
  }
  const order = (upTo: number, day: number, before = day): ArchiveOrder => ({
    ...{ upTo, edge: `edge ${upTo}`, before: NOW + before * DAY, now: NOW + day * DAY },
    audit: { ...record("records.archived", null, day * DAY), reason: "old" },
  })
  const archive = (upTo: number, day: number, before?: number) => ledger().archive(order(upTo, day, before))
  const seqs = async () => (await trail()).map(({ record: { seq } }) => seq)

  describe("archiving", () => {
    test("takes the oldest records, says so in the record, and the chain goes on", async () => {
      expect(await ledger().archived()).toBeNull()
      await ledger().admit(denial("token"))
      await recorded(1, 2, 3, 4)
      const [, second] = await trail()
      expect(await archive(2, 100)).toBe(true)
      expect(await ledger().archived()).toEqual({ seq: 2, chain: second?.chain, edge: "edge 2" })
      await restart()
      expect(await archive(4, 100)).toBe(true)
      expect(await ledger().archived()).toMatchObject({ seq: 4, edge: "edge 4" })
      await recorded(101)
      expect(await seqs()).toEqual([5, 6, 7, 8])
      expect((await trail()).map(({ record: { reason } }) => reason)[1]).toBe(
        `old: records 1 to 2, chain ${second?.chain}`,
      )
      expect((await ledger().auditTrail(2, 2)).map(({ record: { seq } }) => seq)).toEqual([5, 6])

      const writer = new ExportWriter()
      const cut = await ledger().archived()
      const left = await trail()
      const last = left.at(-1)
      const lines = [
        writer.ledger({ issuer: ISSUER, unit_id: repository() }),
        writer.from({ seq: cut?.seq ?? 0, chain: cut?.chain ?? "" }),
        ...left.map(({ record: one, leaf, chain }) => {
          const text = canonicalJson(one)
          return writer.record({ text: text.ok ? text.value : "", leaf, chain })
        }),
        writer.head({ seq: last?.record.seq ?? 0, chain: last?.chain ?? "" }),
        writer.end(),
      ]
      const file = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))
      expect(verifyChain([file])).toMatchObject({ ok: true, ledgers: [{ after: 4, seq: 8 }] })
      // What protects against a second use is no record.
      expect(await ledger().admit(denial("token"))).toEqual({ outcome: "already-used" })
    })

    test("never takes the last record, nor what has left, nor anything of a ledger without records", async () => {
      expect(await archive(1, 100)).toBe(false)
      await recorded(1, 2, 3)
      expect([await archive(0, 100), await archive(3, 100), await archive(9, 100)]).toEqual([false, false, false])
      expect(await archive(2, 100)).toBe(true)
      expect([await archive(1, 100), await archive(2, 100)]).toEqual([false, false])
      expect(await seqs()).toEqual([3, 4])
    })

    test("takes none when one of them is young, wherever it is", async () => {
      // The third was made by a clock that was right, the others by one that was behind.
      await recorded(1, 2, 50, 3, 4)
      expect(await archive(4, 60, 40)).toBe(false)
      expect(await archive(2, 60, 2)).toBe(false)
      expect(await seqs()).toEqual([1, 2, 3, 4, 5])
      expect(await archive(2, 60, 40)).toBe(true)
    })

    test("takes thirty days of records in a day, however late a clock says that it is", async () => {
      await recorded(0, 10, 29, 31, 61, 62)
      expect(await archive(4, 400)).toBe(false)
      expect(await archive(2, 400)).toBe(true)
      expect(await archive(3, 400.5)).toBe(true)
      expect(await archive(4, 400.9)).toBe(false)
      expect(await seqs()).toEqual([4, 5, 6, 7, 8])
      // The clock is right again: a day has begun anew.
      expect(await archive(4, 63)).toBe(true)
      expect(await seqs()).toEqual([5, 6, 7, 8, 9])
    })

    test("does one of two orders that come at the same time", async () => {
      await recorded(1, 2, 3, 4)
      const outcomes = await Promise.all([archive(2, 100), archive(3, 100), archive(2, 100)])
      expect(outcomes.filter((done) => done).length).toBeGreaterThan(0)
      const cut = await ledger().archived()
      const [first] = await trail()
      expect(first?.record.seq).toBe((cut?.seq ?? 0) + 1)
      const archived = (await events()).filter((event) => event === "records.archived")
      expect(archived).toHaveLength(outcomes.filter((done) => done).length)
    })
  })
}
