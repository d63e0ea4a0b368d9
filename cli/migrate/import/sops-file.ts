import { createCipheriv, createHash, randomBytes } from "node:crypto"

/** Values by their keys, in their order. */
export type Values = readonly (readonly [key: string, value: string])[]

/** The version of SOPS whose form this is. It reads files of older and newer ones. */
const SOPS_VERSION = "3.11.0"
/** Keys with this end stay in the clear by SOPS's default, which this file keeps. */
const PLAIN_SUFFIX = "_unencrypted"
const IV_BYTES = 32
const KEY_BYTES = 32

/** A recipient of age: an X25519 key, or a post-quantum one. */
export const RECIPIENT = /^age1(?:[ac-hj-np-z02-9]{58}|pq1[ac-hj-np-z02-9]{1952})$/

/** Why a key cannot be in such a file; null when it can. */
export function keyFault(key: string): string | null {
  if (!/^(?!\.+$)[A-Za-z0-9_.-]{1,128}$/.test(key)) return "has other characters than letters, digits and _ . -"
  if (key === "sops") return "is the name of SOPS's own part of the file"
  return key.endsWith(PLAIN_SUFFIX) ? `ends with ${PLAIN_SUFFIX}, which SOPS leaves in the clear` : null
}

/**
 * A SOPS file in YAML with these values, encrypted for these recipients of age. `sops` opens and edits it.
 *
 * SOPS has no description of its format but its code: AES-256-GCM with an IV of 32 bytes, the way to the value as additional
 * data, and over all values SHA-512, encrypted with the time as additional data. The values are never written in the clear.
 */
export async function sopsFile(values: Values, recipients: readonly string[], now: Date): Promise<string> {
  const dataKey = randomBytes(KEY_BYTES)
  const lastModified = now.toISOString().replace(/\.[0-9]+Z$/, "Z")
  const lines = values.map(([key, value]) => `${JSON.stringify(key)}: ${sealed(value, dataKey, `${key}:`)}`)
  const hash = createHash("sha512")
  for (const [, value] of values) hash.update(value, "utf8")
  const mac = sealed(hash.digest("hex").toUpperCase(), dataKey, lastModified)
  const age = await Promise.all(recipients.map((recipient) => wrapped(dataKey, recipient)))
  return [
    ...lines,
    "sops:",
    "    age:",
    ...age.flatMap(({ recipient, enc }) => [
      `        - recipient: ${recipient}`,
      "          enc: |",
      ...enc
        .trimEnd()
        .split("\n")
        .map((line) => `            ${line}`),
    ]),
    `    lastmodified: "${lastModified}"`,
    `    mac: ${mac}`,
    `    unencrypted_suffix: ${PLAIN_SUFFIX}`,
    `    version: ${SOPS_VERSION}`,
    "",
  ].join("\n")
}

/** SOPS leaves an empty text as it is. */
function sealed(value: string, key: Uint8Array, boundTo: string): string {
  if (value === "") return '""'
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(boundTo))
  const data = Buffer.concat([cipher.update(value, "utf8"), cipher.final()])
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")
  return `ENC[AES256_GCM,data:${text(data)},iv:${text(iv)},tag:${text(cipher.getAuthTag())},type:str]`
}

async function wrapped(dataKey: Uint8Array, recipient: string) {
  const { armor, Encrypter } = await import("age-encryption")
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return { recipient, enc: armor.encode(await encrypter.encrypt(dataKey)) }
}
