import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { endWithTime, revokeAt } from "../../broker/adapters/ledger/credential-ends.ts"
import type { LeaseCredentialState } from "../../broker/ports/ledger.ts"
import { LeftAliveError, type Minted } from "../../broker/providers/provider.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { makeVaultWorld, TTL_SECONDS, type VaultWorld } from "./vault-world.ts"

const DATABASE = {
  role: "shop",
  dynamic: "database/creds/shop-rw",
  env: { PGUSER: "username", PGPASSWORD: "password" },
}

let issuer: GitHub
let world: VaultWorld
beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  world = await makeVaultWorld(issuer)
})
afterEach(() => world.vault.close())

describe("a token that the job renews", () => {
  const LEASE = { endsBy: Number.MAX_SAFE_INTEGER, overSince: null, triedAt: null }
  const asStored = (minted: Minted, at: number): LeaseCredentialState => ({
    grant: "vault",
    provider: "vault",
    connection: "vault",
    revocation: minted.revocation,
    expiresAt: minted.expiresAt?.getTime() ?? null,
    grantedUntil: at + TTL_SECONDS * 1000,
    sealedHandle: "sealed",
    ended: null,
  })

  it("is taken back when the granted time is over, since nobody takes it for expired", async () => {
    const at = Date.now()
    const minted = await world.mint({ role: "shop", token: true })
    expect(await world.renew(minted)).toBe(86_400)
    const credential = asStored(minted, at)
    const over = at + TTL_SECONDS * 1000
    expect(revokeAt(credential, LEASE)).toBe(over)
    expect(endWithTime([credential], LEASE, over + 60_000)).toEqual([credential])
    await world.revoke(minted.handle)
    expect(world.vault.alive()).toBe(0)
  })

  it("lives to its hard end at most, which is the end that is told", async () => {
    world.vault.tokens.roles.set("hard", { ...world.role, explicitMaxTtlSeconds: 1_200 })
    const at = Date.now()
    const minted = await world.mint({ role: "hard", token: true })
    expect(await world.renew(minted)).toBeLessThanOrEqual(1_200)
    expect(minted.expiresAt?.getTime()).toBeGreaterThanOrEqual(at + 1_200_000)
    expect(minted.expiresAt?.getTime()).toBeLessThan(Date.now() + 1_200_000 + 1_000)
    expect(revokeAt(asStored(minted, at), LEASE)).toBe(at + TTL_SECONDS * 1000)
  })

  it("is not handed out where it could be renewed for ever", async () => {
    world.vault.tokens.roles.set("periodic", { ...world.role, periodSeconds: TTL_SECONDS })
    expect((await world.failureOf(world.mint({ role: "periodic", token: true }))).detail).toContain("token_period")
    expect(world.vault.alive()).toBe(0)
  })
})

describe("what is minted without a lease", () => {
  const GOOGLE = { role: "shop", dynamic: "gcp/roleset/shop/token", env: { GOOGLE_TOKEN: "token" } }

  it.each([{}, { ttl_parameter: "made_up" }])(
    "ends when its engine says, whatever it was told (%j)",
    async (engine) => {
      const failure = await world.failureOf(world.mint(GOOGLE, { dynamic: { "gcp/roleset/*/token": engine } }))
      expect(failure.code).toBe("provider_response_invalid")
      expect(failure.detail).toContain("lives longer than was granted")
      expect(world.vault.alive()).toBe(0)
    },
  )
})

describe("what a KV engine keeps that the connection does not list", () => {
  it.each([
    ["secret/data/shop/db", { kv: { other: 1 }, dynamic: { "secret/**": {} } }],
    ["secret/data/shop/db", { kv: { other: 1 }, dynamic: { "secret/data/shop/*": {} } }],
  ])("is not handed out by a grant with dynamic %s", async (dynamic, change) => {
    const failure = await world.failureOf(world.mint({ role: "shop", dynamic, env: { A: "data" } }, change))
    expect(failure).toMatchObject({ code: "secret_unusable" })
    expect(failure.detail).toContain("was not minted")
  })

  it("of version 1 neither, though it says a ttl", async () => {
    const change = { kv: { other: 1 }, dynamic: { "legacy/*": {} } }
    const failure = await world.failureOf(
      world.mint({ role: "shop", dynamic: "legacy/shop", env: { A: "password" } }, change),
    )
    expect(failure.detail).toContain("was not minted")
    expect(world.vault.alive()).toBe(0)
  })
})

describe("a mint that fails after it minted", () => {
  const WITHOUT_FIELD = { ...DATABASE, env: { PGUSER: "nothing-of-the-kind" } }

  it("takes back what it minted", async () => {
    expect(await world.failureOf(world.mint(WITHOUT_FIELD))).not.toBeInstanceOf(LeftAliveError)
    expect(world.vault.alive()).toBe(0)
  })

  it("leaves a handle when it cannot, by which it is taken back later", async () => {
    world.trouble.cut = /revoke-self$/
    const at = Date.now()
    const failure = await world.failureOf(world.mint(WITHOUT_FIELD))
    expect(world.vault.alive()).toBe(2)
    expect(failure.code).toBe("secret_not_found")
    if (!(failure instanceof LeftAliveError)) throw new Error("nothing is known of what is left")
    expect(failure.left.expiresAt?.getTime()).toBeGreaterThanOrEqual(at + TTL_SECONDS * 1000 - 2_000)
    world.trouble.cut = null
    await world.revoke(failure.left.handle)
    expect(world.vault.alive()).toBe(0)
  })

  it("leaves one of a login, too, that may have lived longer by a renewal whose answer was lost", async () => {
    world.vault.tokens.roles.set("shop", { ...world.role, ttlSeconds: 60 })
    world.trouble.lost = /renew-self$/
    world.trouble.cut = /revoke-self$/
    const at = Date.now()
    const failure = await world.failureOf(world.mint(DATABASE))
    if (!(failure instanceof LeftAliveError)) throw new Error("nothing is known of what is left")
    expect(failure.left.expiresAt?.getTime()).toBeGreaterThanOrEqual(at + TTL_SECONDS * 1000 - 2_000)
    expect(world.vault.alive()).toBe(1)
    world.trouble.cut = world.trouble.lost = null
    await world.revoke(failure.left.handle)
    expect(world.vault.alive()).toBe(0)
  })
})

describe("a login that cannot be used", () => {
  it("leaves a handle when it cannot be taken back", async () => {
    world.vault.tokens.roles.set("shop", { ...world.role, uses: 9 })
    world.trouble.cut = /revoke-self$/
    const at = Date.now()
    const failure = await world.failureOf(world.mint({ role: "shop", read: { A: "secret/shop/db#password" } }))
    expect(failure.detail).toContain("token_num_uses")
    if (!(failure instanceof LeftAliveError)) throw new Error("nothing is known of what is left")
    expect(failure.left.expiresAt?.getTime()).toBeGreaterThan(at + TTL_SECONDS * 1000 - 2_000)
    world.trouble.cut = null
    await world.revoke(failure.left.handle)
    expect(world.vault.alive()).toBe(0)
  })

  it("is taken back although its answer cannot be read, and leaves a handle where that fails", async () => {
    world.trouble.spoil = (answer) => answer.replace('"policies":', '"policy":')
    expect((await world.failureOf(world.mint(DATABASE))).code).toBe("provider_response_invalid")
    expect(world.vault.alive()).toBe(0)
    world.trouble.cut = /revoke-self$/
    const failure = await world.failureOf(world.mint(DATABASE))
    if (!(failure instanceof LeftAliveError)) throw new Error("nothing is known of what is left")
    expect(failure.left.expiresAt).toBeNull()
    world.trouble.cut = null
    await world.revoke(failure.left.handle)
    expect(world.vault.alive()).toBe(0)
  })
})
