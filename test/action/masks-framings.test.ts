import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { masksFor } from "../../action/masks.ts"
import { SecretFilter } from "../../action/run/secret-filter.ts"
import { runs } from "../support/laws.ts"
import { runnerMasker } from "../support/runner-masker.ts"
import { around, FRAMINGS, framingNames, kinds, leakIn, printedCase, secrets } from "./framings.ts"

const FRAMED = 10_000
const someCase = fc
  .record({ secret: secrets, before: around, after: around, name: framingNames, kind: kinds })
  .filter((one) => printedCase(one) !== null)

function maskerFor(secret: string) {
  const masker = runnerMasker()
  for (const mask of masksFor(secret)) masker.addMask(mask)
  return (text: string) => text.split("\n").map(masker.mask).join("\n")
}

/** Through the filter of `run`, in pieces of these lengths at most, and then through the runner. */
function filtered(delivered: string, printed: string, cuts: readonly number[]): string {
  const masks = new Set(masksFor(delivered))
  const filter = new SecretFilter(() => masks)
  const bytes = Buffer.from(printed, "utf8").toString("latin1")
  let shown = ""
  let state = { rest: "", covered: 0 }
  let at = 0
  for (const cut of cuts) {
    const piece = filter.replaceOpen(state.rest + bytes.slice(at, at + cut), state.covered)
    at += cut
    shown += piece.shown
    state = piece
  }
  shown += filter.replace(state.rest + bytes.slice(at), state.covered)
  return maskerFor(delivered)(Buffer.from(shown, "latin1").toString("utf8"))
}

describe("no secret survives", () => {
  test(`in ${FRAMED} framings: a text, a document of several lines, a document of JSON, or one of its leaves`, () => {
    fc.assert(
      fc.property(someCase, (one) => {
        const { delivered, printed } = printedCase(one) ?? { delivered: "", printed: "" }
        expect(leakIn(maskerFor(delivered)(printed), one.secret)).toBe(null)
      }),
      { numRuns: runs(FRAMED) },
    )
  })

  test("in the output of a command, wherever its writes are cut", () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 })
    fc.assert(
      fc.property(someCase, cuts, (one, places) => {
        const { delivered, printed } = printedCase(one) ?? { delivered: "", printed: "" }
        expect(leakIn(filtered(delivered, printed, places), one.secret)).toBe(null)
      }),
      { numRuns: runs(FRAMED) },
    )
  })

  test("by the runner's own encoders alone it would, so the framings mean something", () => {
    const bare = runnerMasker()
    const secret = "s3cr3t>>>it's???/K7MDENG"
    bare.addMask(secret)
    const survives = Object.entries(FRAMINGS).filter(
      ([, frame]) => leakIn(bare.mask(frame(secret, "ab", "cd")), secret) !== null,
    )
    expect(survives.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        "base64 of framed text",
        "base64url of framed text",
        "hex",
        "a shell's trace",
        "Go's JSON",
      ]),
    )
  })
})
