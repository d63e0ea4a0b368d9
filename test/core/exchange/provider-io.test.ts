import { afterEach, describe, expect, it, vi } from "vitest"
import type { Claims } from "../../../broker/core/identity.ts"
import type { Connection } from "../../../broker/core/policy/model.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { providerIo } from "../../../broker/exchange/provider-io.ts"
import { clockOf } from "../../support/clock.ts"
import { job } from "../job.ts"
import { NOW, world } from "./world.ts"

const connection: Connection = { name: "vault", provider: "vault", settings: { role: "r" }, requireBoundToken: false }
const about = {
  identity: job({ claims: { ref: "refs/heads/main" } }),
  grant: "db",
  connection,
  holder: null,
  prepare: async () => {},
}

afterEach(() => vi.useRealTimers())

/** What a provider may touch, in a broker whose clock stands still until it is told the time. */
async function open(act: Parameters<typeof providerIo>[1] = about, windowMs = 10_000) {
  const { broker } = await world({ grants: { db: "mints" } })
  let time = NOW.getTime()
  const signed: Claims[] = []
  const asked: string[] = []
  const ofTest = {
    ...broker,
    clock: clockOf(() => new Date(time)),
    signer: {
      ...broker.signer,
      sign: async (claims: Claims) => {
        signed.push(claims)
        return new Secret("signed")
      },
    },
    connectionSecrets: {
      named: async (name: string) => {
        asked.push(name)
        return new Secret("value")
      },
    },
  }
  const io = providerIo(ofTest, act, windowMs)
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { io, broker: ofTest, signed, asked, pass }
}

describe("a provider's window of time", () => {
  it("gets shorter as the broker's clock goes on, and never negative", async () => {
    const { io, pass } = await open()
    expect(io.remainingMs()).toBe(10_000)
    pass(9_999)
    expect(io.remainingMs()).toBe(1)
    pass(2)
    expect(io.remainingMs()).toBe(0)
    expect(io.now()).toEqual(new Date(NOW.getTime() + 10_001))
  })

  it.each([
    ["as long as it is asked to", 100, 100],
    ["no longer than the window", 60_000, 10_000],
  ])("lets it wait %s", async (_, asked, waits) => {
    const { io } = await open()
    vi.useFakeTimers()
    let over = false
    const waiting = io.sleep(asked).then(() => {
      over = true
    })
    await vi.advanceTimersByTimeAsync(waits - 1)
    expect(over).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(over).toBe(true)
    await waiting
  })
})

describe("an identity token for a provider", () => {
  it("is about the job and the grant, by the broker, for the audience, and lives five minutes", async () => {
    const { io, signed, broker } = await open()
    expect((await io.identityToken("https://other-side.example")).reveal()).toBe("signed")
    const iat = NOW.getTime() / 1000
    expect(signed).toMatchObject([
      { iss: broker.url, aud: "https://other-side.example", repository_id: "41", grant: "db", iat, exp: iat + 300 },
    ])
  })

  it("has the provider's claims and lifetime where it names them, and an id of its own", async () => {
    const { io, signed } = await open()
    await io.identityToken("a", { claims: { extra: "yes" }, ttlSeconds: 60 })
    await io.identityToken("a")
    expect(signed[0]).toMatchObject({ extra: "yes", exp: NOW.getTime() / 1000 + 60 })
    expect(signed[1]).not.toHaveProperty("extra")
    expect(signed[0]?.["jti"]).not.toBe(signed[1]?.["jti"])
  })
})

it("a connection's own secret is asked for by the name behind env:", async () => {
  const { io, asked } = await open()
  expect((await io.secret("env:VAULT_TOKEN")).reveal()).toBe("value")
  expect(asked).toEqual(["VAULT_TOKEN"])
})

describe("a login for the connection", () => {
  const made = async (other: Partial<typeof about>) => {
    const { io, broker } = await open()
    const make = async () => ({ value: "login", endsAt: new Date(NOW.getTime() + 600_000) })
    await io.login("app", make, "connection")
    return !(await providerIo(broker, { ...about, ...other }, 10_000).login("app", make, "connection")).kept
  }

  it("is one for all jobs and grants", async () => {
    expect(await made({ identity: job({ unitId: "42", claims: { ref: "refs/heads/other" } }), grant: "other" })).toBe(
      false,
    )
  })

  it("is not that of another connection, or of other settings", async () => {
    expect(await made({ connection: { ...connection, name: "vault-2" } })).toBe(true)
    expect(await made({ connection: { ...connection, settings: { role: "q" } } })).toBe(true)
  })
})

describe("what a provider keeps of a store's values", () => {
  const kept = async (keep: "job" | "connection", get: "job" | "connection", other: Partial<typeof about>) => {
    const { io, broker } = await open()
    await io.kept(keep).keep("kv/shop", new Secret("value"), 60)
    return (
      await providerIo(broker, { ...about, ...other }, 10_000)
        .kept(get)
        .get("kv/shop")
    )?.reveal()
  }
  const otherJob = { identity: job({ claims: { ref: "refs/heads/other" } }) }

  it("for the job is found by a job with the same claims and by no other", async () => {
    expect(await kept("job", "job", {})).toBe("value")
    expect(await kept("job", "job", otherJob)).toBeUndefined()
    expect(await kept("job", "connection", {})).toBeUndefined()
  })

  it("for the connection is found by every job that uses it, and through no other connection", async () => {
    expect(await kept("connection", "connection", otherJob)).toBe("value")
    expect(await kept("connection", "job", {})).toBeUndefined()
    const connection = { ...about.connection, name: "vault-2" }
    expect(await kept("connection", "connection", { connection })).toBeUndefined()
  })

  it("is kept as long as the provider says, and by its locator", async () => {
    const { io, broker } = await open()
    await io.kept("job").keep("kv/shop", new Secret("value"), 0)
    expect(await io.kept("job").get("kv/shop")).toBeUndefined()
    await io.kept("job").keep("kv/shop", new Secret("value"), 60)
    expect(await providerIo(broker, about, 1).kept("job").get("kv/other")).toBeUndefined()
  })
})

describe("a login that a provider forgets", () => {
  it("is made anew, and says whether it was kept", async () => {
    const { io } = await open()
    let made = 0
    const make = async () => ({ value: ++made, endsAt: new Date(NOW.getTime() + 600_000) })
    const first = await io.login("s", make)
    expect([first.value, first.kept]).toEqual([1, false])
    const again = await io.login("s", make)
    expect([again.value, again.kept]).toEqual([1, true])
    again.forget()
    expect((await io.login("s", make)).value).toBe(2)
  })
})
