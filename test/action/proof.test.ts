import { randomUUID } from "node:crypto"
import fc from "fast-check"
import { compactVerify, importJWK } from "jose"
import { describe, expect, it } from "vitest"
import { makeJobKey } from "../../action/key.ts"
import { dpopProof } from "../../action/proof/dpop.ts"
import { verifyProof } from "../../broker/issuers/dpop.ts"
import { cryptography } from "../support/cryptography.ts"
import { runs } from "../support/laws.ts"

const NOW = new Date("2026-11-22T12:00:00.900Z")
const TOKEN = "aaa.bbb.ccc"
const URL = "https://daypass.example.com/v1/exchange"

describe("a proof of the job's key", () => {
  it("is accepted by the broker, for that call alone", async () => {
    const key = makeJobKey()
    const proof = dpopProof(key, {
      method: "POST",
      url: `${URL}?query#part`,
      token: TOKEN,
      now: NOW,
      jti: randomUUID(),
    })
    const call = { method: "POST", url: URL, token: TOKEN, now: NOW }
    expect(await verifyProof(proof, call, cryptography)).toMatchObject({ thumbprint: key.thumbprint })
    await expect(verifyProof(proof, { ...call, method: "DELETE" }, cryptography)).rejects.toMatchObject({
      code: "proof_invalid",
    })
  })

  it("has a signature that jose verifies, whatever the key and the text", async () => {
    // One key in 256 has a leading zero byte in its secret number, which must not get lost.
    await fc.assert(
      fc.asyncProperty(fc.base64String({ minLength: 1, maxLength: 50 }), async (text) => {
        const { publicJwk, sign } = makeJobKey()
        const signed = [JSON.stringify({ alg: "ES256" }), text]
          .map((part) => Buffer.from(part).toString("base64url"))
          .join(".")
        const verified = await compactVerify(`${signed}.${sign(signed)}`, await importJWK({ ...publicJwk }, "ES256"))
        expect(Buffer.from(verified.payload).toString()).toBe(text)
      }),
      { numRuns: runs(1000) },
    )
  })
})
