import { describe, expect, it } from "vitest"
import { cookieOf, setCookie } from "../../../broker/console/cookies.ts"
import { openSession, type Session, sealSession } from "../../../broker/console/session.ts"
import { auditIdentity } from "../../../broker/core/audit-record.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { job } from "../job.ts"

const URL = "https://daypass.example.com"
const sealer = await createSealer(new Secret(new Uint8Array(32)), URL, cryptography)

function world(scope: Session["operator"]["scope"] = { units: ["github:41"] }) {
  const clock = new TestClock(Date.parse("2026-11-22T12:00:00.000Z"))
  const operator = {
    ...{ identity: { ...auditIdentity(job()) }, grant: "operator", may: new Set(["audit.read"] as const), scope },
    ...{ lease: "01a228b8-2bb8-7611-b26b-e3159fbee375", expiresAt: new Date(clock.now().getTime() + 900_000) },
  }
  return { clock, broker: { sealer, clock, url: URL }, session: { operator, form: "a text" } satisfies Session }
}

describe("a session", () => {
  it("is what was sealed, until the operator token ends", async () => {
    const { broker, clock, session } = world()
    const cookie = await sealSession(session, broker)
    expect(await openSession(cookie, broker)).toEqual(session)
    clock.advance(899)
    expect(await openSession(cookie, broker)).toEqual(session)
    clock.advance(1)
    expect(await openSession(cookie, broker)).toBeNull()
  })

  it("gets no longer by a clock that is set back", async () => {
    const { broker, clock, session } = world()
    const cookie = await sealSession(session, broker)
    clock.jump(-3600)
    expect(await openSession(cookie, broker)).toBeNull()
  })

  it("is nothing that another kind of value, another deployment or a person made", async () => {
    const { broker, session } = world()
    const cookie = (await sealSession(session, broker)) ?? ""
    const other = await createSealer(new Secret(new Uint8Array(32)), "https://other.example.com", cryptography)
    const elsewhere = await sealSession(session, { ...broker, sealer: other })
    const kept = await sealer.seal(new Secret("{}"), { kind: "console-sign-in", unit: "-", id: "-" })
    const odd = await sealer.seal(new Secret("{}"), { kind: "console-session", unit: "-", id: "-" })
    for (const value of [null, "", "x", `${cookie.slice(0, -2)}AA`, elsewhere, kept, odd]) {
      expect(await openSession(value, broker)).toBeNull()
    }
  })

  it("is nothing that the previous deployment key sealed: somebody may have read that key, and could make sessions", async () => {
    const { broker, session } = world()
    const [old, fresh] = [new Secret(new Uint8Array(32)), new Secret(new Uint8Array(32).fill(7))]
    const changed = await createSealer(fresh, URL, cryptography, old)
    const forged = await sealSession(session, broker)
    expect(await openSession(forged, { ...broker, sealer: changed })).toBeNull()
    expect(await openSession(await sealSession(session, { ...broker, sealer: changed }), broker)).toBeNull()
  })

  it("is refused where its cookie would be longer than browsers keep", async () => {
    const { broker, session } = world({ units: Array.from({ length: 400 }, (_, id) => `github:${id}00000`) })
    expect(await sealSession(session, broker)).toBeNull()
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
