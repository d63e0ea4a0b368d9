import { describe, expect, it } from "vitest"
import { BrokerError } from "../../broker/core/errors.ts"
import { Secret } from "../../broker/core/secret.ts"
import type { HttpRequest } from "../../broker/ports/http.ts"
import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase, type Refused, type Reply } from "../../broker/providers/case.ts"
import type { Minted, Provider } from "../../broker/providers/provider.ts"
import { job } from "../core/job.ts"
import { makeProviderIo, ScriptedHttp, PROVIDER_IO_TOKEN as TOKEN } from "../support/provider-io.ts"

const IDENTITY = job()

/** What every provider must do with every story it has recorded, in every runtime. */
export function providerContract(provider: Provider, cases: readonly ProviderCase[]): void {
  describe(`the provider ${provider.name}`, () => {
    it("has a lifetime that can be granted", () => {
      expect(provider.minTtlSeconds).toBeGreaterThan(0)
      expect(provider.maxTtlSeconds).toBeGreaterThanOrEqual(provider.minTtlSeconds)
    })

    it.each(cases.map((story) => [story.name, story] as const))("%s", async (_, story) => {
      const world = start(provider, story)
      const outcome = await world.mint()
      world.assertAsked(story)
      if ("code" in story.expect) {
        expect(story.revoke, "nothing to take back").toBeUndefined()
        return expectRefusal(outcome, story.expect, story, provider)
      }
      const minted = expectMinted(outcome, story)
      if (minted.revocation === "revocable") expect(provider.revoke, "can take it back").toBeDefined()
      if (story.revoke) {
        const { expect: expected } = story.revoke
        const ended = await world.revoke(minted, story.revoke.replies)
        world.assertAsked(story.revoke)
        if (expected === "revoked") expect(ended).toBe("revoked")
        else expectRefusal(ended, expected, story, provider)
      }
      return undefined
    })
  })
}

type Asking = Pick<ProviderCase, "replies" | "calls">

function start(provider: Provider, story: ProviderCase) {
  const connection = provider.connection.parse(story.connection)
  const grant = provider.grant.parse(story.grant)
  expect(provider.check?.(grant, connection) ?? null).toBeNull()
  expect(provider.resource(grant), "the audit trail says what was reached").not.toBe("")

  const other = new ScriptedHttp(story.replies)
  const { sent } = other
  const audiences: string[] = []
  const io = makeProviderIo({
    http: other.http,
    secrets: story.secrets ?? {},
    kept: new Map(),
    async identityToken(audience) {
      audiences.push(audience)
      return new Secret(TOKEN)
    },
  })
  const request = {
    identity: IDENTITY,
    grantName: "the-grant",
    subject: CASE_SUBJECT,
    connectionName: "the-connection",
    connection,
    grant,
    ttlSeconds: story.ttlSeconds,
    lease: "b7e1c9f0-0000-4000-8000-000000000000",
    ...(story.files === undefined ? {} : { files: new Map(Object.entries(story.files)) }),
  }
  return {
    mint: () => provider.mint(request, io).catch((error: unknown) => error),
    async revoke(minted: Minted, answers: readonly Reply[]) {
      other.restart(answers)
      if (minted.handle === undefined || provider.revoke === undefined) return "cannot be revoked"
      return await provider.revoke(minted.handle, request.connectionName, io).then(
        () => "revoked",
        (error: unknown) => error,
      )
    },
    /** That what was sent is what was expected, bounded, and carries no secret where others could read it. */
    assertAsked({ replies: expected, calls }: Asking) {
      expect(sent.length, "every recorded reply was asked for").toBe(expected.length)
      calls?.forEach((call, index) => {
        const asked = sent[index]
        expect(asked).toMatchObject({ method: call.method, url: call.url })
        const headers = Object.fromEntries(
          Object.entries(asked?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
        )
        if (call.headers) expect(headers).toMatchObject(call.headers)
        for (const part of call.bodyHolds ?? []) expect(textOf(asked)).toContain(part)
      })
      for (const asked of sent) {
        expect(asked.timeoutMs).toBeGreaterThan(0)
        expect(asked.maxBytes).toBeLessThanOrEqual(4 * 1024 * 1024)
        for (const secret of [TOKEN, ...Object.values(story.secrets ?? {})])
          expect(asked.url, "no secret in a URL").not.toContain(secret)
      }
      const { handedOut = [], presented = [], ownLogin = [] } = provider.audiences?.(connection) ?? {}
      const declared = [...handedOut, ...presented, ...ownLogin]
      for (const audience of audiences) {
        // Loading keeps connections apart by what they declare: an audience left out there is one that no ceiling sees.
        expect(declared, "every audience asked for is declared").toContain(audience)
        expect(audience).not.toBe("")
      }
    },
  }
}

const textOf = (request: HttpRequest | undefined) =>
  typeof request?.body === "string" ? request.body : new TextDecoder().decode(request?.body)

function expectRefusal(outcome: unknown, expected: Refused, story: ProviderCase, { name }: Provider): void {
  expect(outcome).toBeInstanceOf(BrokerError)
  const error = outcome as BrokerError
  expect(error.code).toBe(expected.code)
  if (expected.detailHolds !== undefined) expect(error.detail).toContain(expected.detailHolds)
  expect(error.detail, "names the connection").toContain("the-connection")
  const said = `${error.message} ${error.detail}`
  expect(said, `no foreign text in an error of ${name}`).not.toContain(FOREIGN_TEXT)
  for (const secret of [TOKEN, ...Object.values(story.secrets ?? {})]) expect(said).not.toContain(secret)
}

function expectMinted(outcome: unknown, { expect: expected }: ProviderCase): Minted {
  if (outcome instanceof Error) throw outcome
  if ("code" in expected) throw new Error("expected a refusal")
  const minted = outcome as Minted
  const revealed = (value: Secret<string> | string) => (value instanceof Secret ? value.reveal() : value)
  const values = Object.entries(minted.values).map(([name, { value, env, file, logins }]) => {
    const wantsValue = expected.values[name]?.value !== undefined
    return [
      name,
      {
        secret: value instanceof Secret,
        ...(env === undefined ? {} : { env }),
        ...(file === undefined ? {} : { file }),
        ...(logins === undefined ? {} : { logins }),
        ...(wantsValue ? { value: revealed(value) } : {}),
      },
    ]
  })
  expect({
    format: minted.format,
    values: Object.fromEntries(values),
    revocation: minted.revocation,
    expiresAt: minted.expiresAt?.toISOString() ?? null,
  }).toEqual({
    format: expected.format,
    values: expected.values,
    revocation: expected.revocation,
    expiresAt: expected.expiresAt,
  })
  expect(minted.handle !== undefined, "a handle exactly when it can be revoked").toBe(minted.revocation === "revocable")
  // Locators are no secrets, and a value in a story may be one of their words.
  const { versions, keys, ...rest } = minted
  const serialised = JSON.stringify([rest, Object.values(versions ?? {})])
  // Public names, which may hold a value of one character.
  for (const name of Object.values(keys ?? {})) expect(name).toMatch(/^age1[a-z0-9]{58}$/)
  for (const { value } of Object.values(minted.values)) {
    if (value instanceof Secret && value.reveal() !== "")
      expect(serialised, "secrets do not serialise").not.toContain(JSON.stringify(value.reveal()).slice(1, -1))
  }
  return minted
}
