import fc from "fast-check"
import { base64url } from "jose"
import { beforeAll, expect, test } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { createVerifier, type SubjectTokenVerifier } from "../../../broker/issuers/verify.ts"
import { cryptography } from "../../support/cryptography.ts"
import { runs } from "../../support/laws.ts"
import {
  AUDIENCE,
  claims,
  issuer,
  listed,
  makeKey,
  publicJwk,
  type TestKey,
  TestNetwork,
  testClock,
  token,
} from "./fixture.ts"

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

let key: TestKey
let good: string
let verifier: SubjectTokenVerifier

beforeAll(async () => {
  key = await makeKey("k1")
  good = await token(key)
  const network = new TestNetwork()
  network.publish([publicJwk(key)])
  verifier = createVerifier({ audience: AUDIENCE, cryptography, http: network.http, clock: testClock() })
})

/** The token's key when it verifies, else null. Anything but a BrokerError is a fault of ours. */
async function tokenKeyOf(text: string): Promise<string | null> {
  try {
    return (await verifier.verify(text, listed(issuer()))).tokenKey
  } catch (error) {
    if (error instanceof BrokerError) return null
    throw error
  }
}

test("a token in which one character is another one never verifies", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(...ALPHABET, ".", "=", " ", "\0", "é"), async (position, character) => {
      const at = position % good.length
      if (good[at] === character) return
      expect(await tokenKeyOf(good.slice(0, at) + character + good.slice(at + 1))).toBeNull()
    }),
    { numRuns: runs(300) },
  )
})

test("a token from which a character is taken, or into which one is put, never verifies", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom("", ...ALPHABET, ".", "=", "\n"), async (position, character) => {
      const at = position % (good.length + 1)
      const other =
        character === "" ? good.slice(0, at) + good.slice(at + 1) : good.slice(0, at) + character + good.slice(at)
      if (other !== good) expect(await tokenKeyOf(other)).toBeNull()
    }),
    { numRuns: runs(300) },
  )
})

test("a token in which one bit of its bytes is another never verifies", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(2), fc.nat(), fc.nat(7), async (part, position, bit) => {
      const parts = good.split(".")
      const bytes = base64url.decode(parts[part] ?? "")
      const at = position % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      parts[part] = base64url.encode(bytes)
      expect(await tokenKeyOf(parts.join("."))).toBeNull()
    }),
    { numRuns: runs(300) },
  )
})

test("every text that verifies has the token key of its jti, however it was written", async () => {
  const expected = await tokenKeyOf(good)
  expect(expected).not.toBeNull()
  const space = fc.constantFrom("", " ", "\n", "\t  ")
  await fc.assert(
    fc.asyncProperty(space, space, fc.boolean(), async (before, indent, reversed) => {
      const members = Object.entries(claims())
      const ordered = Object.fromEntries(reversed ? members.reverse() : members)
      const text = await token(key, { rawPayload: before + JSON.stringify(ordered, null, indent) })
      expect(await tokenKeyOf(text)).toBe(expected)
      const [header, payload, signature] = text.split(".")
      for (const variant of [`${header}.${payload}.${signature}=`, `${header}=.${payload}.${signature}`, `${text} `]) {
        expect(await tokenKeyOf(variant)).toBeNull()
      }
    }),
    { numRuns: runs(40) },
  )
})

test("the token key depends on nothing but issuer and jti", async () => {
  const expected = await tokenKeyOf(good)
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.stringMatching(/^[1-9][0-9]{0,9}$/), async (actor, runId) => {
      const text = await token(key, { claims: claims({ actor: `a${actor}`, run_id: runId, jti: claims()["jti"] }) })
      expect(await tokenKeyOf(text)).toBe(expected)
      expect(await tokenKeyOf(await token(key, { claims: claims({ jti: `j${actor}` }) }))).not.toBe(expected)
    }),
    { numRuns: runs(40) },
  )
})

test("deleting any claim leaves the identity as it was, or leaves none", async () => {
  const whole = await verifier.verify(good, listed(issuer()))
  for (const name of Object.keys(claims())) {
    const text = await token(key, { claims: claims({ [name]: undefined }) })
    const outcome = await verifier.verify(text, listed(issuer())).catch((error: unknown) => error)
    if (outcome instanceof BrokerError) continue
    const said = name === "actor_id" ? { actorId: null } : {}
    expect(outcome).toMatchObject({ identity: { ...whole.identity, ...said, claims: {} } })
  }
})

test("no text makes the verifier fail with anything but its own error, and no error quotes the token", async () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.jsonValue().map((value) => base64url.encode(JSON.stringify(value))),
  )
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
  )
  await fc.assert(
    fc.asyncProperty(text, async (candidate) => {
      const error = await verifier.verify(candidate, listed(issuer())).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(BrokerError)
      if (candidate.length > 20) expect((error as BrokerError).detail).not.toContain(candidate)
    }),
    { numRuns: runs(500) },
  )
})
