import { expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { createLimit } from "../../../broker/exchange/limit.ts"
import { mintAll } from "../../../broker/exchange/mint.ts"
import { forOneCall } from "../../../broker/exchange/one-call.ts"
import { revokeAll } from "../../../broker/exchange/revoke-all.ts"
import type { Minted, Provider } from "../../../broker/providers/provider.ts"
import { job } from "../job.ts"
import { world } from "./world.ts"

it("asks all providers side by side: each of ten waits until all ten were asked", async () => {
  const { broker } = await world({ grants: {} })
  let asked = 0
  let release = () => {}
  const all = new Promise<void>((resolve) => {
    release = resolve
  })
  const waiting: Provider = {
    ...(broker.providers.get("staged") as Provider),
    async mint(): Promise<Minted> {
      asked += 1
      if (asked === 10) release()
      await all
      return { values: {}, expiresAt: null, revocation: "expires-only" }
    },
  }
  const connection = { name: "staged", provider: "staged", settings: {}, requireBoundToken: false }
  const grants = Array.from({ length: 10 }, (_, index) => ({
    grant: { name: `grant-${index}`, file: "p", line: 1, connection, fields: {}, ttlSeconds: 60, minTtlSeconds: 1 },
    ttlSeconds: 60,
  }))
  const outcome = await mintAll(grants, { identity: job(), lease: "lease", holder: null }, async () => {}, {
    ...broker,
    providers: new Map([["staged", waiting]]),
  })
  expect(outcome.failures).toEqual([])
  expect(outcome.minted.map(({ granted }) => granted.grant.name)).toEqual(grants.map(({ grant }) => grant.name))
})

const grantsOf = (count: number) => {
  const connection = { name: "staged", provider: "staged", settings: {}, requireBoundToken: false }
  return Array.from({ length: count }, (_, index) => ({
    grant: { name: `grant-${index}`, file: "p", line: 1, connection, fields: {}, ttlSeconds: 60, minTtlSeconds: 1 },
    ttlSeconds: 60,
  }))
}
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A broker at the edge, whose provider makes `calls` requests for each grant, side by side. */
async function edge(calls: number, answer: (count: number) => number = () => 200) {
  const { broker } = await world({ grants: {} })
  const seen = { open: 0, most: 0, requests: 0, logins: 0, windows: [] as number[] }
  const get = { method: "GET", url: "https://provider.example", timeoutMs: 1, maxBytes: 1 } as const
  const provider: Provider = {
    ...(broker.providers.get("staged") as Provider),
    async mint(_request, io): Promise<Minted> {
      seen.windows.push(io.remainingMs())
      await io.login(
        "installation",
        async () => {
          await io.http(get)
          seen.logins++
          return { value: 1, endsAt: new Date(io.now().getTime() + 3_600_000) }
        },
        "connection",
      )
      const answers = await Promise.all(Array.from({ length: calls }, () => io.http(get)))
      if (answers.some(({ status }) => status !== 200)) throw new BrokerError("provider_unavailable", "down")
      return { values: {}, expiresAt: null, revocation: "expires-only" }
    },
    async revoke(_handle, _connection, io) {
      await io.http(get)
    },
  }
  const started = performance.now()
  return {
    seen,
    broker: forOneCall({
      ...broker,
      callsAtOnce: 6,
      clock: { now: () => broker.clock.now(), elapsed: () => performance.now() - started },
      providers: new Map([["staged", provider]]),
      async http() {
        const status = answer(++seen.requests)
        seen.most = Math.max(seen.most, ++seen.open)
        await pause(5)
        seen.open--
        return { status, header: () => null, body: new Uint8Array() }
      },
    }),
  }
}

it("opens at most six connections at the edge, and gives each of thirty grants its window from its real start", async () => {
  const { broker, seen } = await edge(3)
  const outcome = await mintAll(grantsOf(30), { identity: job(), lease: "lease", holder: null }, async () => {}, broker)
  expect(outcome.minted).toHaveLength(30)
  expect(seen.most).toBe(6)
  // Every grant began with its whole window, although the last waited for the others.
  expect(Math.min(...seen.windows)).toBeGreaterThan(9_900)
})

it("looks a login that does not depend on the grant up once for all grants of an exchange", async () => {
  const { broker, seen } = await edge(1)
  await mintAll(grantsOf(30), { identity: job(), lease: "lease", holder: null }, async () => {}, broker)
  expect([seen.logins, seen.requests]).toEqual([1, 31])
})

it("mints nothing more once a grant has failed, because it would only be revoked", async () => {
  const { broker, seen } = await edge(1, () => 503)
  const outcome = await mintAll(grantsOf(30), { identity: job(), lease: "lease", holder: null }, async () => {}, broker)
  expect(outcome.minted).toEqual([])
  expect(outcome.failures.length).toBeGreaterThan(0)
  expect(seen.windows.length).toBeLessThanOrEqual(12)
})

it("revokes thirty credentials six at a time, and all of them", async () => {
  const { broker, seen } = await edge(1)
  const handle = new Secret("handle")
  const credentials = grantsOf(30).map(({ grant }) => ({
    grant: grant.name,
    provider: "staged",
    connection: "staged",
    handle,
  }))
  const of = { lease: "lease", issuerUrl: "https://issuer.example", unitId: "41" }
  const outcomes = await revokeAll(credentials, of, broker)
  expect(Object.values(outcomes)).toEqual(credentials.map(() => "revoked"))
  expect(seen.most).toBe(6)
})

it("gives places in the order of the calls, and gives a place on when work fails", async () => {
  const limit = createLimit(2)
  const began: number[] = []
  const outcomes = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((index) =>
      limit(async () => {
        began.push(index)
        await pause(1)
        if (index % 2 === 0) throw new Error("failed")
      }),
    ),
  )
  expect(began).toEqual([0, 1, 2, 3, 4, 5])
  expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([false, true, false, true, false, true])
})
