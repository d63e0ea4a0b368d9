import { describe, expect, it } from "vitest"
import { BrokerError } from "../../broker/core/errors.ts"
import { Secret } from "../../broker/core/secret.ts"
import { HttpError, type HttpRequest, type HttpResponse } from "../../broker/ports/http.ts"
import { CASE_NOW, FOREIGN_TEXT, type ProviderCase, type Reply } from "../../broker/providers/case.ts"
import type { Minted, Provider, ProviderIo } from "../../broker/providers/provider.ts"
import { job } from "../core/job.ts"

const IDENTITY = job()
const TOKEN = "header.canary-of-the-identity-token.signature"

/** What every provider must do with every story it has recorded, in every runtime. */
export function providerContract(provider: Provider, cases: readonly ProviderCase[]): void {
  describe(`the provider ${provider.name}`, () => {
    it("has a lifetime that can be granted", () => {
      expect(provider.minTtlSeconds).toBeGreaterThan(0)
      expect(provider.maxTtlSeconds).toBeGreaterThanOrEqual(provider.minTtlSeconds)
    })

    it.each(cases.map((story) => [story.name, story] as const))("%s", async (_, story) => {
      const { outcome, sent, asked } = await run(provider, story)
      expect(sent.length, "every recorded reply was asked for").toBe(story.replies.length)
      story.calls?.forEach((call, index) => {
        const request = sent[index]
        expect(request).toMatchObject({ method: call.method, url: call.url })
        for (const part of call.bodyHolds ?? []) expect(textOf(request)).toContain(part)
      })
      for (const request of sent) {
        expect(request.timeoutMs).toBeGreaterThan(0)
        expect(request.maxBytes).toBeLessThanOrEqual(1024 * 1024)
        expect(request.url, "no secret in a URL").not.toContain(TOKEN)
      }
      if ("code" in story.expect) return expectRefusal(outcome, story.expect, provider)
      expectMinted(outcome, story)
      expect(asked.every((audience) => audience.length > 0)).toBe(true)
      return undefined
    })
  })
}

async function run(provider: Provider, story: ProviderCase) {
  const connection = provider.connection.parse(story.connection)
  const grant = provider.grant.parse(story.grant)
  expect(provider.check?.(grant, connection) ?? null).toBeNull()

  const sent: HttpRequest[] = []
  const asked: string[] = []
  const replies = [...story.replies]
  const io: ProviderIo = {
    async http(request) {
      sent.push(request)
      const reply = replies.shift()
      if (!reply) throw new Error("the provider made a call that nobody expected")
      return respond(reply)
    },
    now: () => new Date(CASE_NOW),
    remainingMs: () => 10_000,
    sleep: async () => {},
    async identityToken(audience) {
      asked.push(audience)
      return new Secret(TOKEN)
    },
  }
  const request = {
    identity: IDENTITY,
    grantName: "the-grant",
    connectionName: "the-connection",
    connection,
    grant,
    ttlSeconds: story.ttlSeconds,
    lease: "b7e1c9f0-0000-4000-8000-000000000000",
  }
  const outcome = await provider.mint(request, io).catch((error: unknown) => error)
  return { outcome, sent, asked }
}

function respond(reply: Reply): HttpResponse {
  if ("failure" in reply) throw new HttpError(reply.failure)
  const headers = new Map(Object.entries(reply.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  return {
    status: reply.status,
    header: (name) => headers.get(name.toLowerCase()) ?? null,
    body: new TextEncoder().encode(reply.body),
  }
}

const textOf = (request: HttpRequest | undefined) =>
  typeof request?.body === "string" ? request.body : new TextDecoder().decode(request?.body)

function expectRefusal(outcome: unknown, expected: { code: string; detailHolds?: string }, provider: Provider): void {
  expect(outcome).toBeInstanceOf(BrokerError)
  const error = outcome as BrokerError
  expect(error.code).toBe(expected.code)
  if (expected.detailHolds !== undefined) expect(error.detail).toContain(expected.detailHolds)
  expect(error.detail, "names the connection").toContain("the-connection")
  expect(`${error.message} ${error.detail}`, `no foreign text in an error of ${provider.name}`).not.toContain(
    FOREIGN_TEXT,
  )
  expect(`${error.message} ${error.detail}`).not.toContain(TOKEN)
}

function expectMinted(outcome: unknown, story: ProviderCase): void {
  if (outcome instanceof Error) throw outcome
  const minted = outcome as Minted
  const values = Object.entries(minted.values).map(([name, { value, env }]) => [
    name,
    { secret: value instanceof Secret, ...(env === undefined ? {} : { env }) },
  ])
  expect({
    values: Object.fromEntries(values),
    revocation: minted.revocation,
    expiresAt: minted.expiresAt?.toISOString() ?? null,
  }).toEqual(story.expect)
  expect(minted.handle !== undefined, "a handle exactly when it can be revoked").toBe(minted.revocation === "revocable")
  expect(JSON.stringify(minted), "secrets do not serialise").not.toContain("example")
}
