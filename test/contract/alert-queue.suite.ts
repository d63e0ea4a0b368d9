import { describe, expect, it } from "vitest"
import type { AlertQueue, QueuedAlert } from "../../broker/ports/alert-queue.ts"
import type { Marks } from "../../broker/ports/marks.ts"

export interface Outbound {
  readonly queue: AlertQueue
  readonly marks: Marks
}

/** What every store's queue of alerts must do. `open` gives an empty one. */
export function describeAlertQueue(name: string, open: () => Promise<Outbound>): void {
  const message = (id: string, endpoint = "ops"): QueuedAlert => ({
    id,
    endpoint,
    type: "alert.test",
    body: `{"${id}":"ü"}`,
  })

  describe(`the queue of alerts in ${name}`, () => {
    it("hands out each message once until its time is over, oldest first, and counts its attempts", async () => {
      const { queue } = await open()
      await queue.add([message("b")], 1000)
      await queue.add([message("a"), message("a", "pager")], 2000)
      expect(await queue.nextDue()).toBe(1000)
      expect(await queue.take(999, 60_000, 10)).toEqual([])
      expect(await queue.take(2000, 60_000, 1)).toEqual([{ ...message("b"), attempts: 0, queuedAt: 1000 }])
      expect((await queue.take(2000, 60_000, 10)).map(({ id, endpoint }) => `${endpoint} ${id}`).sort()).toEqual([
        "ops a",
        "pager a",
      ])
      expect(await queue.take(59_999, 60_000, 10)).toEqual([])
      // Whoever took them died: they are due again.
      expect((await queue.take(60_000, 90_000, 10)).map(({ attempts }) => attempts)).toEqual([1, 1, 1])
    })

    it("knows an id again, also after its delivery, until it is forgotten", async () => {
      const { queue } = await open()
      await queue.add([message("a")], 0)
      await queue.add([message("a")], 5)
      expect(await queue.take(10, 1000, 10)).toHaveLength(1)
      await queue.close(message("a"), 5000)
      await queue.add([message("a")], 1000)
      expect(await queue.take(1000, 2000, 10)).toEqual([])
      expect(await queue.nextDue()).toBeNull()
      expect(await queue.take(5000, 6000, 10)).toEqual([])
      await queue.add([message("a")], 5000)
      expect(await queue.take(5000, 6000, 10)).toHaveLength(1)
    })

    it("puts off a message, and closes all of an endpoint and of no other", async () => {
      const { queue } = await open()
      await queue.add([message("a"), message("b"), message("a", "pager")], 0)
      await queue.take(0, 100, 10)
      await queue.retry(message("b"), 7000)
      expect([...(await queue.waiting())].sort()).toEqual([
        ["ops", 2],
        ["pager", 1],
      ])
      expect((await queue.take(6999, 10_000, 10)).map(({ id }) => id)).toEqual(["a", "a"])
      expect(await queue.closeAll("ops", 50_000)).toBe(2)
      expect([...(await queue.waiting())]).toEqual([["pager", 1]])
      // A message that was closed meanwhile stays closed.
      await queue.retry(message("b"), 1)
      expect(await queue.take(9000, 10_000, 10)).toEqual([])
    })

    it("keeps what is known of an endpoint, and marks", async () => {
      const { queue, marks } = await open()
      const state = { url: "https://a.example/", offSince: 1, failingSince: null, deliveredAt: 5, lastFailure: "410" }
      expect(await queue.endpoint("ops")).toBeNull()
      await queue.noteEndpoint("ops", { ...state, offSince: null })
      await queue.noteEndpoint("ops", state)
      expect(await queue.endpoint("ops")).toEqual(state)
      expect(await marks.read("x")).toBeNull()
      await marks.write("x", "1")
      await marks.write("x", "2")
      expect(await marks.read("x")).toBe("2")
    })
  })
}
