import { describe, expect, test } from "vitest"
import { ActionError } from "../../action/failure.ts"
import { type Deadline, spreadFirstCall, startDeadline, type Waiting, withRetries } from "../../action/retry.ts"

const JOBS = 256
const ANSWERS_A_SECOND = 20
const ANSWER_MS = 50

/** A time that passes only while every job waits. */
function timeline() {
  let time = 0
  const sleepers: { readonly at: number; wake(): void }[] = []
  return {
    now: () => time,
    sleep: (milliseconds: number) =>
      new Promise<void>((wake) => void sleepers.push({ at: time + Math.max(0, milliseconds), wake })),
    async pass() {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        if (sleepers.length === 0) return
        sleepers.sort((a, b) => a.at - b.at)
        const next = sleepers.shift()
        time = next?.at ?? time
        next?.wake()
      }
    },
  }
}

/** Numbers as of `Math.random`, the same in every run (a linear congruential generator). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

type Time = ReturnType<typeof timeline>
type Broker = (time: Time, deadline: Deadline) => Promise<void>

const refused = (retryAfterSeconds: number | null) =>
  new ActionError("broker_failing", "429", {
    retry: { pace: "patient", ...(retryAfterSeconds !== null && { afterMs: retryAfterSeconds * 1_000 }) },
  })

/** Answers the first twenty of each second, and refuses the others. */
function windowed(retryAfterSeconds: number | null): Broker {
  const answered = new Map<number, number>()
  return async (time) => {
    await time.sleep(ANSWER_MS)
    const second = Math.floor(time.now() / 1_000)
    const count = answered.get(second) ?? 0
    if (count >= ANSWERS_A_SECOND) throw refused(retryAfterSeconds)
    answered.set(second, count + 1)
  }
}

/** Has room for one answer every 50 ms, and refuses what comes in between: no burst at all. */
function paced(retryAfterSeconds: number | null): Broker {
  let freeAt = 0
  return async (time) => {
    if (time.now() < freeAt) throw refused(retryAfterSeconds)
    freeAt = time.now() + 1_000 / ANSWERS_A_SECOND
    await time.sleep(ANSWER_MS)
  }
}

/** Refuses none, and lets them wait for their turn. A caller that hangs up has used its turn for nothing. */
function queueing(): Broker {
  let freeAt = 0
  return async (time, deadline) => {
    const limit = deadline.attemptMs()
    freeAt = Math.max(freeAt, time.now()) + 1_000 / ANSWERS_A_SECOND
    const wait = freeAt - time.now()
    await time.sleep(Math.min(wait, limit))
    if (wait > limit) throw new ActionError("broker_timeout", "timeout", { retry: { pace: "patient" } })
  }
}

/** How many of the jobs got through, and when the last one did. */
async function herd(broker: Broker, { startWithinMs = 0, timeoutMs = 60_000, seed = 1, matrix = JOBS } = {}) {
  const time = timeline()
  const random = randomFrom(seed)
  let through = 0
  let ended = 0
  const job = async () => {
    await time.sleep(random() * startWithinMs)
    const waiting: Waiting = { now: time.now, sleep: time.sleep, random, log: () => {} }
    const deadline = startDeadline(timeoutMs, waiting)
    await spreadFirstCall(matrix, deadline, waiting)
    await withRetries(deadline, () => broker(time, deadline), waiting)
    through++
    ended = time.now()
  }
  const all = Promise.allSettled(Array.from({ length: JOBS }, job))
  await time.pass()
  await all
  return { through, ended }
}

describe(`${JOBS} jobs that start together all get through a broker that answers ${ANSWERS_A_SECOND} a second`, () => {
  const retryAfters = [null, 1, 2, 5, 10, 20, 30]
  test.each(retryAfters)("and says Retry-After: %s to the others", async (retryAfter) => {
    for (const seed of [1, 2, 3]) {
      for (const startWithinMs of [0, 300, 2_000]) {
        const { through, ended } = await herd(windowed(retryAfter), { seed, startWithinMs })
        expect([through, ended <= 62_000]).toEqual([JOBS, true])
      }
    }
  })

  test.each(retryAfters)("and is not known to be a matrix, with Retry-After: %s", async (retryAfter) => {
    for (const seed of [1, 2, 3]) expect((await herd(windowed(retryAfter), { seed, matrix: 1 })).through).toBe(JOBS)
  })

  test("and lets them wait in a queue", async () => {
    for (const seed of [1, 2, 3]) expect((await herd(queueing(), { seed })).through).toBe(JOBS)
  })

  test.each([null, 1, 5])("and has no burst at all, within 5m, with Retry-After: %s", async (retryAfter) => {
    expect((await herd(paced(retryAfter), { timeoutMs: 300_000 })).through).toBe(JOBS)
  })

  test("and asks for two minutes, within 10m", async () => {
    expect((await herd(windowed(120), { timeoutMs: 600_000 })).through).toBe(JOBS)
  })
})

test("a herd that is too large for its timeout fails in part, so the model can fail", async () => {
  const { through } = await herd(windowed(1), { timeoutMs: 8_000 })
  expect(through).toBeGreaterThan(100)
  expect(through).toBeLessThan(JOBS)
})

describe("the first call", () => {
  async function pauseOf(jobs: number, random: number, timeoutMs = 60_000) {
    const pauses: number[] = []
    const logged: string[] = []
    const waiting: Waiting = {
      now: () => 0,
      random: () => random,
      log: (text) => void logged.push(text),
      sleep: async (milliseconds) => void pauses.push(milliseconds),
    }
    await spreadFirstCall(jobs, startDeadline(timeoutMs, waiting), waiting)
    return { pauses, logged }
  }

  test("of a job alone or in a small matrix does not wait", async () => {
    for (const jobs of [1, 2, 20]) expect(await pauseOf(jobs, 1)).toEqual({ pauses: [], logged: [] })
  })

  test("of a large matrix is spread over 20 ms a job, and a quarter of the timeout at most", async () => {
    expect((await pauseOf(21, 1)).pauses).toEqual([420])
    expect((await pauseOf(256, 0.5)).pauses).toEqual([2_560])
    expect((await pauseOf(256, 1, 4_000)).pauses).toEqual([1_000])
  })

  test("says why it waits", async () => {
    expect((await pauseOf(256, 0.5)).logged).toEqual([
      "Waiting 2.6 s, because 256 jobs of this matrix can start together.",
    ])
  })
})
