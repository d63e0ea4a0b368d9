import { describe, expect, it } from "vitest"
import { cookieOf, setCookie } from "../../../broker/console/cookies.ts"
import { openSession, sealSession } from "../../../broker/console/session.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { OperatorScope } from "../../../broker/core/operator-rights.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { createOperators } from "../../../broker/operate/operator.ts"
import type { KeyRing, StoredKeys } from "../../../broker/ports/key-ring.ts"
import { operatorTokenClaims } from "../../../broker/signing/operator-token.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { job } from "../job.ts"

const URL = "https://daypass.example.com"
const sealer = await createSealer(new Secret(new Uint8Array(32)), URL, cryptography)

async function world(scope: OperatorScope = { units: ["github:41"] }) {
  const clock = new TestClock(Date.parse("2026-11-22T12:00:00.000Z"))
  const keyRing = memoryKeyRing()
  const signer = createSigner({ keyRing, sealer, cryptography, clock })
  const operators = createOperators({ url: URL, signer, cryptography, clock })
  const claims = operatorTokenClaims({
    ...{
      issuer: URL,
      identity: job(),
      grant: "operator",
      may: ["audit.read"],
      scope,
      ttlSeconds: 900,
      now: clock.now(),
    },
    ...{ lease: "01a228b8-2bb8-7611-b26b-e3159fbee375", holder: "a key that is gone" },
  })
  const token = (await signer.sign(claims)).reveal()
  return { clock, keyRing, services: { broker: { sealer }, operators }, session: { token, form: "a text" } }
}

/** A ring for one signer. */
function memoryKeyRing(): KeyRing & { empty(): void } {
  let stored: StoredKeys = { version: 0, keys: [] }
  return {
    read: async () => stored,
    async replace(version, keys) {
      stored = { version: version + 1, keys }
      return true
    },
    empty() {
      stored = { version: stored.version + 1, keys: [] }
    },
  }
}

describe("a session", () => {
  it("is what was sealed, until the operator token ends", async () => {
    const { services, clock, session } = await world()
    const cookie = await sealSession(session, sealer)
    const opened = { form: "a text", operator: { grant: "operator", scope: { units: ["github:41"] } } }
    expect(await openSession(cookie, services)).toMatchObject(opened)
    clock.advance(899)
    expect(await openSession(cookie, services)).toMatchObject(opened)
    clock.advance(1)
    expect(await openSession(cookie, services)).toBeNull()
  })

  it("gets no longer by a clock that is set back", async () => {
    const { services, clock, session } = await world()
    const cookie = await sealSession(session, sealer)
    clock.jump(-3600)
    expect(await openSession(cookie, services)).toBeNull()
  })

  it("is nothing that another kind of value, another deployment or a person made", async () => {
    const { services, session } = await world()
    const cookie = (await sealSession(session, sealer)) ?? ""
    const other = await createSealer(new Secret(new Uint8Array(32)), "https://other.example.com", cryptography)
    const elsewhere = await sealSession(session, other)
    const kept = await sealer.seal(new Secret("{}"), { kind: "console-sign-in", unit: "-", id: "-" })
    const odd = await sealer.seal(new Secret("{}"), { kind: "console-session", unit: "-", id: "-" })
    for (const value of [null, "", "x", `${cookie.slice(0, -2)}AA`, elsewhere, kept, odd]) {
      expect(await openSession(value, services)).toBeNull()
    }
  })

  it("is nothing that the previous deployment key sealed: somebody may have read that key, and could make sessions", async () => {
    const { services, session } = await world()
    const [old, fresh] = [new Secret(new Uint8Array(32)), new Secret(new Uint8Array(32).fill(7))]
    const changed = await createSealer(fresh, URL, cryptography, old)
    const forged = await sealSession(session, sealer)
    expect(await openSession(forged, { ...services, broker: { sealer: changed } })).toBeNull()
    expect(await openSession(await sealSession(session, changed), services)).toBeNull()
  })

  it("is nothing that the deployment key alone can make: its token must be of a signing key in the key set", async () => {
    const [mine, thiefs] = [await world(), await world()]
    expect(await openSession(await sealSession(thiefs.session, sealer), thiefs.services)).not.toBeNull()
    expect(await openSession(await sealSession(thiefs.session, sealer), mine.services)).toBeNull()
    const cookie = await sealSession(mine.session, sealer)
    mine.keyRing.empty()
    mine.clock.advance(61)
    expect(await openSession(cookie, mine.services)).toBeNull()
  })

  it("is no end of a session when the broker cannot read its keys: that is told", async () => {
    const { services, session } = await world()
    const failing = { held: () => Promise.reject(new BrokerError("ledger_unavailable", "the keys cannot be read")) }
    const cookie = await sealSession(session, sealer)
    await expect(openSession(cookie, { ...services, operators: failing })).rejects.toMatchObject({
      code: "ledger_unavailable",
    })
  })

  it("is refused where its cookie would be longer than browsers keep", async () => {
    const { session } = await world({ units: Array.from({ length: 400 }, (_, id) => `github:${id}00000`) })
    expect(await sealSession(session, sealer)).toBeNull()
  })
})

describe("cookies", () => {
  it("have the prefix that other hosts cannot set on https, and none on this machine", () => {
    expect(setCookie("session", "v", 9, URL)).toBe(
      "__Host-daypass-session=v; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure",
    )
    expect(setCookie("session", "", 0, "http://127.0.0.1:1")).toBe(
      "daypass-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
    )
  })

  it.each([
    ["__Host-daypass-session=a", "a"],
    ["x=y; __Host-daypass-session=a; z=1", "a"],
    // Of two, nobody knows which one the broker set.
    ["__Host-daypass-session=a; __Host-daypass-session=b", null],
    ["daypass-session=a", null],
    ["", null],
  ])("of %j give %j", (cookie, value) => {
    expect(cookieOf(new Headers({ cookie }), "session", URL)).toBe(value)
  })
})
