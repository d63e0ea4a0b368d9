import { afterEach, beforeEach, expect, test } from "vitest"
import { nodeCryptography as cryptography } from "../../../broker/adapters/node/cryptography.ts"
import { Secret } from "../../../broker/core/secret.ts"
import type { Broker } from "../../../broker/exchange/broker.ts"
import { handleContext } from "../../../broker/exchange/lease.ts"
import { keepOwnKeys } from "../../../broker/operate/keys.ts"
import { walkHandles } from "../../../broker/operate/sealed-handles.ts"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { stateOf } from "../../../broker/signing/key-states.ts"
import { createSealer, type Sealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"
import { admission, minted, NOW, revocable } from "../../contract/ledger-samples.ts"
import { TestClock } from "../../support/clock.ts"
import { makeDatabase, type TestDatabase } from "./database.ts"

// Two brokers of one database, whose deployment key is changed and whose signing key is due.

const ISSUER = "https://issuer.example"
const URL_OF_BROKER = "https://broker.example"
const DAY = 24 * 3600
const kek = (first: number) => new Secret(Uint8Array.from({ length: 32 }, (_, index) => first + index))

let database: TestDatabase
let stores: readonly [NodeStore, NodeStore]
beforeEach(async () => {
  database = await makeDatabase()
  stores = await Promise.all([database.open(), database.open()])
})
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await database.close()
})

function brokerOn({ ledgers, keyRing }: NodeStore, sealer: Sealer, clock: TestClock): Broker {
  const signer = createSigner({ keyRing, sealer, cryptography, clock })
  return { ledgers, sealer, signer, clock, url: URL_OF_BROKER } as unknown as Broker
}

test("two brokers of a database seal its keys anew and rotate them once, and record each attempt", async () => {
  const clock = new TestClock(NOW)
  const before = await createSealer(kek(0), URL_OF_BROKER, cryptography)
  await createSigner({ keyRing: stores[0].keyRing, sealer: before, cryptography, clock }).publicKeys()
  for (const unitId of ["1", "2"]) {
    const context = handleContext({ issuerUrl: ISSUER, unitId }, "a", "vault")
    const sealedHandle = await before.seal(new Secret("handle"), context)
    const ledger = stores[0].ledgers.of(ISSUER, unitId)
    await ledger.admit(admission("a"))
    await ledger.settle(minted("a", revocable("vault", { sealedHandle })))
  }

  const sealer = await createSealer(kek(9), URL_OF_BROKER, cryptography, kek(0))
  const brokers = stores.map((store) => brokerOn(store, sealer, clock))
  const keepAll = () =>
    Promise.all(
      brokers.map((broker, index) => keepOwnKeys(broker, { ...stores[index], rotateEverySeconds: 7 * DAY } as never)),
    )
  const states = async () => (await stores[1].keyRing.read()).keys.map((key) => stateOf(key, clock.now()))
  await keepAll()
  clock.advance(6 * DAY)
  await keepAll()
  expect(await states()).toEqual(["active", "next"])
  clock.advance(DAY)
  await keepAll()
  expect(await states()).toEqual(["retiring", "active"])
  const { keys } = await stores[0].keyRing.read()
  expect(keys.map(({ sealedPrivateKey }) => sealer.sealedUnder(sealedPrivateKey))).toEqual(["current", "current"])

  const trail = await stores[0].ledgers.of(URL_OF_BROKER, "broker").auditTrail(0, 100)
  const reasons = trail.map(({ record }) => record.reason)
  const lost = reasons.filter((reason) => reason.startsWith("not done"))
  // Of each change, one is done; another broker's attempt is recorded as not done.
  expect(reasons.length - 2 * lost.length).toBe(3)

  const directory = {
    list: async () => ({ ledgers: ["1", "2"].map((unitId) => ({ issuerUrl: ISSUER, unitId })), next: null }),
  }
  const parts = { ledgers: stores[1].ledgers, sealer, clock, directory } as never
  expect(await walkHandles(parts, null, true)).toMatchObject({ resealed: 2, handles: { current: 2, previous: 0 } })
  expect(await walkHandles(parts, null, false)).toMatchObject({ handles: { current: 2, previous: 0, other: 0 } })
})
