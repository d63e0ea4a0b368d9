import { describe, expect, it } from "vitest"
import { createLogins } from "../../../broker/adapters/memory/logins.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { Connection } from "../../../broker/core/policy/model.ts"
import { loginKey } from "../../../broker/exchange/login-key.ts"
import { providerIo } from "../../../broker/exchange/provider-io.ts"
import { withLogin } from "../../../broker/providers/login.ts"
import { clockOf } from "../../support/clock.ts"
import { job } from "../job.ts"
import { NOW, world } from "./world.ts"

const connection: Connection = { name: "vault", provider: "vault", settings: { role: "r" }, requireBoundToken: false }
const claims = { ref: "refs/heads/main", run_id: "1", check_run_id: "7", jti: "a", iat: 1, nbf: 1, exp: 301, aud: "a" }
const about = { identity: job({ claims }), grant: "db", connection, holder: null, prepare: async () => {} }

describe("a provider's own login", () => {
  it("is one for the jobs of a run whose tokens would say the same", () => {
    const other = { ...claims, check_run_id: "8", jti: "b", iat: 2, nbf: 2, exp: 302, aud: "b" }
    expect(loginKey({ ...about, identity: job({ claims: other }) }, "s")).toBe(loginKey(about, "s"))
    const turned = Object.fromEntries(Object.entries(claims).reverse())
    expect(loginKey({ ...about, identity: job({ claims: turned }) }, "s")).toBe(loginKey(about, "s"))
  })

  it.each<readonly [string, string]>([
    ["another scope", loginKey(about, "t")],
    ["another grant", loginKey({ ...about, grant: "other" }, "s")],
    ["another connection", loginKey({ ...about, connection: { ...connection, name: "vault-2" } }, "s")],
    ["other settings", loginKey({ ...about, connection: { ...connection, settings: { role: "q" } } }, "s")],
    ["another repository", loginKey({ ...about, identity: job({ claims, unitId: "42" }) }, "s")],
    ["a repository that was renamed", loginKey({ ...about, identity: job({ claims, unit: "acme/other" }) }, "s")],
    ["another owner", loginKey({ ...about, identity: job({ claims, owner: "evil" }) }, "s")],
    ["another environment", loginKey({ ...about, identity: job({ claims, environment: "staging" }) }, "s")],
    ["another issuer", loginKey({ ...about, identity: job({ claims, issuer: "ghes" }) }, "s")],
    ["an issuer that moved", loginKey({ ...about, identity: job({ claims, issuerUrl: "https://ghes.example" }) }, "s")],
    ["another ref", loginKey({ ...about, identity: job({ claims: { ...claims, ref: "refs/heads/x" } }) }, "s")],
    ["another run", loginKey({ ...about, identity: job({ claims: { ...claims, run_id: "2" } }) }, "s")],
    ["a claim less", loginKey({ ...about, identity: job({ claims: { ref: claims.ref } }) }, "s")],
    ["no job at all", loginKey({ ...about, identity: null }, "s")],
  ])("is not that of %s", (_, key) => {
    expect(key).not.toBe(loginKey(about, "s"))
  })

  it("is kept until a minute before it ends", () => {
    let now = NOW.getTime()
    const logins = createLogins(clockOf(() => new Date(now)))
    logins.keep("key", { value: "session", endsAt: new Date(now + 300_000) })
    now += 239_000
    expect(logins.get("key")?.value).toBe("session")
    now += 2_000
    expect(logins.get("key")).toBeUndefined()
  })

  const setUp = async () => {
    const { broker } = await world({ grants: { db: "mints" } })
    let made = 0
    const make = async () => ({ value: ++made, endsAt: new Date(NOW.getTime() + 600_000) })
    return { io: providerIo(broker, about, 10_000), make, made: () => made }
  }
  const refusal = () => new BrokerError("provider_denied", "connection vault was refused")

  it("is made once and used again", async () => {
    const { io, make, made } = await setUp()
    const used: number[] = []
    for (let time = 0; time < 3; time++) await withLogin(io, "s", make, async (login) => void used.push(login))
    expect([used, made()]).toEqual([[1, 1, 1], 1])
  })

  it("is made anew, once, when one that was kept is refused", async () => {
    const { io, make } = await setUp()
    await withLogin(io, "s", make, async () => {})
    const seen: number[] = []
    const answer = await withLogin(io, "s", make, async (login) => {
      seen.push(login)
      if (login === 1) throw refusal()
      return "read"
    })
    expect([answer, seen]).toEqual(["read", [1, 2]])
  })

  it("that is fresh and refused is a refusal", async () => {
    const { io, make, made } = await setUp()
    await expect(withLogin(io, "s", make, () => Promise.reject(refusal()))).rejects.toMatchObject({
      code: "provider_denied",
    })
    expect(made()).toBe(1)
  })
})
