import { execFileSync } from "node:child_process"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isTooCommon, masksFor } from "../../action/masks.ts"
import { runnerMasker } from "../support/runner-masker.ts"

function maskerFor(secret: string) {
  const masker = runnerMasker()
  for (const mask of masksFor(secret)) masker.addMask(mask)
  return (text: string) => text.split("\n").map(masker.mask).join("\n")
}

describe("a secret that is too common", () => {
  test.each([
    ...["3", "abc", "a b", "()", " ab\n", "yes", "ON"],
    ...["1234567", "-1234567", "12.5", "1e10", "+49", "1,000"],
    ...["true", "False", "NULL", "none", "undefined", "disabled"],
    ...["======", "-----", "{ }", "$$$$$$$$", "!@#%^&*()_+"],
    ...["1\n2\n3", "}\n]\n}", "yes\r\nno"],
  ])("is not masked: %j", (secret) => {
    expect([masksFor(secret), isTooCommon(secret)]).toEqual([[], true])
  })

  test.each(["", " ", "\n\n"])("is not said of nothing: %j", (secret) => {
    expect([masksFor(secret), isTooCommon(secret)]).toEqual([[], false])
  })

  test.each(["abcd", "12345678", "1234-567", "0x12ab", "truer", "a===", "🔑🔑", "x\n1\ny\nword"])(
    "is not %j",
    (secret) => {
      expect(isTooCommon(secret)).toBe(false)
      expect(masksFor(secret).length).toBeGreaterThan(0)
    },
  )
})

test("every mask is one line, no shorter than four characters, and never one that is too common", () => {
  const unit = fc.constantFrom("a", "é", "🔑", " ", "\n", "\r", "}", "%", "\ud800", "1", "'", '"', "{", "[", ":", ",")
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (secret) => {
      for (const mask of masksFor(secret)) {
        expect(mask).not.toMatch(/[\r\n]/)
        expect(mask.length).toBeGreaterThanOrEqual(4)
        expect(isTooCommon(mask)).toBe(/^[0-9]{1,7}$/.test(mask))
      }
    }),
  )
})

describe("a text of several lines is hidden", () => {
  const json = '{\n  "private_key": "-----BEGIN",\n  "id": 1\n}\n'

  test("line by line, except for lines that are too common", () => {
    const masks = masksFor(`${json}======\n`)
    expect(masks).toContain('"private_key": "-----BEGIN",')
    for (const line of ["}", "{", "======"]) expect(masks).not.toContain(line)
  })

  test("as one line of JSON and as part of a URL", () => {
    expect(maskerFor(json)(JSON.stringify({ key: json }))).toBe('{"key":"***\\n"}')
    expect(maskerFor(json)(`https://x.example/?key=${encodeURIComponent(json)}`)).toBe("https://x.example/?key=***%0A")
  })
})

describe("of a JSON document", () => {
  test.each<[string, unknown, string[], string[]]>([
    ["a string", { password: "hunter2hunter2" }, ["hunter2hunter2"], ["password"]],
    ["a string in a list", [{ a: ["deep-inside"] }], ["deep-inside"], []],
    ["a string with escapes", { a: 'line "one"\nline two' }, ['line "one"', "line two"], []],
    ["a document in a string", { a: JSON.stringify({ b: "hunter2hunter2" }) }, ["hunter2hunter2"], []],
    ["a long number", { pin: 12345678, port: 123456 }, ["12345678"], ["123456"]],
    ["no short or common leaf", { a: "short", b: "======", c: "false", d: true, e: null }, [], ["short", "======"]],
    ["a text", "hunter2hunter2", ["hunter2hunter2"], []],
  ])("%s is masked by itself", (_, document, masked, not) => {
    for (const text of [JSON.stringify(document), JSON.stringify(document, null, 2)]) {
      const masks = masksFor(text)
      expect(masks).toEqual(expect.arrayContaining(masked))
      for (const each of not) expect(masks).not.toContain(each)
    }
  })

  test("a number is masked as it is written", () => {
    expect(masksFor('{"id": 12345678901234567890}')).toContain("12345678901234567890")
  })

  test("only the first leaves are encoded, and all are masked", () => {
    const leaves = Array.from({ length: 2_000 }, (_, index) => `leaf-number-${index}`)
    const masks = masksFor(JSON.stringify(leaves))
    expect(masks).toEqual(expect.arrayContaining(leaves))
    expect(masks.length).toBeLessThan(3_000)
  })

  test("broken ones and very deep ones are texts like any other", () => {
    expect(masksFor('{"a": "hunter2hunter2"')).not.toContain("hunter2hunter2")
    expect(masksFor(`${"[".repeat(30_000)}"hunter2hunter2"${"]".repeat(30_000)}`)).toContain("hunter2hunter2")
  })
})

test("bash writes a secret as the masks expect it", () => {
  const printable = fc.string({
    minLength: 4,
    maxLength: 24,
    unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
  })
  const secrets = fc.sample(printable, { numRuns: 120, seed: 7 }).filter((secret) => !isTooCommon(secret))
  const script = 'for s in "$@"; do printf "%q\\n" "$s"; export s; export -p | grep " s="; (set -x; : "$s") 2>&1; done'
  const written = execFileSync("bash", ["-c", script, "bash", ...secrets], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
  expect(written).toHaveLength(secrets.length * 3)
  written.forEach((line, index) => {
    const secret = secrets[Math.floor(index / 3)] ?? ""
    expect({ secret, line, shown: maskerFor(secret)(line) }).toMatchObject({ shown: expect.stringContaining("***") })
    expect(readable(maskerFor(secret)(line)).some((text) => text.includes(secret))).toBe(false)
  })
})

describe("no secret survives", () => {
  const runs = 10_000
  const alphabet = [
    ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_.~ !\"#$%&'()*,:;<>?@[]^`{|}é密🔑",
  ]
  const word = fc.string({ minLength: 4, maxLength: 60, unit: fc.constantFrom(...alphabet) })
  const secrets = word.filter((secret) => secret.trim() === secret && !isTooCommon(secret))
  const around = fc.string({ maxLength: 20, unit: fc.constantFrom(..."abcdefgh ijk:lmn=op/") })
  const framing = fc.constantFrom(...Object.keys(FRAMINGS))

  test(`in ${runs} framings: a text, a document of several lines, a document of JSON, or one of its leaves`, () => {
    const kind = fc.constantFrom("text", "lines", "document", "leaf")
    fc.assert(
      fc.property(secrets, around, around, framing, kind, (secret, before, after, name, kind) => {
        fc.pre(secret.length >= 6 || kind === "text" || kind === "lines")
        const delivered = holding(kind, secret)
        const printed = kind === "leaf" ? secret : delivered
        const shown = maskerFor(delivered)((FRAMINGS[name] ?? unframed)(printed, before, after))
        expect(leakIn(shown, secret)).toBe(null)
      }),
      { numRuns: runs, seed: 11 },
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

type Framing = (secret: string, before: string, after: string) => string

const unframed: Framing = (secret, before, after) => `${before}${secret}${after}`

const FRAMINGS: Readonly<Record<string, Framing>> = {
  __proto__: null as never,
  text: unframed,
  "lines of text": (secret, before, after) => `${before}\n\t${secret}\r\n${after}`,
  base64: (secret) => Buffer.from(secret).toString("base64"),
  "base64 of framed text": (secret, before, after) => Buffer.from(before + secret + after).toString("base64"),
  "base64 as in a header": (secret, before) =>
    `Authorization: Basic ${Buffer.from(`${before}:${secret}`).toString("base64")}`,
  "base64 with a line break": (secret) => Buffer.from(`${secret}\n`).toString("base64"),
  "base64url of framed text": (secret, before, after) => Buffer.from(before + secret + after).toString("base64url"),
  hex: (secret, before, after) => Buffer.from(before + secret + after).toString("hex"),
  "hex in capitals": (secret, before, after) =>
    Buffer.from(before + secret + after)
      .toString("hex")
      .toUpperCase(),
  JSON: (secret, before, after) => JSON.stringify({ [before]: secret, more: [after, secret + after] }),
  "Go's JSON": (secret, before, after) =>
    JSON.stringify([before, secret, after]).replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`),
  "JSON in ASCII": (secret, before, after) =>
    JSON.stringify([before, secret, after]).replace(
      /[^ -~]/g,
      (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  "a URL": (secret, before, after) =>
    `https://x.example/?a=${encodeURIComponent(before + secret)}&b=${encodeURIComponent(after)}`,
  "a form": (secret, before, after) => `a=${encodeURIComponent(before + secret + after).replaceAll("%20", "+")}`,
  XML: (secret, before, after) =>
    `<a b="${before}">${secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&apos;")}</a>${after}`,
  "a shell's trace": (secret, before, after) => `+ curl ${before} '${secret.replaceAll("'", "'\\''")}' ${after}`,
  "another shell's trace": (secret, before, after) => `+ curl ${before} '${secret.replaceAll("'", `'"'"'`)}' ${after}`,
  "a shell's export": (secret, before, after) =>
    `declare -x A="${before}${secret.replace(/["$`\\]/g, "\\$&")}${after}"`,
  "an expression": (secret, before, after) => `${before} == '${secret.replaceAll("'", "''")}' ${after}`,
}

/** What the policy delivers: the secret itself, a document with it as one line, or as a leaf. */
function holding(kind: string, secret: string): string {
  if (kind === "lines") return `# settings\n${secret}\n}\n`
  return kind === "text" ? secret : JSON.stringify({ user: "app", secret })
}

const DECODERS: readonly ((text: string) => readonly string[])[] = [
  (text) => [text],
  (text) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(text.replace(/[^A-Za-z0-9+/_-]/g, "").slice(skip), "base64").toString()),
  (text) => [0, 1].map((skip) => Buffer.from(text.replace(/[^0-9A-Fa-f]/g, "").slice(skip), "hex").toString()),
  (text) => [
    text
      .replace(/(?:%[0-9A-F]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString())
      .replaceAll("+", " "),
  ],
  (text) => [text.replace(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))],
  (text) => [
    text
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&apos;", "'")
      .replaceAll("&amp;", "&"),
  ],
  (text) => [
    text.replaceAll("'\\''", "'").replaceAll(`'"'"'`, "'"),
    text.replaceAll("''", "'"),
    text.replace(/\\(.)/g, "$1"),
  ],
]

/** Everything that somebody can decode from what the log still shows, between the places that are hidden. */
function readable(shown: string): string[] {
  return shown.split("***").flatMap((piece) => DECODERS.flatMap((decode) => decode(piece)))
}

/** A part of the secret that can be read: all of a short one, and any six characters of a longer one. */
function leakIn(shown: string, secret: string): string | null {
  const texts = readable(shown)
  const length = Math.min(6, secret.length)
  for (let at = 0; at + length <= secret.length; at++) {
    const part = secret.slice(at, at + length)
    if (texts.some((text) => text.includes(part))) return part
  }
  return null
}
