import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Secret } from "../../../broker/core/secret.ts"
import { readAgeKeys } from "../../../broker/providers/sops/age.ts"
import { dataKeyOf } from "../../../broker/providers/sops/data-key.ts"
import { type Leaf, readDocument, readFile } from "../../../broker/providers/sops/document.ts"
import { keyRuleOf } from "../../../broker/providers/sops/key-rule.ts"
import { openDocument } from "../../../broker/providers/sops/opened.ts"
import { runs } from "../../support/laws.ts"
import { type Expected, OPENED, vector } from "./sops-vectors.ts"

const SIDE = { name: "SOPS", connection: "c" }
const KEYS = await readAgeKeys(SIDE, "env:K", new Secret(vector("test-only.age-key.txt")))
const OTHER_KEYS = await readAgeKeys(SIDE, "env:K", new Secret(vector("test-only-other.age-key.txt")))
const encode = (text: string) => new TextEncoder().encode(text)

/** Every value of a file by its name, or in one word why there is none. */
async function openText(name: string, text: string, keys = KEYS) {
  const document = readDocument(name, encode(text))
  if (!document.ok) return document.fault[0]?.code ?? "refused"
  const dataKey = await dataKeyOf(document.value.metadata, { age: keys, services: [] })
  if (typeof dataKey === "string") return dataKey
  const opened = await openDocument(document.value, dataKey.bytes)
  if (opened.outcome !== "opened") return opened.outcome
  return Object.fromEntries(opened.values.map(({ leaf, value }) => [placeOf(leaf), value?.reveal() ?? null]))
}

/** Where sops has a value: its name with the numbers of list items, or its keys where no locator can name it. */
const placeOf = ({ name, keys }: Leaf) => (name?.includes("/") ? name : keys.join("/"))

/** A value of ours in the form that sops printed its own in: there, numbers and flags are such. */
function alike(bytes: Uint8Array | null, like: Expected[string]): Expected[string] {
  if (bytes === null) return null
  const text = new TextDecoder().decode(bytes)
  if (typeof like === "number") return Number(text)
  if (typeof like === "boolean") return text === "true" ? true : text === "false" ? false : text
  return typeof like === "object" && like !== null ? { base64: btoa(String.fromCharCode(...bytes)) } : text
}

describe("files that the real sops wrote", () => {
  it.each(Object.keys(OPENED))("%s opens to what sops makes of it, value by value", async (name) => {
    const expected = OPENED[name] ?? {}
    const opened = await openText(name, vector(name))
    if (typeof opened === "string") throw new Error(opened)
    expect(Object.keys(opened)).toEqual(Object.keys(expected))
    for (const [key, bytes] of Object.entries(opened))
      expect(alike(bytes, expected[key] ?? null), key).toEqual(expected[key])
  })

  it("are opened by any one of their recipients, and by nobody else", async () => {
    expect(await openText("every-type.sops.yaml", vector("every-type.sops.yaml"), OTHER_KEYS)).toBeTypeOf("object")
    expect(await openText("other-key.sops.yaml", vector("other-key.sops.yaml"))).toBe("foreign")
    expect(await openText("other-key.sops.yaml", vector("other-key.sops.yaml"), [...KEYS, ...OTHER_KEYS])).toBeTypeOf(
      "object",
    )
  })
})

/** The file with one place changed, which must be there. */
function changed(name: string, from: string | RegExp, to: string): string {
  const text = vector(name)
  const other = text.replace(from, () => to)
  if (other === text) throw new Error(`${name} has no ${from}`)
  return other
}

const line = (name: string, start: string) =>
  new RegExp(`^[ \t]*"?${start}"?[:=].*\n`, "m").exec(vector(name))?.[0] ?? ""
const sealed = (name: string, start: string) => /ENC\[[^\]]*\]/.exec(line(name, start))?.[0] ?? ""
const swapped = (name: string, one: string, other: string) =>
  changed(name, sealed(name, one), "\0")
    .replace(sealed(name, other), sealed(name, one))
    .replace("\0", sealed(name, other))

describe("a file that somebody changed", () => {
  const [YAML, JSON_, ENV] = ["every-type.sops.yaml", "every-type.sops.json", "every-type.sops.env"]
  it.each<[string, string, string, string]>([
    [
      "a value",
      YAML,
      changed(YAML, sealed(YAML, "password").slice(0, 30), `${sealed(YAML, "password").slice(0, 29)}A`),
      "value-damaged",
    ],
    ["a key", YAML, changed(YAML, "    password: ENC", "    passwort: ENC"), "value-damaged"],
    ["a key of a map above", YAML, changed(YAML, "database:", "databases:"), "value-damaged"],
    ["two values, swapped", YAML, swapped(YAML, "password", "multi"), "value-damaged"],
    [
      "the order of keys",
      YAML,
      changed(YAML, line(YAML, "port"), "").replace(line(YAML, "ratio"), line(YAML, "ratio") + line(YAML, "port")),
      "mac-wrong",
    ],
    ["an entry, removed", YAML, changed(YAML, line(YAML, "port"), ""), "mac-wrong"],
    ["an entry in the clear, removed", YAML, changed(YAML, "region_unencrypted: eu-west-1\n", ""), "mac-wrong"],
    [
      "an entry in the clear, added",
      YAML,
      changed(YAML, "region_unencrypted:", "more_unencrypted: x\nregion_unencrypted:"),
      "mac-wrong",
    ],
    ["a value in the clear", YAML, changed(YAML, "half: 2.5", "half: 2.6"), "mac-wrong"],
    ["the type of a value in the clear", YAML, changed(YAML, 'text: "yes"', "text: true"), "mac-wrong"],
    ["items of a list, whose ciphertexts know no order", YAML, listSwapped(), "mac-wrong"],
    ["the MAC", YAML, changed(YAML, /mac: ENC\[AES256_GCM,data:..../, "mac: ENC[AES256_GCM,data:AAAA"), "mac-wrong"],
    [
      "the MAC, for that of another file with the same key",
      YAML,
      changed(YAML, sealed(YAML, "mac"), sealed("changed.sops.yaml", "mac")),
      "mac-wrong",
    ],
    ["the MAC, emptied", YAML, changed(YAML, sealed(YAML, "mac"), '""'), "secrets_unusable"],
    ["the MAC, removed", YAML, changed(YAML, line(YAML, "mac"), ""), "secrets_unusable"],
    ["the time", YAML, changed(YAML, /lastmodified: "20(..)-/, 'lastmodified: "2099-'), "mac-wrong"],
    ["the time, removed", YAML, changed(YAML, /^ {4}lastmodified.*\n/m, ""), "secrets_unusable"],
    [
      "what the MAC is of",
      YAML,
      changed(YAML, "    version:", "    mac_only_encrypted: true\n    version:"),
      "mac-wrong",
    ],
    [
      "what the MAC is of, back",
      "mac-only.sops.yaml",
      changed("mac-only.sops.yaml", "mac_only_encrypted: true", "mac_only_encrypted: false"),
      "mac-wrong",
    ],
    [
      "a type, to a comment, which no MAC is of",
      YAML,
      changed(YAML, /(password: ENC.*type:)str/, `${/password: ENC.*type:/.exec(vector(YAML))?.[0]}comment`),
      "secrets_unusable",
    ],
    ["a type, to one that it is not", YAML, changed(YAML, "type:bool", "type:int"), "value-damaged"],
    ["a value, to the clear", YAML, changed(YAML, sealed(YAML, "port"), "5432"), "secret_plaintext"],
    ["the age file", YAML, vector(YAML).replaceAll(/^( +)YWdl/gm, "$1YWdm"), "damaged"],
    ["its armour", YAML, vector(YAML).replaceAll("BEGIN AGE", "BEGIN AGF"), "damaged"],
    ["a value in JSON", JSON_, changed(JSON_, sealed(JSON_, "half"), sealed(JSON_, "whole")), "value-damaged"],
    ["a number in the clear in JSON", JSON_, changed(JSON_, '"two": 2,', '"two": 3,'), "mac-wrong"],
    ["a key of a dotenv file", ENV, changed(ENV, "DB_PASSWORD=", "DB_PASSWORT="), "value-damaged"],
    ["a value in the clear in a dotenv file", ENV, changed(ENV, "eu west", "eu east"), "mac-wrong"],
    [
      "lines of a dotenv file",
      ENV,
      changed(ENV, line(ENV, "MULTI"), "").replace(line(ENV, "SPACED"), line(ENV, "SPACED") + line(ENV, "MULTI")),
      "mac-wrong",
    ],
  ])("does not open: %s", async (_, name, text, outcome) => {
    expect(await openText(name, text)).toBe(outcome)
  })

  function listSwapped(): string {
    const text = vector(YAML)
    const [a = "", b = ""] = /three:\n +- (ENC.*)\n +- (ENC.*)\n/.exec(text)?.slice(1) ?? []
    return text.replace(a, "\0").replace(b, a).replace("\0", b)
  }

  it.each(["encrypted-suffix.sops.yaml", "mac-only.sops.yaml"])(
    "does not open with any one character of %s another, up to SOPS's own part",
    async (name) => {
      const text = vector(name)
      const end = text.indexOf("\nsops:")
      const before = await openText(name, text)
      for (let at = 0; at < end; at++) {
        const other = text.slice(0, at) + (text[at] === "x" ? "y" : "x") + text.slice(at + 1)
        const opened = await openText(name, other)
        if (typeof opened === "string") continue
        // What no MAC is of, by the file's own word: values in the clear, and the names of their keys.
        const differing = Object.keys(opened).filter(
          (key) =>
            !Object.hasOwn(before as object, key) || String(opened[key]) !== String((before as typeof opened)[key]),
        )
        expect(/ENC\[/.test(lineAt(text, at)), `${at}: ${differing}`).toBe(false)
      }
    },
    60_000,
  )

  const lineAt = (text: string, at: number) => text.slice(text.lastIndexOf("\n", at - 1) + 1, text.indexOf("\n", at))
})

describe("a file of secrets, before it is opened", () => {
  const faults = (name: string, text: string) =>
    readFile(name, encode(text)).faults.map(({ line, column, code, message }) => [`${line}:${column} ${code}`, message])
  const head = (settings: string) =>
    `a: ENC[AES256_GCM,data:AA==,iv:${"A".repeat(43)}=,tag:${"A".repeat(22)}==,type:str]\nsops:\n${settings}`
  const ENTRY = "{ recipient: age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy, enc: x }"
  const RECIPIENT = `    age: [${ENTRY}]\n`
  const REST = `    lastmodified: "2026-11-28T04:00:00Z"\n    mac: ENC[AES256_GCM,data:AA==,iv:${"A".repeat(43)}=,tag:${"A".repeat(22)}==,type:str]\n`

  it("is fine with an age key, a MAC and a time", () => {
    expect(faults("a.sops.yaml", head(RECIPIENT + REST))).toEqual([])
  })

  it.each<[string, string, string, string, RegExp]>([
    ["a plain map", "a.sops.yaml", "a:\n  b: hunter2\n", "2:6 secret_plaintext", /This file is not encrypted/],
    ["plain JSON", "a.sops.json", '{\n\t"a": "hunter2"\n}\n', "2:7 secret_plaintext", /This file is not encrypted/],
    ["a plain dotenv file", "a.sops.env", "# x\nA=hunter2\n", "2:1 secret_plaintext", /This file is not encrypted/],
    [
      "a value in the clear",
      "a.sops.yaml",
      `b: { c: hunter2 }\n${head(RECIPIENT + REST)}`,
      "1:9 secret_plaintext",
      /"b\/c" is not encrypted/,
    ],
    [
      "a value in the clear by a suffix",
      "a.sops.yaml",
      `b_s: hunter2\nc: open\n${head(`${RECIPIENT + REST}    encrypted_suffix: _s\n`)}`,
      "1:6 secret_plaintext",
      /"b_s" is not encrypted/,
    ],
    [
      "a value in the clear by an expression",
      "a.sops.yaml",
      `data: { c: hunter2 }\nkind: open\n${head(`${RECIPIENT + REST}    encrypted_regex: ^(data|stringData)$\n`)}`,
      "1:12 secret_plaintext",
      /"data\/c" is not encrypted/,
    ],
    [
      "nothing encrypted, by an expression that only SOPS understands",
      "a.sops.yaml",
      `c: hunter2\nsops:\n${RECIPIENT + REST}    encrypted_regex: ^d.t\\w+$\n`,
      "1:4 secret_plaintext",
      /Nothing in this file is encrypted/,
    ],
    [
      "a value in the clear, whose key shows nothing else than it is",
      "a.sops.yaml",
      `"a\\u202e\\x9b\\L\u200d": hunter2\n${head(RECIPIENT + REST)}`,
      "1:19 secret_plaintext",
      /^"a\\u\{202e\}\\u\{9b\}\\u\{2028\}\\u\{200d\}" is not encrypted/,
    ],
    [
      "a damaged value",
      "a.sops.yaml",
      head(RECIPIENT + REST).replace("type:str", "type:set"),
      "1:4 secrets_unusable",
      /"a" is not an encrypted value/,
    ],
    [
      "base64 in another spelling",
      "a.sops.yaml",
      head(RECIPIENT + REST).replace("data:AA==", "data:AB=="),
      "1:4 secrets_unusable",
      /restore the file/,
    ],
    [
      "a short IV",
      "a.sops.yaml",
      head(RECIPIENT + REST).replace(/iv:A+=/, "iv:AAAA"),
      "1:4 secrets_unusable",
      /restore the file/,
    ],
    [
      "damaged entries of clouds alone",
      "a.sops.yaml",
      head(`    kms: [{ arn: x }]\n    gcp_kms: [{}]\n    age: []\n${REST}`),
      "2:1 secrets_unusable",
      /is not encrypted for an age key \(age1\.\.\.\), nor for a key of AWS KMS.* but for a damaged entry in kms, a damaged entry in gcp_kms/,
    ],
    [
      "PGP alone, in a dotenv file",
      "a.sops.env",
      "A=ENC[\nsops_pgp__list_0__map_fp=x\nsops_mac=x\n",
      "2:1 secrets_unusable",
      /but for PGP/,
    ],
    [
      "an SSH key alone",
      "a.sops.yaml",
      head(`    age: [{ recipient: ssh-ed25519 AAAA, enc: x }]\n${REST}`),
      "2:1 secrets_unusable",
      /updatekeys/,
    ],
    ...(
      [
        ["ssh-ed25519 AAAA", "an SSH key"],
        ["age1pq1qqqq", "a damaged entry in age"],
        ["age1yubikey1qqqq", "a plugin of age"],
      ] as const
    ).map(([recipient, kind]): [string, string, string, string, RegExp] => [
      `${kind} and PGP alone`,
      "a.sops.yaml",
      head(`    age: [{ recipient: ${recipient}, enc: x }]\n    pgp: [{ fp: x }]\n${REST}`),
      "2:1 secrets_unusable",
      new RegExp(`, but for (?:PGP, )?${kind}(?:, PGP)?: .*updatekeys`),
    ]),
    [
      "key groups without a key that can be used",
      "a.sops.yaml",
      head(`    shamir_threshold: 2\n    key_groups: [{ age: [${ENTRY}] }, { pgp: [{ fp: x }] }]\n${REST}`),
      "2:1 secrets_unusable",
      /is not encrypted in 2 of its key groups for an age key.* but for PGP/,
    ],
    ...["1", "4", "2.5", "{}", '"x"'].map((threshold): [string, string, string, string, RegExp] => [
      `a threshold of ${threshold} of three key groups`,
      "a.sops.yaml",
      head(`    shamir_threshold: ${threshold}\n    key_groups: [{ age: [${ENTRY}] }, {}, {}]\n${REST}`),
      "2:1 secrets_unusable",
      /shamir_threshold that does not fit/,
    ]),
    [
      "a crowd of key groups",
      "a.sops.yaml",
      head(`    shamir_threshold: 2\n    key_groups: [${`{ age: [${ENTRY}] },`.repeat(17)}]\n${REST}`),
      "2:1 secrets_unusable",
      /more than 16 key groups/,
    ],
    [
      "key groups without a key in a dotenv file",
      "a.sops.env",
      "A=ENC[\nsops_shamir_threshold=2\nsops_key_groups__list_0__map_pgp__list_0__map_fp=x\nsops_key_groups__list_1__map_hc_vault=\n",
      "2:1 secrets_unusable",
      /in 2 of its key groups .* but for PGP/,
    ],
    [
      "no MAC",
      "a.sops.yaml",
      head(`${RECIPIENT}    lastmodified: "2026-11-28T04:00:00Z"\n`),
      "2:1 secrets_unusable",
      /has no MAC/,
    ],
    [
      "no time",
      "a.sops.yaml",
      head(RECIPIENT + REST).replace(/ +lastmodified.*\n/, ""),
      "2:1 secrets_unusable",
      /time of its last change/,
    ],
    ["a part of SOPS's that is none", "a.sops.yaml", "a: b\nsops: x\n", "2:1 secrets_unusable", /key sops without/],
    ["a key twice", "a.sops.yaml", "a: hunter2\na: hunter2\n", "2:1 secrets_unusable", /duplicated in its map/],
    [
      "a key twice in JSON",
      "a.sops.json",
      '{"a": "hunter2", "a": 1}',
      "1:18 secrets_unusable",
      /duplicated in its map/,
    ],
    [
      "a key twice in a dotenv file",
      "a.sops.env",
      "A=hunter2\nA=x\n",
      "2:1 secrets_unusable",
      /duplicated in the file/,
    ],
    ["an anchor", "a.sops.yaml", "a: &x hunter2\nb: c\n", "1:4 secrets_unusable", /an anchor or an alias/],
    ["an alias", "a.sops.yaml", "a: *hunter2\n", "1:4 secrets_unusable", /an anchor or an alias/],
    ["a tag", "a.sops.yaml", "a: !!binary hunter2\n", "1:4 secrets_unusable", /a YAML tag.* without a tag/],
    [
      "a merge key",
      "a.sops.yaml",
      "a:\n  <<: { b: hunter2 }\n",
      "2:3 secrets_unusable",
      /a merge key \(<<\).*write the merged keys out/,
    ],
    ["a merge key of sops", "a.sops.yaml", vector("merge.sops.yaml"), "4:5 secrets_unusable", /a merge key \(<<\)/],
    [
      "two documents",
      "a.sops.yaml",
      "a: hunter2\n---\nb: c\n",
      "2:1 secrets_unusable",
      /second YAML document.*into its own file/,
    ],
    [
      "two documents of sops",
      "a.sops.yaml",
      vector("multi.sops.yaml"),
      "19:1 secrets_unusable",
      /second YAML document/,
    ],
    [
      "a line separator, where sops ends a line",
      "a.sops.yaml",
      "a_unencrypted: '\u2028    hunter2'\n",
      "1:17 secrets_unusable",
      /a line separator \(U\+0085, U\+2028/,
    ],
    ["a directive", "a.sops.yaml", "%YAML 1.2\n---\na: hunter2\n", "1:1 secrets_unusable", /a YAML directive/],
    ["a key that is a number", "a.sops.yaml", "a: hunter2\n1: x\n", "2:1 secrets_unusable", /key is not a text/],
    ["a key that is a list", "a.sops.yaml", "? [a]\n: hunter2\n", "1:3 secrets_unusable", /key is not a text/],
    [
      "what is no YAML, of which nothing is repeated",
      "a.sops.yaml",
      'a: "hunter2" hunter2\n',
      "1:14 secrets_unusable",
      /cannot be read/,
    ],
    ["what is not JSON", "a.sops.json", "a: hunter2\n", "1:1 secrets_unusable", /must be a JSON object/],
    ["a list", "a.sops.yaml", "- hunter2\n", "1:1 secrets_unusable", /must be a map/],
    ["a list in JSON", "a.sops.json", '["hunter2"]', "1:1 secrets_unusable", /must be a JSON object/],
    ["a line that is no entry", "a.sops.env", "A=b\nhunter2\n", "2:1 secrets_unusable", /must be KEY=value/],
    ["an empty file", "a.sops.yaml", "", "1:1 secrets_unusable", /is empty/],
    ["an empty dotenv file", "a.sops.env", "# nothing\n", "1:1 secrets_unusable", /contains no secret/],
    ["too much", "a.sops.env", `A=${"x".repeat(65_536)}`, "1:1 secrets_unusable", /64 KiB/],
    [
      "too deep a map",
      "a.sops.json",
      `${'{"a":'.repeat(70)}1${"}".repeat(70)}`,
      "1:321 secrets_unusable",
      /more than 64 levels deep/,
    ],
    [
      "too deep a list in one line",
      "a.sops.yaml",
      `a:\n  ${"- ".repeat(70)}x\n`,
      "2:131 secrets_unusable",
      /more than 64 levels deep/,
    ],
    [
      "too deep a map by indentation",
      "a.sops.yaml",
      Array.from({ length: 300 }, (_, at) => `${" ".repeat(at)}a:\n`).join(""),
      "258:1 secrets_unusable",
      /more than 64 levels deep/,
    ],
    ["endless brackets", "a.sops.yaml", "[".repeat(65_536), "1:65 secrets_unusable", /more than 64 levels deep/],
    ["endless keys", "a.sops.yaml", "? ".repeat(32_768), "1:129 secrets_unusable", /more than 64 levels deep/],
    [
      "line ends that somebody changed",
      "a.sops.env",
      vector("every-type.sops.env").replaceAll("\n", "\r\n"),
      "2:1 secrets_unusable",
      /ended by a line feed/,
    ],
  ])("is refused with its place: %s", (_, name, text, place, message) => {
    const found = faults(name, text)
    expect(found[0]?.[0]).toBe(place)
    expect(found[0]?.[1]).toMatch(message)
    expect(JSON.stringify(found), "repeats no value").not.toContain("hunter2")
  })

  it("never throws, whatever SOPS's part of it says", () => {
    const keys = [
      "age",
      "mac",
      "lastmodified",
      "mac_only_encrypted",
      "shamir_threshold",
      "key_groups",
      "pgp",
      "encrypted_regex",
    ]
    const settings = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 }))
    const good = { age: [{ recipient: "age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy", enc: "x" }] }
    fc.assert(
      fc.property(settings, fc.boolean(), (some, isGood) => {
        const text = JSON.stringify({ a: "b", sops: { ...(isGood ? good : {}), ...some } })
        void readFile("a.sops.json", encode(text))
      }),
      { numRuns: runs(500) },
    )
  })

  it("never throws, whatever it is", () => {
    const name = fc.constantFrom("a.sops.yaml", "a.sops.json", "a.sops.env")
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.constantFrom(...Object.keys(OPENED).map(vector)))
    const cut = fc.tuple(text, fc.nat({ max: 6000 })).map(([whole, at]) => whole.slice(0, at))
    fc.assert(
      fc.property(name, fc.oneof(text, cut), (path, content) => void readFile(path, encode(content))),
      { numRuns: runs(300) },
    )
  })
})

describe("the rule by which SOPS encrypts", () => {
  it.each<[Record<string, string>, string, boolean | null]>([
    [{}, "a/b", true],
    [{}, "a/b_unencrypted", false],
    [{}, "a_unencrypted/b", false],
    [{ unencrypted_suffix: "_x" }, "a_unencrypted", true],
    [{ encrypted_suffix: "_x" }, "a", false],
    [{ encrypted_suffix: "_x" }, "a_x/b", true],
    [{ encrypted_regex: "^(data|stringData)$" }, "data/a", true],
    [{ encrypted_regex: "^(data|stringData)$" }, "metadata/a", false],
    [{ encrypted_regex: "data" }, "metadata", true],
    [{ encrypted_regex: "password|^token$" }, "my_password", true],
    [{ encrypted_regex: "password|^token$" }, "tokens", false],
    [{ unencrypted_regex: "^(kind)" }, "kinder", false],
    [{ unencrypted_regex: "(name)$" }, "rename", false],
    [{ unencrypted_regex: "^kind$" }, "a", true],
    [{ encrypted_regex: "^a|b$" }, "ax", true],
    [{ encrypted_regex: "(?i)data" }, "data", null],
    [{ encrypted_regex: "(a+)+$" }, "aaaa", null],
    [{ encrypted_regex: "^(|a)$" }, "a", null],
    [{ encrypted_comment_regex: "x" }, "a", null],
    [{ encrypted_suffix: "a", encrypted_regex: "b" }, "a", null],
  ])("%j, of %s: %s", (settings, path, encrypts) => {
    expect(keyRuleOf(settings)(path.split("/"))).toBe(encrypts)
  })
})
