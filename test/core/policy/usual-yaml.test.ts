import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseUsualYaml, readUsualYaml } from "../../../broker/core/policy/usual-yaml.ts"
import { parseYaml } from "../../../broker/core/policy/yaml.ts"
import { runs } from "../../support/laws.ts"

const EXAMPLES = fileURLToPath(new URL("../../../examples", import.meta.url))
const POLICIES = globSync("**/policies/**/*.yaml", { cwd: EXAMPLES })
const textOf = (path: string) => readFileSync(join(EXAMPLES, path), "utf8")

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Policies in little, so that a change of one character often makes another document that is one. */
const SEEDS = [
  "a: b\n",
  "a:\n  b:\n    c: d\n  e: f\ng: 15m\n",
  "a:\n- b\n- c: d\n  e: [1, 2]\n",
  `a: {b: c, "d": 'e'} # f\n`,
  'version: 1\nallow:\n  - name: pushes, to main\n    when: { ref: "x", e: [a, b], c: true }\n    grants: [token]\n',
  "a: arn:aws:iam::111122223333:role/x\nb: 0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504\n",
]
/** What YAML gives a meaning to, at some place or other. */
const PIECES = [..." \n-:,#[]{}\"'ab01em/*&!|>%@`~?.<=\\é_$", ": ", "- ", " #", "\n  ", "\n- ", "  \n", "\r\n"].concat([
  "null",
  "true",
  "True",
  "1e3",
  "0x1",
  "0o7",
  ".inf",
  "__proto__",
  "<<",
  "---",
  "...",
  "\u{1f511}",
])

const changes = fc.array(
  fc.record({ at: fc.nat(), removed: fc.nat({ max: 3 }), added: fc.constantFrom("", ...PIECES) }),
  { minLength: 1, maxLength: 4 },
)

describe("the reader of usual YAML", () => {
  it("says of texts that differ from policies by some characters what the library says of them, or nothing", () => {
    const seeds = [...SEEDS, ...SEEDS, ...POLICIES.map(textOf).filter(({ length }) => length < 1_500)]
    fc.assert(
      fc.property(fc.constantFrom(...seeds), changes, (seed, changed) => {
        const text = changed.reduce((before, { at, removed, added }) => {
          const place = at % (before.length + 1)
          return `${before.slice(0, place)}${added}${before.slice(place + removed)}`.toWellFormed()
        }, seed)
        const document = readUsualYaml(text)
        if (document !== null) expect({ ok: true, value: document }).toEqual(parseYaml("f", bytesOf(text)))
      }),
      { numRuns: runs(10_000) },
    )
  })

  it.each(POLICIES)("reads %s", (path) => {
    const document = readUsualYaml(textOf(path))
    expect(document).not.toBeNull()
    expect({ ok: true, value: document }).toEqual(parseYaml("f", bytesOf(textOf(path))))
  })

  it.each([
    ["a number that is none of decimal digits", "a: 0x10\n"],
    ["a number with a zero before it", "a: 010\n"],
    ["a fraction", "a: 1.5\n"],
    ["a number with an exponent", "a: 1e3\n"],
    ["nothing", "a:\n"],
    ["null", "a: Null\n"],
    ["a text over two lines", "a: b\n  c\n"],
    ["a text over two lines in quotes", 'a: "b\n  c"\n'],
    ["an escape", 'a: "b\\tc"\n'],
    ["a quote within quotes", "a: 'it''s'\n"],
    ["a text with its lines kept", "a: |\n  b\n"],
    ["a list in brackets over two lines", "a: [b,\n  c]\n"],
    ["a pair in brackets", "a: [b: c]\n"],
    ["a key that is too long", `${"k".repeat(1_025)}: a\n`],
    ["a key in quotes that is too long", `a:\n  - "${"k".repeat(1_023)}": b\n`],
    ["an alias", "a: *b\n"],
    ["a document's start", "---\na: b\n"],
    ["a key twice", "a: b\na: c\n"],
    ["a key that reaches the prototype", "a: { __proto__: b }\n"],
    ["a merge key", "<<: a\n"],
    ["lines that end as on Windows", "a: b\r\n"],
    ["a list in a list's item", "- - a\n"],
    ["maps that are nested deep", `${"{a: ".repeat(12)}b${"}".repeat(12)}`.replace("{a: ", "a: ").slice(0, -1)],
  ])("leaves %s to the library", (_, text) => {
    expect(readUsualYaml(text)).toBeNull()
    expect(parseUsualYaml("f", bytesOf(text))).toEqual(parseYaml("f", bytesOf(text)))
  })

  it("takes linear time for what looks usual up to its end", () => {
    // Without a limit of depth, or with a word that can be cut in two ways, these would end the process or never end.
    for (const text of ["a: [".padEnd(60_000, "["), `a: ${"b ".repeat(30_000)}: c`, `a: ${"b:".repeat(30_000)} c`]) {
      expect(parseUsualYaml("f", bytesOf(text)).ok).toBe(false)
    }
  })
})
