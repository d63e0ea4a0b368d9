import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { Secret } from "../../../broker/core/secret.ts"
import type { StoredKeys } from "../../../broker/ports/key-ring.ts"
import { createKeyHealth } from "../../../broker/signing/key-health.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"

const kek = (first: number) => new Secret(Uint8Array.from({ length: 32 }, (_, index) => first + index))
const EMPTY: StoredKeys = { version: 0, keys: [] }
const STARTED = Date.parse("2026-11-22T12:00:00.000Z")

/** A ring with one key of the deployment `broker.example`, under the first KEK. */
async function fullRing(): Promise<StoredKeys> {
  let stored = EMPTY
  const keyRing = {
    read: async () => stored,
    replace: async (version: number, keys: StoredKeys["keys"]) => {
      stored = { version: version + 1, keys }
      return true
    },
  }
  const sealer = await createSealer(kek(0), "https://broker.example", cryptography)
  await createSigner({ keyRing, sealer, cryptography, clock: new TestClock(STARTED) }).publicKeys()
  return stored
}

async function world(
  ring: () => Promise<StoredKeys>,
  sealedBy = kek(0),
  deployment = "https://broker.example",
  previous?: ReturnType<typeof kek>,
) {
  const clock = new TestClock(STARTED)
  const events: unknown[] = []
  let reads = 0
  const keyRing = {
    read: () => {
      reads++
      return ring()
    },
    replace: () => Promise.reject(new Error("a look changes nothing")),
  }
  const sealer = await createSealer(sealedBy, deployment, cryptography, previous)
  const health = createKeyHealth({ keyRing, sealer, clock, log: (event) => void events.push(event) })
  return { clock, events, health, reads: () => reads }
}

describe("the health of the signing keys", () => {
  it("is ok while the active key opens, and while there is none yet", async () => {
    const full = await fullRing()
    for (const ring of [full, EMPTY]) {
      const { health, events } = await world(async () => ring)
      expect(await health.look()).toEqual({ state: "ok" })
      expect(events).toEqual([])
    }
  })

  it("tells while there is a previous KEK how many signing keys are still sealed under it", async () => {
    const full = await fullRing()
    const { health } = await world(async () => full, kek(1), undefined, kek(0))
    expect(await health.look()).toEqual({
      state: "ok",
      note: expect.stringMatching(/^DAYPASS_KEK_PREVIOUS is set: 1 signing keys/),
    })
  })

  it.each<[string, Parameters<typeof world>[1], string | undefined, RegExp]>([
    ["another KEK", kek(1), undefined, /under another DAYPASS_KEK/],
    ["another URL", kek(0), "https://elsewhere.example", /another deployment.*set DAYPASS_DEPLOYMENT/],
  ])(
    "is unavailable with %s, says what to do, and is told once in the log",
    async (_, sealedBy, deployment, reason) => {
      const full = await fullRing()
      const { health, events, clock } = await world(async () => full, sealedBy, deployment)
      for (let look = 0; look < 3; look++) {
        expect(await health.look()).toEqual({
          state: "unavailable",
          reason: expect.stringMatching(reason),
          since: "2026-11-22T12:00:00.000Z",
        })
        clock.advance(11)
      }
      expect(events).toEqual([{ event: "keys.unusable", detail: expect.stringMatching(reason) }])
    },
  )

  it("is unavailable while the ring cannot be read, and ok again when it can", async () => {
    const full = await fullRing()
    let down: Error | null = new BrokerError("ledger_unavailable", "the ledger cannot be reached")
    const { health, events, clock } = await world(async () => {
      if (down) throw down
      return full
    })
    expect(await health.look()).toMatchObject({ state: "unavailable", reason: expect.stringContaining("reached") })
    clock.advance(11)
    down = new Error("the driver's words, with a secret")
    expect(await health.look()).toMatchObject({ reason: "The signing keys cannot be read: the storage failed." })
    down = null
    clock.advance(11)
    expect(await health.look()).toEqual({ state: "ok" })
    expect(events).toMatchObject([{ event: "keys.unusable" }, { event: "keys.unusable" }, { event: "keys.usable" }])
  })

  it("is read at most every ten seconds, whatever the wall clock is set to", async () => {
    const full = await fullRing()
    const { health, clock, reads } = await world(async () => full)
    for (let look = 0; look < 5; look++) {
      await health.look()
      clock.jump(look % 2 === 0 ? 10_800 : -10_800)
    }
    expect(reads()).toBe(1)
    clock.advance(10)
    await health.look()
    expect(reads()).toBe(2)
  })
})
