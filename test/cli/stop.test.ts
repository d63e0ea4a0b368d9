import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { EndLeasesAnswer } from "../../broker/wire/stops.ts"
import type { OperatorClient, OperatorRequest } from "../../cli/operate/client.ts"
import { endLeases } from "../../cli/operate/end-leases.ts"
import { runCli } from "./run-cli.ts"

describe("daypass stop and resume", () => {
  test.each([
    [["stop"], "WHAT is missing"],
    [["stop", "everything", "--reason", "x"], "WHAT must be one of all, issuer, owner"],
    [["stop", "all"], "--reason is required"],
    [["stop", "all", "--reason", " "], "--reason is required"],
    [["stop", "all", "acme", "--reason", "x"], "too many names"],
    [["stop", "unit", "--reason", "x"], "name the unit"],
    [["stop", "unit", "a", "b", "--reason", "x"], "too many arguments"],
    [["stop", "unit", "a", "--unit", "b", "--reason", "x"], "--unit goes with grant only"],
    [["stop", "list", "--reason", "x"], "stop list takes"],
    [["resume", "all"], "--reason is required"],
    [["resume", "all", "--reason", "x", "--revoke"], "there is no option"],
  ])("refuse %j before anybody is asked", async (args, says) => {
    const { code, err } = await runCli(...args)
    expect([code, err]).toEqual([2, expect.stringContaining(says)])
  })
})

describe("daypass stop --revoke", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "performance"] }))
  afterEach(() => void vi.useRealTimers())

  const answer = (changes: Partial<EndLeasesAnswer> = {}): EndLeasesAnswer => ({
    ...{ ended: 0, revoking: 0, under_way: 0, unreached: 0, next: null },
    expiring: { leases: 0, until: null },
    ...changes,
  })
  /** A broker that gives these answers, the last one for ever. */
  function ending(answers: readonly EndLeasesAnswer[]) {
    const asked: OperatorRequest[] = []
    const client = {
      call: async (request: OperatorRequest) => {
        asked.push(request)
        const given = answers[Math.min(asked.length, answers.length) - 1]
        return { status: 200, mediaType: "application/json", body: Buffer.from(JSON.stringify(given)) }
      },
    } as unknown as OperatorClient
    const said: string[] = []
    let force = () => {}
    const isForced = new Promise<void>((resolve) => {
      force = resolve
    })
    const wanted = { target: { on: "all" }, reason: "why", since: "2026-11-22T12:00:00.000Z", isForced } as const
    const io = { err: (text: string) => void said.push(text) } as Parameters<typeof endLeases>[2]
    return { asked, said, force: () => force(), run: () => endLeases(client, wanted, io) }
  }

  test("goes through all parts, and waits until what it ended is over and the stop is in force everywhere", async () => {
    const until = "2026-11-22T13:00:00.000Z"
    const { asked, said, force, run } = ending([
      answer({ ended: 2, next: "1" }),
      answer({ ended: 1, under_way: 1, expiring: { leases: 1, until } }),
      answer({ revoking: 1 }),
      answer({ expiring: { leases: 2, until } }),
    ])
    const running = run()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked.map(({ json }) => (json as { after?: string }).after)).toEqual([undefined, "1"])
    await vi.advanceTimersByTimeAsync(10_000)
    // Nothing is left, but an exchange of the last moment may come.
    expect(asked).toHaveLength(4)
    force()
    await vi.advanceTimersByTimeAsync(5000)
    expect(await running).toEqual({ ended: 3, left: 0, expiring: { leases: 2, until } })
    expect(said).toEqual(["3 leases being revoked, 1 exchange under way", "1 lease being revoked"])
  })

  test("says after two and a half minutes what is left", async () => {
    const { asked, force, run } = ending([answer({ revoking: 4, unreached: 1 })])
    force()
    const running = run()
    await vi.advanceTimersByTimeAsync(155_000)
    expect(await running).toMatchObject({ ended: 0, left: 5 })
    expect(asked.length).toBeLessThan(35)
  })
})
