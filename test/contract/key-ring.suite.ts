import { describe, expect, test } from "vitest"
import type { KeyRing, StoredKey } from "../../broker/ports/key-ring.ts"

export interface KeyRingFixture {
  /** The ring as it is now; another one after each restart. */
  ring(): KeyRing
  /** Empties the storage. */
  clear(): Promise<void>
  /** Ends the process that holds the ring and starts another one over the same storage. */
  restart(): Promise<void>
}

const key = (kid: string): StoredKey => ({
  kid,
  publicJwk: { kty: "RSA", n: "n", e: "AQAB" },
  sealedPrivateKey: `sealed ${kid}`,
  createdAt: "2026-11-20T10:00:00.000Z",
  activatedAt: null,
  retiredAt: null,
})

/** What every implementation of the key ring must do. */
export function keyRingContract(name: string, fixture: KeyRingFixture): void {
  describe(`the key ring ${name}`, () => {
    test("is empty at first, and keeps what is stored, across a restart", async () => {
      await fixture.clear()
      expect(await fixture.ring().read()).toEqual({ version: 0, keys: [] })
      expect(await fixture.ring().replace(0, [key("a"), key("b")])).toBe(true)
      await fixture.restart()
      expect(await fixture.ring().read()).toEqual({ version: 1, keys: [key("a"), key("b")] })
    })

    test("is replaced only by whoever saw its present version", async () => {
      await fixture.clear()
      expect(await fixture.ring().replace(1, [key("early")])).toBe(false)
      expect(await fixture.ring().replace(0, [key("a")])).toBe(true)
      expect(await fixture.ring().replace(0, [key("late")])).toBe(false)
      expect(await fixture.ring().replace(1, [key("b")])).toBe(true)
      expect(await fixture.ring().read()).toEqual({ version: 2, keys: [key("b")] })
    })

    test("is replaced by one of fifty that saw the same version", async () => {
      await fixture.clear()
      const kids = Array.from({ length: 50 }, (_, index) => `key ${index}`)
      const done = await Promise.all(kids.map((kid) => fixture.ring().replace(0, [key(kid)])))
      expect(done.filter(Boolean)).toHaveLength(1)
      expect(await fixture.ring().read()).toEqual({ version: 1, keys: [key(kids[done.indexOf(true)] ?? "")] })
    })
  })
}
