import { describe, expect, test } from "vitest"
import { ActionError, type Retry } from "../../action/failure.ts"
import { startDeadline, type Waiting, withRetries } from "../../action/retry.ts"

/** A clock that moves only during sleeps and attempts. */
function story(options: {
  readonly random?: number
  readonly attemptTakesMs?: number
  readonly totalMs?: number
  readonly failures: readonly (Retry | null)[]
}) {
  let time = 0
  const starts: number[] = []
  const waiting: Waiting = {
    now: () => time,
    random: () => options.random ?? 1,
    log: () => {},
    sleep: async (milliseconds) => {
      time += milliseconds
    },
  }
  const deadline = startDeadline(options.totalMs ?? 30_000, waiting)
  const attempt = async () => {
    starts.push(time)
    const failure = options.failures[Math.min(starts.length, options.failures.length) - 1]
    time += Math.min(options.attemptTakesMs ?? 0, deadline.attemptMs())
    if (failure === null) return "worked"
    throw new ActionError("broker_failing", `failure ${starts.length}`, failure && { retry: failure })
  }
  const result = withRetries(deadline, attempt, waiting).then(String, (error: Error) => error.message)
  return result.then((outcome) => ({ outcome, starts, ended: time }))
}

describe("a retry", () => {
  test("is not made when it cannot help", async () => {
    const waiting: Waiting = {
      now: () => 0,
      random: () => 0,
      log: () => {},
      sleep: () => Promise.reject(new Error("slept")),
    }
    const fails = () => Promise.reject(new ActionError("not_allowed", "no"))
    await expect(withRetries(startDeadline(30_000, waiting), fails, waiting)).rejects.toThrow("no")
  })

  test("is made at most twice and within a second when the failure looks permanent", async () => {
    const { outcome, starts, ended } = await story({ failures: [{ pace: "quick" }] })
    expect(outcome).toBe("failure 3")
    expect(starts).toHaveLength(3)
    expect(ended).toBeLessThan(1_000)
  })

  test("backs off, up to eight seconds at a time, as long as the deadline leaves room for an attempt", async () => {
    const { starts, ended } = await story({ failures: [{ pace: "patient" }] })
    expect(starts).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 23_500, 27_000])
    expect(ended).toBeLessThan(30_000)
  })

  test("has full jitter", async () => {
    const { starts } = await story({ random: 0, failures: [{ pace: "patient" }, { pace: "patient" }, null] })
    expect(starts).toEqual([0, 0, 0])
  })

  test("waits at least as long as Retry-After says", async () => {
    const { starts } = await story({ random: 0, failures: [{ pace: "patient", afterMs: 7_000 }, null] })
    expect(starts).toEqual([0, 7_000])
  })

  test("has a jitter as long as the Retry-After, because a whole herd gets the same one", async () => {
    const failures = [{ pace: "patient", afterMs: 10_000 }, null] as const
    expect((await story({ random: 0.5, failures })).starts).toEqual([0, 15_000])
    expect((await story({ random: 1, failures, totalMs: 60_000 })).starts).toEqual([0, 20_000])
  })

  test("scales the jitter down to the time left", async () => {
    const { starts } = await story({ random: 0.5, failures: [{ pace: "patient", afterMs: 20_000 }, null] })
    expect(starts).toEqual([0, 23_500])
  })

  test("shortens the jitter after a Retry-After that just fits, and leaves time for the attempt", async () => {
    const { starts, outcome } = await story({ random: 1, failures: [{ pace: "patient", afterMs: 26_900 }, null] })
    expect([starts, outcome]).toEqual([[0, 27_000], "worked"])
  })

  test("is not made when Retry-After leaves no time for the attempt", async () => {
    const { starts, ended } = await story({ random: 0, failures: [{ pace: "patient", afterMs: 27_000 }] })
    expect([starts, ended]).toEqual([[0], 0])
  })

  test("is not made when Retry-After ends after the deadline", async () => {
    const { starts, ended } = await story({ failures: [{ pace: "patient", afterMs: 3_600_000 }] })
    expect([starts, ended]).toEqual([[0], 0])
  })
})

test("nothing runs longer than the deadline, and a call that hangs leaves time for another", async () => {
  const { starts, ended, outcome } = await story({ random: 0, attemptTakesMs: 60_000, failures: [{ pace: "patient" }] })
  expect([starts, ended, outcome]).toEqual([[0, 15_000], 30_000, "failure 2"])
})

test("a call takes at most half of a short deadline, and fifteen seconds of a long one", () => {
  const waiting: Waiting = { now: () => 0, random: () => 0, log: () => {}, sleep: async () => {} }
  expect([4_000, 15_000, 60_000, 600_000].map((total) => startDeadline(total, waiting).attemptMs())).toEqual([
    2_000, 7_500, 15_000, 15_000,
  ])
})
