import { describe, expect, test } from "vitest"
import type { Documents } from "../../broker/ports/documents.ts"

export interface DocumentsFixture {
  /** The documents as they are now; others after each restart. */
  documents(): Documents
  /** Ends the process that holds the documents and starts another one over the same storage. */
  restart(): Promise<void>
}

/** What every implementation of the documents must do. */
export function documentsContract(name: string, fixture: DocumentsFixture): void {
  describe(`documents ${name}`, () => {
    const named = () => `document ${crypto.randomUUID()}`

    test("are absent at first, and keep what is stored, across a restart", async () => {
      const [one, other] = [named(), named()]
      expect(await fixture.documents().read(one)).toEqual({ version: 0, text: null })
      // As long as a list of stops may become, with characters that storage could change.
      const long = `{"reason":"Größe ÿ 🔒 \\u0000"}\n`.repeat(5000)
      expect(await fixture.documents().replace(one, 0, long)).toBe(true)
      expect(await fixture.documents().replace(other, 0, "")).toBe(true)
      await fixture.restart()
      expect(await fixture.documents().read(one)).toEqual({ version: 1, text: long })
      expect(await fixture.documents().read(other)).toEqual({ version: 1, text: "" })
    })

    test("are replaced only by whoever saw their present version", async () => {
      const one = named()
      const replace = (version: number, text: string) => fixture.documents().replace(one, version, text)
      expect(await replace(1, "early")).toBe(false)
      expect(await fixture.documents().read(one)).toEqual({ version: 0, text: null })
      expect(await replace(0, "a")).toBe(true)
      expect(await replace(0, "late")).toBe(false)
      expect(await replace(2, "ahead")).toBe(false)
      expect(await replace(1, "b")).toBe(true)
      expect(await fixture.documents().read(one)).toEqual({ version: 2, text: "b" })
    })

    test("are replaced by one of fifty that saw the same version", async () => {
      const one = named()
      for (const version of [0, 1]) {
        const texts = Array.from({ length: 50 }, (_, index) => `${version} ${index}`)
        const done = await Promise.all(texts.map((text) => fixture.documents().replace(one, version, text)))
        expect(done.filter(Boolean)).toHaveLength(1)
        expect(await fixture.documents().read(one)).toEqual({ version: version + 1, text: texts[done.indexOf(true)] })
      }
    })
  })
}
