import { createLocalJWKSet, jwtVerify } from "jose"
import { describe, expect, it } from "vitest"
import { Secret } from "../../../broker/core/secret.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"
import { clockOf } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { ringInMemory } from "../../support/key-ring.ts"

const sealer = await createSealer(
  new Secret(Uint8Array.from({ length: 32 }, (_, index) => index)),
  "test",
  cryptography,
)
const clock = clockOf(() => new Date("2026-11-22T12:00:00.000Z"))

describe("the signer", () => {
  it("makes one first key, however many instances find the ring empty at the same time", async () => {
    const keyRing = ringInMemory()
    const signers = Array.from({ length: 6 }, () => createSigner({ keyRing, sealer, cryptography, clock }))
    const tokens = await Promise.all(signers.map((signer) => signer.sign({ iss: "https://daypass.example" })))
    expect(keyRing.stored()).toHaveLength(1)
    const keys = createLocalJWKSet({ keys: [...((await signers[0]?.publicKeys()) ?? [])] })
    for (const token of tokens) {
      await expect(jwtVerify(token.reveal(), keys, { currentDate: clock.now() })).resolves.toBeDefined()
    }
  })

  it("shows public keys only, fit for a JWKS", async () => {
    const signer = createSigner({ keyRing: ringInMemory(), sealer, cryptography, clock })
    const [key] = await signer.publicKeys()
    expect(Object.keys(key ?? {}).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"])
    expect(key).toMatchObject({ kty: "RSA", alg: "RS256", use: "sig" })
  })

  it("stores the private half sealed", async () => {
    const keyRing = ringInMemory()
    await createSigner({ keyRing, sealer, cryptography, clock }).publicKeys()
    const [stored] = keyRing.stored()
    expect(JSON.stringify(stored)).not.toContain("PRIVATE")
    expect(stored?.sealedPrivateKey.split(".")).toHaveLength(5)
  })

  it("says what to do when the ring was sealed under another key", async () => {
    const keyRing = ringInMemory()
    await createSigner({ keyRing, sealer, cryptography, clock }).publicKeys()
    const other = await createSealer(
      new Secret(Uint8Array.from({ length: 32 }, (_, index) => index + 1)),
      "test",
      cryptography,
    )
    await expect(createSigner({ keyRing, sealer: other, cryptography, clock }).sign({})).rejects.toMatchObject({
      code: "configuration_invalid",
    })
  })
})
