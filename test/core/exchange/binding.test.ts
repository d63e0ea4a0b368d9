import { describe, expect, it } from "vitest"
import { bindingOf, boundTokenRequired, requireMatchingKey, requireOwnProof } from "../../../broker/exchange/binding.ts"
import type { Proved } from "../../../broker/exchange/caller.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { explain } from "../../../broker/exchange/explain.ts"
import { revoke } from "../../../broker/exchange/revoke.ts"
import type { Admission, Suspicion } from "../../../broker/ports/ledger.ts"
import { makeProofMaker, proofClaims } from "../../support/proofs.ts"
import { NOW, type WorldOptions, world } from "./world.ts"

const SECONDS = NOW.getTime() / 1000
const LEASE = "019aa88e-5a80-7c7e-9a56-0d8a2f1b7c11"
const maker = makeProofMaker()
const EXCHANGE = { method: "POST", path: "/v1/exchange" }

/** A call with a proof of the maker's key, as a client makes one. */
async function provedCall(at: { readonly method: string; readonly path: string }) {
  const { prove, thumbprint } = await maker
  const claims = await proofClaims({ ...at, url: `https://daypass.example${at.path}`, token: "token" }, SECONDS)
  return { key: { thumbprint }, proof: { text: await prove(claims), ...at } }
}

const options = (more: Partial<WorldOptions> = {}): WorldOptions => ({ grants: { one: "mints" }, ...more })

describe("a call with a proof", () => {
  it("uses the token with the proof's key and the digest of its jti", async () => {
    const { broker, call, recorded, story } = await world(options())
    await exchange(call(await provedCall(EXCHANGE)), broker)
    const { token } = recorded[0] as Admission
    expect(token.proof).toEqual({
      thumbprint: (await maker).thumbprint,
      id: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    })
    expect(story).toEqual(["verify", "policiesOf", "admit", "mint one", "settle"])
  })

  it("uses it without one when there is none, as ever", async () => {
    const { broker, call, recorded } = await world(options())
    await exchange(call(), broker)
    expect((recorded[0] as Admission).token).not.toHaveProperty("proof")
  })

  it("is refused for a proof of another call, before anything is used or recorded", async () => {
    const { broker, call, story } = await world(options())
    const { key, proof } = await provedCall(EXCHANGE)
    for (const change of [{ path: "/v1/explain" }, { method: "DELETE" }, { text: "proof" }, { text: "" }]) {
      const refused = exchange(call({ key, proof: { ...proof, ...change } }), broker)
      await expect(refused).rejects.toMatchObject({ code: "proof_invalid" })
    }
    const stolen = exchange(call({ key, proof, subjectToken: "another token" }), broker)
    await expect(stolen).rejects.toMatchObject({ code: "proof_invalid" })
    expect(story).toEqual(Array(5).fill("verify"))
  })

  it("is explained like an exchange, and uses up neither token nor proof", async () => {
    const { broker, call, story } = await world(options())
    const asked = call(await provedCall({ method: "POST", path: "/v1/explain" }))
    expect(await explain(asked, broker)).toMatchObject({ decision: "allow" })
    expect(story).toEqual(["verify", "policiesOf", "standing"])
    const misplaced = call(await provedCall(EXCHANGE))
    await expect(explain({ ...misplaced, key: undefined }, broker)).rejects.toMatchObject({ code: "key_mismatch" })
  })

  it("revokes with a proof of the key that the token's audience names, and no other", async () => {
    const path = `/v1/leases/${LEASE}`
    const proved = await provedCall({ method: "DELETE", path })
    for (const [boundTo, code] of [
      [null, "lease_not_found"],
      [(await maker).thumbprint, "lease_not_found"],
      ["thumb", "key_mismatch"],
    ] as const) {
      const { broker, call } = await world(options({ boundTo }))
      await expect(revoke({ ...call(proved), lease: LEASE }, broker)).rejects.toMatchObject({ code })
    }
  })

  it("is no answer where a connection demands a token that names its key", async () => {
    const { broker, call } = await world(options({ requireBoundToken: true }))
    await expect(exchange(call(await provedCall(EXCHANGE)), broker)).rejects.toMatchObject({
      code: "bound_token_required",
      detail: expect.stringContaining("A DPoP proof is not enough"),
    })
  })

  it("is no answer there for a CI whose audience cannot name a key: its jobs need another connection", () => {
    for (const audience of ["setting", "issuer"] as const) {
      const sentence = boundTokenRequired({ audience, title: "GitLab CI" })
      expect(sentence).toContain("The audience of a token of GitLab CI cannot name one.")
      expect(sentence).toContain("Use a connection without require_bound_token for these jobs.")
      expect(sentence).not.toContain("Daypass action")
    }
    expect(boundTokenRequired({ audience: "job", title: "Buildkite" })).toContain("?jkt=")
  })

  it("of a token that was used too often is told so, and that its leases still end", async () => {
    const { broker, call } = await world(options({ admission: { outcome: "used-up" } }))
    await expect(exchange(call(await provedCall(EXCHANGE)), broker)).rejects.toMatchObject({
      code: "token_already_used",
      detail: expect.stringContaining("can still be revoked"),
    })
  })
})

describe("what is granted with a proof", () => {
  // The token of this world ends 300 s after NOW, and is accepted for 60 s of skew.
  it("ends with the token, whatever the policy and the request say", async () => {
    for (const ttlSeconds of [undefined, 900, 301, 300]) {
      const { broker, call } = await world(options())
      const answer = await exchange(call({ ...(await provedCall(EXCHANGE)), ttlSeconds }), broker)
      expect(answer.expires_at).toBe(new Date(NOW.getTime() + 300_000).toISOString())
    }
    const { broker, call } = await world(options())
    const shorter = await exchange(call({ ...(await provedCall(EXCHANGE)), ttlSeconds: 120 }), broker)
    expect(shorter.expires_at).toBe(new Date(NOW.getTime() + 120_000).toISOString())
  })

  it("is not shortened without one", async () => {
    const { broker, call } = await world(options())
    expect((await exchange(call(), broker)).expires_at).toBe(new Date(NOW.getTime() + 900_000).toISOString())
  })

  it("is nothing when the token ends too soon for the provider: it says so, and uses nothing up", async () => {
    for (const [endsIn, words] of [
      [59, "The subject token ends in 59 s"],
      [0, "The subject token ends in 0 s"],
      [-30, "The subject token ends in 0 s"],
    ] as const) {
      const { broker, call, story } = await world(options({ tokenEndsIn: endsIn }))
      await expect(exchange(call(await provedCall(EXCHANGE)), broker)).rejects.toMatchObject({
        code: "ttl_too_short",
        detail: expect.stringContaining(words),
      })
      expect(story).not.toContain("admit")
    }
    const { broker, call } = await world(options())
    const asked = { ...(await provedCall(EXCHANGE)), ttlSeconds: 10 }
    await expect(exchange(call(asked), broker)).rejects.toMatchObject({
      code: "ttl_too_short",
      detail: expect.not.stringContaining("The subject token ends"),
    })
  })
})

describe("the key of a call", () => {
  const proved = (boundTo: string | null, proof: string | null) =>
    ({ token: { boundTo }, proof: proof === null ? null : { thumbprint: proof, id: "id" } }) as Proved
  const key = (thumbprint: string | null) => (thumbprint === null ? undefined : { thumbprint })

  it.each([
    // audience, proof, key in the request, the sentence of the refusal
    [null, null, null, null],
    [null, null, "k1", /has a key, but the subject token is not bound to it.*or send a DPoP proof/],
    [null, "k1", "k1", null],
    [null, "k1", null, /has a DPoP proof, but no key/],
    [null, "k2", "k1", /proof is of a different key/],
    ["k1", null, "k1", null],
    ["k1", null, null, /bound to a key, but the request has no key/],
    ["k1", null, "k2", /bound to a different key/],
    ["k1", "k1", "k1", null],
    ["k1", "k1", null, /bound to a key, but the request has no key/],
    ["k1", "k2", "k1", /proof is of a different key/],
    ["k1", "k2", "k2", /bound to a different key/],
    ["k1", "k1", "k2", /bound to a different key/],
  ])("for an audience with %s and a proof of %s may be %s, or not: %s", (audience, proof, sent, refusal) => {
    const check = () => requireMatchingKey(proved(audience, proof), key(sent))
    if (refusal === null) expect(check).not.toThrow()
    else
      expect(check).toThrow(expect.objectContaining({ code: "key_mismatch", detail: expect.stringMatching(refusal) }))
  })

  it.each([
    [null, null, true],
    [null, "k1", true],
    ["k1", null, true],
    ["k1", "k1", true],
    ["k1", "k2", false],
  ])("of a revocation for an audience with %s and a proof of %s: %s", (audience, proof, isFine) => {
    const check = () => requireOwnProof(proved(audience, proof))
    if (isFine) expect(check).not.toThrow()
    else expect(check).toThrow(expect.objectContaining({ code: "key_mismatch" }))
  })

  it("of somebody else is suspicious only where the audience names one", async () => {
    const { key: mine, proof } = await provedCall(EXCHANGE)
    const plain = await world(options())
    await expect(exchange(plain.call({ key: { thumbprint: "other" }, proof }), plain.broker)).rejects.toMatchObject({
      code: "key_mismatch",
    })
    expect(plain.recorded).toEqual([])
    const bound = await world(options({ boundTo: "thumb" }))
    await expect(exchange(bound.call({ key: mine, proof }), bound.broker)).rejects.toMatchObject({
      code: "key_mismatch",
    })
    expect((bound.recorded as Suspicion[]).map(({ audit }) => audit.event)).toEqual(["token.unbound"])
  })

  it.each([
    ["k1", null, "job", "thumbprint"],
    ["k1", "k1", "job", "thumbprint"],
    [null, "k1", "job", "dpop"],
    [null, "k1", "setting", "dpop"],
    [null, "k1", "issuer", "dpop"],
    [null, null, "job", "none"],
    [null, null, "setting", "impossible"],
    [null, null, "issuer", "impossible"],
  ] as const)(
    "is said in the record: audience %s, proof %s, chosen by the %s: %s",
    (boundTo, proof, audience, binding) => {
      expect(bindingOf(proved(boundTo, proof), { audience })).toBe(binding)
    },
  )
})
