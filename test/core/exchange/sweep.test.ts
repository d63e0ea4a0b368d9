import { describe, expect, it, vi } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { handleContext } from "../../../broker/exchange/lease.ts"
import { Sweep } from "../../../broker/exchange/sweep.ts"
import { createVendorPace } from "../../../broker/exchange/vendor-pace.ts"
import type { DueLease, SweptLedger } from "../../../broker/ports/ledger.ts"
import type { WaitUntil } from "../../../broker/ports/sweeping.ts"
import { IDENTITY, world } from "./world.ts"

type Answer = () => Promise<void>

/** A broker whose clock the test moves, and whose connections answer as the test says. */
async function sweeping(answers: Readonly<Record<string, Answer>>, callsAtOnce?: number) {
  const { broker: plain, events } = await world({ grants: { one: "mints" } })
  let elapsed = 0
  const clock = { now: () => new Date(1_800_000_000_000 + elapsed), elapsed: () => elapsed }
  const asked: string[] = []
  const settled: string[] = []
  const postponed = new Map<string, number>()
  const staged = plain.providers.get("staged")
  if (!staged) throw new Error("the world has no provider")
  const provider = {
    ...staged,
    async revoke(handle: Secret<string>, connection: string) {
      asked.push(handle.reveal())
      await answers[connection]?.()
    },
  }
  const log = (event: unknown) => void events.push(event)
  const broker = {
    ...plain,
    clock,
    log,
    pace: createVendorPace(clock, log),
    providers: new Map([["staged", provider]]),
    ...(callsAtOnce === undefined ? {} : { callsAtOnce }),
  }
  const whose = { issuerUrl: IDENTITY.issuerUrl, unitId: IDENTITY.unitId }
  const sealed = new Map<string, string>()
  const leaseAt = async (connection: string, index: number): Promise<DueLease> => {
    const lease = `${connection} ${index}`
    const place = handleContext(whose, lease, "one")
    const sealedHandle = sealed.get(lease) ?? (await broker.sealer.seal(new Secret(lease), place))
    sealed.set(lease, sealedHandle)
    const ends = { expiresAt: null, grantedUntil: 0, ended: null, revocation: "revocable" as const }
    return { lease, credentials: [{ grant: "one", connection, provider: "staged", sealedHandle, ...ends }] }
  }
  /** One visit that finds so many leases of each connection due, those of the first connection first. */
  const sweep = new Sweep(broker)
  const visit = async (due: Readonly<Record<string, number>>) => {
    const leases: DueLease[] = []
    for (const [connection, count] of Object.entries(due)) {
      for (let index = 0; index < count; index++) leases.push(await leaseAt(connection, index))
    }
    const takeDue = async (now: number, _: number, waitUntil: WaitUntil = () => null) =>
      leases.filter(({ lease }) => {
        const until = waitUntil(lease.split(" ")[0] ?? "")
        if (until !== null) postponed.set(lease, until - now)
        return until === null
      })
    const settleRevocation: SweptLedger["settleRevocation"] = async ({ lease, outcomes }) => {
      settled.push(`${lease}: ${outcomes["one"]}`)
    }
    return await sweep.visit({ ...whose, ledger: { takeDue, settleRevocation } as unknown as SweptLedger }, 1000)
  }
  const pass = (ms: number) => {
    elapsed += ms
  }
  return { sweep, visit, pass, asked, settled, postponed, events }
}

const works = async () => {}
const fails =
  (code: "provider_unavailable" | "provider_throttled" | "provider_denied", seconds?: number) => async () => {
    throw new BrokerError(code, "A sentence.", seconds === undefined ? {} : { retryAfterSeconds: seconds })
  }
const never = () => new Promise<void>(() => {})
const turns = () => new Promise((resolve) => setTimeout(resolve, 20))

describe("a sweep", () => {
  it("asks one vendor at most sixteen times at once, and with one connection less than an alarm has", async () => {
    for (const [callsAtOnce, expected] of [
      [undefined, 16],
      [6, 5],
    ] as const) {
      const { visit, asked } = await sweeping({ dead: never }, callsAtOnce)
      await visit({ dead: 20 })
      await vi.waitFor(() => expect(asked).toHaveLength(expected))
      await turns()
      expect(asked).toHaveLength(expected)
    }
  })

  it("revokes everything at a vendor that works, while one that answers nothing holds up only its own", async () => {
    const { sweep, visit, pass, settled, postponed } = await sweeping({ dead: never, good: works })
    await visit({ dead: 220, good: 20 })
    await vi.waitFor(() => expect(settled).toHaveLength(20))
    // What a second of the vendor's time cannot do stays in the ledger, each lease for its own time.
    expect([...postponed.keys()].every((lease) => lease.startsWith("dead"))).toBe(true)
    expect(postponed.size).toBeGreaterThan(40)
    expect(new Set(postponed.values()).size).toBe(postponed.size)
    expect(sweep.hasPostponed()).toBe(true)
    pass(Math.max(...postponed.values()))
    expect(sweep.hasPostponed()).toBe(false)
  })

  it("leaves a vendor that throttles alone for the time that it names, and no other", async () => {
    const { sweep, visit, pass, asked, settled, postponed, events } = await sweeping({
      busy: fails("provider_throttled", 40),
      good: works,
    })
    await visit({ busy: 1 })
    await sweep.ended()
    expect(settled).toEqual(["busy 0: failed"])
    expect(events).toContainEqual({
      event: "revocations.paused",
      detail: "the vendor throttles: the sweep asks again in 40 s",
      connection: "busy",
    })
    await visit({ busy: 50, good: 50 })
    await sweep.ended()
    expect(asked).toHaveLength(51)
    expect(new Set(postponed.values())).toEqual(new Set([40_000]))
    pass(40_000)
    await visit({ busy: 1 })
    await sweep.ended()
    expect(asked).toHaveLength(52)
  })

  it("leaves a vendor alone after three failures in a row, twice as long each time, and at most five minutes", async () => {
    const { sweep, visit, pass, asked, settled, postponed } = await sweeping({ down: fails("provider_unavailable") })
    const pauses: number[] = []
    for (let round = 0; round < 7; round++) {
      await visit({ down: 40 })
      await sweep.ended()
      await visit({ down: 1 })
      pauses.push(postponed.get("down 0") ?? Number.NaN)
      pass(pauses.at(-1) ?? 0)
    }
    expect(pauses).toEqual([15, 30, 60, 120, 240, 300, 300].map((seconds) => seconds * 1000))
    // Of forty, only those that were under way were asked. The others were not tried, and nothing is recorded of them.
    expect(asked.length).toBeLessThanOrEqual(7 * 16)
    expect(settled).toHaveLength(asked.length)
  })

  it("does not blame a vendor for a credential that it refuses to revoke", async () => {
    const { sweep, visit, asked, settled } = await sweeping({ strict: fails("provider_denied") })
    await visit({ strict: 50 })
    await sweep.ended()
    expect([asked.length, settled.length]).toEqual([50, 50])
  })

  it("begins no revocation that could run into the next attempt", async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { sweep, visit, pass, asked, settled } = await sweeping({ slow: () => held })
    await visit({ slow: 20 })
    await vi.waitFor(() => expect(asked).toHaveLength(16))
    pass(41_000)
    release()
    await sweep.ended()
    expect([asked.length, settled.length]).toEqual([16, 16])
  })
})
