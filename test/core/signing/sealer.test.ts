import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { createSealer, type SealContext, sealedAnew } from "../../../broker/signing/sealer.ts"
import { cryptography } from "../../support/cryptography.ts"

const keyOf = (fill: number) => new Secret(Uint8Array.from({ length: 32 }, (_, index) => (index * 7 + fill) % 256))
const place: SealContext = { kind: "revocation-handle", unit: "https://issuer.example 41", id: "lease/grant" }
const PLAIN = "canary-handle-value"

describe("a sealed value", () => {
  it("opens where it was sealed for", async () => {
    const sealer = await createSealer(keyOf(1), "production", cryptography)
    const sealed = await sealer.seal(new Secret(PLAIN), place)
    expect((await sealer.open(sealed, place)).reveal()).toBe(PLAIN)
  })

  it("never holds its plaintext, and never looks the same twice", async () => {
    const sealer = await createSealer(keyOf(1), "production", cryptography)
    const [one, two] = [await sealer.seal(new Secret(PLAIN), place), await sealer.seal(new Secret(PLAIN), place)]
    expect(one).not.toBe(two)
    for (const form of [PLAIN, btoa(PLAIN), btoa(PLAIN).replace(/=+$/, "")]) expect(one).not.toContain(form)
  })

  const elsewhere: readonly [string, SealContext][] = [
    ["another kind", { ...place, kind: "signing-key" }],
    ["another unit", { ...place, unit: "https://issuer.example 42" }],
    ["another id", { ...place, id: "lease/other" }],
    ["a place whose parts spell the same together", { ...place, unit: "https://issuer.example", id: "41 lease/grant" }],
  ]
  it.each(elsewhere)("stays shut for %s", async (_, other) => {
    const sealer = await createSealer(keyOf(1), "production", cryptography)
    const sealed = await sealer.seal(new Secret(PLAIN), place)
    await expect(sealer.open(sealed, other)).rejects.toMatchObject({ code: "configuration_invalid" })
  })

  it("stays shut in another deployment that has the same key", async () => {
    const sealed = await (await createSealer(keyOf(1), "staging", cryptography)).seal(new Secret(PLAIN), place)
    const other = await createSealer(keyOf(1), "production", cryptography)
    await expect(other.open(sealed, place)).rejects.toMatchObject({ code: "configuration_invalid" })
  })

  it("says that the key is another when it is", async () => {
    const sealed = await (await createSealer(keyOf(1), "production", cryptography)).seal(new Secret(PLAIN), place)
    const other = await createSealer(keyOf(2), "production", cryptography)
    await expect(other.open(sealed, place)).rejects.toThrow("DAYPASS_KEK")
  })

  it("stays shut after any part of it was changed", async () => {
    const sealer = await createSealer(keyOf(1), "production", cryptography)
    const parts = (await sealer.seal(new Secret(PLAIN), place)).split(".")
    for (let index = 1; index < parts.length; index++) {
      const part = parts[index] ?? ""
      const changed = [...parts]
      changed[index] = (part.startsWith("A") ? "B" : "A") + part.slice(1)
      await expect(sealer.open(changed.join("."), place), `part ${index}`).rejects.toBeInstanceOf(BrokerError)
    }
  })

  it.each(["", "a.b.c", "not a jwe", `${"a".repeat(100)}.....`])("is refused when it is %j", async (text) => {
    const sealer = await createSealer(keyOf(1), "production", cryptography)
    await expect(sealer.open(text, place)).rejects.toBeInstanceOf(BrokerError)
  })

  it("opens under the current and the previous key, and is sealed under the current one only", async () => {
    const before = await createSealer(keyOf(1), "production", cryptography)
    const both = await createSealer(keyOf(2), "production", cryptography, keyOf(1))
    const after = await createSealer(keyOf(2), "production", cryptography)
    const old = await before.seal(new Secret(PLAIN), place)
    expect([both.sealedUnder(old), after.sealedUnder(old)]).toEqual(["previous", "other"])
    expect((await both.open(old, place)).reveal()).toBe(PLAIN)
    const anew = await sealedAnew(old, place, both)
    expect(both.sealedUnder(anew ?? "")).toBe("current")
    expect(await sealedAnew(anew ?? "", place, both)).toBeNull()
    // The previous key can go now.
    expect((await after.open(anew ?? "", place)).reveal()).toBe(PLAIN)
    await expect(before.open(anew ?? "", place)).rejects.toThrow("DAYPASS_KEK")
  })

  it("is neither opened nor sealed anew for another place, under either key", async () => {
    const old = await (await createSealer(keyOf(1), "production", cryptography)).seal(new Secret(PLAIN), place)
    const both = await createSealer(keyOf(2), "production", cryptography, keyOf(1))
    for (const [, other] of elsewhere) await expect(sealedAnew(old, other, both)).rejects.toThrow("another place")
    const staging = await createSealer(keyOf(2), "staging", cryptography, keyOf(1))
    await expect(sealedAnew(old, place, staging)).rejects.toThrow("another deployment")
  })

  it("does not open when its header names the other key, and both settings are told when it opens with neither", async () => {
    const both = await createSealer(keyOf(2), "production", cryptography, keyOf(1))
    const current = await both.seal(new Secret(PLAIN), place)
    const old = await (await createSealer(keyOf(1), "production", cryptography)).seal(new Secret(PLAIN), place)
    const swapped = [old.split(".")[0], ...current.split(".").slice(1)].join(".")
    await expect(both.open(swapped, place)).rejects.toThrow("was changed after it was sealed")
    const neither = await createSealer(keyOf(3), "production", cryptography, keyOf(4))
    await expect(neither.open(old, place)).rejects.toThrow(/another DAYPASS_KEK, and not under DAYPASS_KEK_PREVIOUS/)
  })

  it("is never made under a key of another length", async () => {
    await expect(createSealer(new Secret(new Uint8Array(16)), "production", cryptography)).rejects.toThrow("32 bytes")
  })
})
