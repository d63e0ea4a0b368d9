import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { webEd25519 } from "../../../broker/adapters/web/ed25519.ts"
import { formatCheckpoint, parseCheckpoint } from "../../../broker/core/checkpoint/checkpoint.ts"
import { formatNote, parseNote } from "../../../broker/core/checkpoint/note.ts"
import { parseTrustPolicy, verifyCheckpoint } from "../../../broker/core/checkpoint/trust-policy.ts"
import { formatVerifierKey, parseVerifierKey, verifySignatures } from "../../../broker/core/checkpoint/verifier-key.ts"
import { signerOf } from "../../support/ed25519.ts"
import vectors from "../../vectors/checkpoint.json" with { type: "json" }

const { verify } = webEd25519
const LOG = await signerOf("daypass.example/log/1", 7)
const WITNESSES = await Promise.all(
  [8, 9, 10, 11].map((seed) => signerOf(`witness.example/w${seed - 7}`, seed, "cosignature")),
)
const TEXT = formatCheckpoint({ origin: LOG.key.name, size: 3, root: new Uint8Array(32).fill(5) })
const SIGNED = `${TEXT}\n${await LOG.sign(TEXT)}`
const COSIGNED = await Promise.all(WITNESSES.map((witness) => witness.sign(TEXT)))

const keyOf = (text: string) => {
  const key = parseVerifierKey(text, sha256)
  if (!key.ok) throw new Error(key.fault)
  return key.value
}
const noteOf = (text: string) => {
  const note = parseNote(utf8ToBytes(text))
  if (!note.ok) throw new Error(note.fault)
  return note.value
}
const checked = async (note: string, policyText: string) => {
  const policy = parseTrustPolicy(policyText, sha256)
  if (!policy.ok) throw new Error(policy.fault)
  const checkpoint = parseCheckpoint(utf8ToBytes(note))
  return checkpoint.ok ? verifyCheckpoint(checkpoint.value, policy.value, verify) : checkpoint
}

describe("a note", () => {
  it("that Go's libraries signed and cosigned is read, verified and written again, byte for byte", async () => {
    const note = noteOf(vectors.checkpoint)
    expect(formatNote(note)).toBe(vectors.checkpoint)
    const keys = [vectors.log_key, vectors.witness_key].map(keyOf)
    expect(keys.map(formatVerifierKey)).toEqual([vectors.log_key, vectors.witness_key])
    const verified = await verifySignatures(note.text, note.signatures, keys, verify)
    expect(verified).toMatchObject({ ok: true, value: [{ time: null }, { time: expect.any(Number) }] })
    // The keys of the vector are made from the same bytes as ours, so that we must sign the same.
    expect(`${note.text}\n${await LOG.sign(note.text)}`).toBe(
      `${vectors.checkpoint.split("\n").slice(0, 5).join("\n")}\n`,
    )
  })

  it("is refused when a known key's signature is wrong, and whoever is unknown is ignored", async () => {
    const [line = ""] = COSIGNED
    const note = noteOf(`${SIGNED}${line}`)
    const known = [LOG.key]
    expect(await verifySignatures(note.text, note.signatures, known, verify)).toMatchObject({ ok: true, value: [{}] })
    const changed = noteOf(`${SIGNED}${line}`.replace("\n3\n", "\n4\n"))
    for (const key of [LOG.key, WITNESSES[0]?.key as never]) {
      expect(await verifySignatures(changed.text, changed.signatures, [key], verify)).toMatchObject({ ok: false })
    }
    const stranger = await signerOf(LOG.key.name, 99)
    const both = noteOf(`${SIGNED}${await stranger.sign("another text")}`)
    expect(await verifySignatures(both.text, both.signatures, known, verify)).toMatchObject({ ok: true, value: [{}] })
  })

  it("with 16 signatures is accepted, and with no end of them refused", async () => {
    const many = await Promise.all(Array.from({ length: 16 }, (_, at) => signerOf(`k${at}`, at + 1)))
    const lines = await Promise.all(many.map((signer) => signer.sign(TEXT)))
    const note = noteOf(`${TEXT}\n${lines.join("")}`)
    const keys = many.map(({ key }) => key)
    expect(await verifySignatures(note.text, note.signatures, keys, verify)).toMatchObject({ ok: true })
    expect(parseNote(utf8ToBytes(`${TEXT}\n${(lines[0] as string).repeat(101)}`)).ok).toBe(false)
  })

  it.each([
    ["no signature", TEXT],
    ["no empty line", SIGNED.replace("\n\n", "\n")],
    ["a cut line", SIGNED.slice(0, -1)],
    ["a carriage return", SIGNED.replace("\n3\n", "\n3\r\n")],
    ["a hyphen for the dash", SIGNED.replace("\u2014", "-")],
    ["a name with a plus", SIGNED.replace("\u2014 daypass", "\u2014 day+pass")],
    ["a name with a space of Unicode", SIGNED.replace("\u2014 daypass", "\u2014 day\u2003pass")],
    ["base64 of another alphabet", SIGNED.replace(/\S=\n$/, "_=\n")],
    ["a signature of nothing but an id", `${TEXT}\n\u2014 a AAAAAA==\n`],
    ["text after the signatures", `${SIGNED}more\n`],
  ])("with %s is refused", (_, text) => {
    expect(parseNote(utf8ToBytes(text)).ok).toBe(false)
  })

  it("of any bytes is refused or read, and never throws", () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    const texts = fc
      .array(fc.constantFrom("\n", "\n\n", "\u2014 ", "a ", "AAAAAAAA", "=", "index 0", "3"))
      .map((parts) => utf8ToBytes(parts.join("")))
    fc.assert(
      fc.property(fc.oneof(bytes, texts), (input) => {
        const note = parseNote(input)
        if (note.ok) expect(utf8ToBytes(formatNote(note.value))).toEqual(input)
        parseCheckpoint(input)
      }),
    )
  })
})

describe("a verifier key", () => {
  const good = formatVerifierKey(LOG.key)
  it.each([
    ["another id", good.replace(/\+[0-9a-f]{8}/, "+00000000"), "an id that does not fit"],
    ["another name", good.replace("daypass", "daypast"), "an id that does not fit"],
    ["no name", good.replace(/^[^+]*/, ""), "is no verifier key"],
    ["another kind", "example.com/x+00000000+Aq==", "is no verifier key"],
    ["a key of ML-DSA", "example.com/x+00000000+BgAA", "another kind than Ed25519"],
    ["too few bytes", "example.com/x+00000000+AQAA", "must have 32 bytes"],
  ])("with %s is refused", (_, text, reason) => {
    expect(parseVerifierKey(text, sha256)).toEqual({ ok: false, fault: expect.stringContaining(reason) })
  })
})

describe("a checkpoint", () => {
  it.each([
    ["a size with a zero in front", TEXT.replace("\n3\n", "\n03\n")],
    ["a negative size", TEXT.replace("\n3\n", "\n-3\n")],
    ["a size beyond any tree", TEXT.replace("\n3\n", "\n9007199254740993\n")],
    ["a short root", TEXT.replace(/\n[^\n]{44}\n/, "\nAAAA\n")],
    ["no origin", TEXT.replace(/^.*/, "")],
    ["two lines", TEXT.split("\n").slice(0, 2).join("\n").concat("\n")],
  ])("with %s is refused", async (_, text) => {
    expect(parseCheckpoint(utf8ToBytes(`${text}\n${await LOG.sign(text)}`)).ok).toBe(false)
  })
})

describe("a policy", () => {
  const [w1 = "", w2 = "", w3 = "", w4 = ""] = WITNESSES.map(
    ({ key }, at) => `witness w${at + 1} ${formatVerifierKey(key)}`,
  )
  const log = `log ${formatVerifierKey(LOG.key)} https://daypass.example`
  const two = `# two of three, and w4\n\n${log}\n${w1}\n\t${w2}  https://w2.example/\n${w3}\n${w4}\ngroup x 2 w1 w2 w3\ngroup both all x w4\nquorum both\n`

  it.each([
    ["none", "no witness", [], false],
    ["one of the group", "w1", [0, 3], false],
    ["the group alone", "w1, w2", [0, 1], false],
    ["both", "w1, w2, w4", [0, 1, 3], true],
    ["all", "all", [0, 1, 2, 3], true],
    ["one witness, twice", "w1", [0, 0, 3], false],
  ])("of two groups: cosigned by %s", async (_, __, who, good) => {
    const note = `${SIGNED}${who.map((at) => COSIGNED[at]).join("")}`
    expect((await checked(note, two)).ok).toBe(good)
  })

  it("without witnesses asks for its log's signature, under the log's own name", async () => {
    const policy = `${log}\nquorum none\n`
    expect(await checked(SIGNED, policy)).toMatchObject({ ok: true, value: { log: LOG.key, witnesses: [] } })
    const stranger = await signerOf(LOG.key.name, 99)
    expect(await checked(`${TEXT}\n${await stranger.sign(TEXT)}`, policy)).toMatchObject({ ok: false })
    // Another listed log must not sign for this one.
    const other = await signerOf("other.example/log", 98)
    const forged = `${TEXT}\n${await other.sign(TEXT)}`
    expect(await checked(forged, `${log}\nlog ${formatVerifierKey(other.key)}\nquorum none`)).toMatchObject({
      ok: false,
    })
    expect(await checked(SIGNED, `log ${formatVerifierKey(other.key)}\nquorum none`)).toMatchObject({
      fault: "the checkpoint is from a log that the policy does not list",
    })
    // A cosignature is no signature of the log.
    expect(await checked(`${TEXT}\n${COSIGNED[0]}`, `${log}\n${w1}\nquorum w1`)).toMatchObject({ ok: false })
  })

  it.each([
    ["no quorum", log, "no quorum line"],
    ["two quorums", `${log}\nquorum none\nquorum none`, "line 3 is a second quorum line"],
    ["an unknown word", "logs x", "line 1 starts with an unknown word"],
    ["an unknown name", "quorum w9", "line 1 names a quorum"],
    ["a witness with the key of a log", `witness w ${formatVerifierKey(LOG.key)}`, "signs no cosignatures"],
    ["a witness twice", `${w1}\n${w1.replace("w1 ", "w9 ")}`, "line 2 repeats a key"],
    ["a log twice", `${log}\n${log}`, "line 2 repeats a key"],
    ["a name twice", `${w1}\n${w2.replace("w2 ", "w1 ")}`, "line 2 repeats a name"],
    ["the name none", w1.replace("w1 ", "none "), "line 1 has no name"],
    ["a member before its line", `group g any w1\n${w1}`, "line 1 names a member"],
    ["a member of two groups", `${w1}\ngroup g any w1\ngroup h any w1`, "in a group already"],
    ["too high a number", `${w1}\ngroup g 2 w1`, "needs `any`, `all` or a number"],
    ["a number that is none", `${w1}\ngroup g 0x1 w1`, "needs `any`, `all` or a number"],
    ["a group of nobody", "group g any", "has no members"],
    ["a carriage return", `${log}\r\nquorum none`, "line 1 contains a control character"],
    ["a log of another form", "log x", "line 1 has a key that is no verifier key"],
  ])("with %s is refused", (_, text, reason) => {
    expect(parseTrustPolicy(text, sha256)).toEqual({ ok: false, fault: expect.stringContaining(reason) })
  })
})
