import { generateKeyPair } from "jose"
import { describe, expect, test } from "vitest"
import { Secret } from "../../../broker/core/secret.ts"
import { importAppKey } from "../../../broker/github/app-key.ts"

const ALGORITHM = "RSASSA-PKCS1-v1_5"
/** What PKCS#8 says before an RSA key of 2048 bits and more: two heads of four bytes, the version, the algorithm. */
const PKCS8_HEAD_BYTES = 26

async function makeKey(modulusLength: number) {
  const algorithm = { name: ALGORITHM, hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]), modulusLength }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const der = new Uint8Array((await crypto.subtle.exportKey("pkcs8", privateKey)) as ArrayBuffer)
  return { publicKey, pkcs8: pem("PRIVATE KEY", der), pkcs1: pem("RSA PRIVATE KEY", der.subarray(PKCS8_HEAD_BYTES)) }
}

function pem(label: string, der: Uint8Array, end = "\n"): string {
  const body = btoa(String.fromCharCode(...der)).replace(/(.{64})/g, `$1${end}`)
  return `-----BEGIN ${label}-----${end}${body}${end}-----END ${label}-----${end}`
}

const strong = await makeKey(2048)
const import_ = (text: string) => importAppKey(new Secret(text))

async function faultOf(text: string): Promise<string> {
  const imported = await import_(text)
  return imported.ok ? "" : imported.fault
}

describe("an App's private key", () => {
  const WRITTEN: [string, string][] = [
    ["in PKCS#1, as GitHub hands it out", strong.pkcs1],
    ["in PKCS#8", strong.pkcs8],
    ["in PKCS#1 with written-out line breaks", strong.pkcs1.replaceAll("\n", "\\n")],
    ["in PKCS#8 with written-out line breaks", strong.pkcs8.replaceAll("\n", "\\n")],
    ["with the line ends of Windows", strong.pkcs1.replaceAll("\n", "\r\n")],
    ["with written-out line ends of Windows", strong.pkcs1.replaceAll("\n", "\\r\\n")],
    ["without a line break at its end", strong.pkcs1.trimEnd()],
    ["with white space around it", `\n  ${strong.pkcs8}\n\n`],
    ["on one line", strong.pkcs1.replaceAll("\n", " ")],
  ]
  test.each(WRITTEN)("%s signs RS256", async (_, text) => {
    const imported = await import_(text)
    if (!imported.ok) throw new Error(imported.fault)
    const data = new TextEncoder().encode("signed")
    const signature = await crypto.subtle.sign(ALGORITHM, imported.value, data)
    expect(await crypto.subtle.verify(ALGORITHM, strong.publicKey, signature, data)).toBe(true)
  })

  test("cannot be exported again, and can only sign", async () => {
    const imported = await import_(strong.pkcs1)
    if (!imported.ok) throw new Error(imported.fault)
    expect(imported.value.extractable).toBe(false)
    expect(imported.value.usages).toEqual(["sign"])
  })

  test.each([3072, 4096])("may have %i bits, in both forms", async (bits) => {
    const key = await makeKey(bits)
    for (const text of [key.pkcs1, key.pkcs8]) expect((await import_(text)).ok).toBe(true)
  })
})

describe("refused, without a word of the text, is", () => {
  test("a key of 1024 bits, in both forms", async () => {
    const weak = await makeKey(1024)
    for (const text of [weak.pkcs1, weak.pkcs8]) expect(await faultOf(text)).toContain("has 1024 bits")
  })

  const body = strong.pkcs8.split("\n").slice(1, -2).join("\n")
  const bytes = Uint8Array.from(atob(body.replaceAll("\n", "")), (character) => character.charCodeAt(0))
  const REFUSED: [string, string, RegExp][] = [
    ["nothing", "", /is not one private key in PEM/],
    ["a text that is none", "hunter2-hunter2", /is not one private key in PEM/],
    ["base64 without its lines around", body, /is not one private key in PEM/],
    ["half a file", strong.pkcs1.slice(0, 700), /is not one private key in PEM/],
    [
      "lines around that differ",
      strong.pkcs8.replace("END PRIVATE", "END RSA PRIVATE"),
      /is not one private key in PEM/,
    ],
    ["two keys", strong.pkcs8 + strong.pkcs8, /is damaged/],
    ["a public key", pem("PUBLIC KEY", bytes.subarray(0, 90)), /is only the public half/],
    ["a certificate", pem("CERTIFICATE", bytes), /is not an RSA private key/],
    ["a key of an elliptic curve", pem("EC PRIVATE KEY", bytes), /is not an RSA private key/],
    ["an OpenSSH key", pem("OPENSSH PRIVATE KEY", bytes), /is not an RSA private key/],
    ["a locked key", pem("ENCRYPTED PRIVATE KEY", bytes), /passphrase/],
    [
      "a locked key of the old form",
      strong.pkcs1.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n"),
      /passphrase/,
    ],
    ["what is no base64 inside", pem("PRIVATE KEY", bytes).replace("MII", "%II"), /is damaged/],
    ["a form under the other's name", pem("RSA PRIVATE KEY", bytes), /is damaged, or is not an RSA key/],
    [
      "the other form under this name",
      pem("PRIVATE KEY", bytes.subarray(PKCS8_HEAD_BYTES)),
      /is damaged, or is not an RSA key/,
    ],
    ["a key that was cut", pem("PRIVATE KEY", bytes.subarray(0, 400)), /is damaged, or is not an RSA key/],
    ["a very long text", `${"x".repeat(10_000)}${strong.pkcs8}`, /is too long/],
  ]
  test.each(REFUSED)("%s", async (_, text, fault) => {
    const said = await faultOf(text)
    expect(said).toMatch(fault)
    for (const part of text.match(/[A-Za-z0-9+/-]{12,}/g) ?? []) expect(said).not.toContain(part)
  })

  test("a key of an elliptic curve in PKCS#8", async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true })
    const der = new Uint8Array((await crypto.subtle.exportKey("pkcs8", privateKey)) as ArrayBuffer)
    expect(await faultOf(pem("PRIVATE KEY", der))).toMatch(/is not an RSA key/)
  })
})
