import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import type { Permissions } from "./permissions.ts"
import { StoreRefusal } from "./refusal.ts"

export interface StoredKey {
  readonly arn: string
  readonly enabled?: boolean
  /** ARNs of aliases. */
  readonly aliases?: readonly string[]
}

type Context = Readonly<Record<string, string>>

const INPUTS = ["CiphertextBlob", "KeyId", "EncryptionContext"]
const IV_BYTES = 12
const TAG_BYTES = 16

/** Symmetric keys of AWS KMS. A ciphertext names its key, and is bound to the encryption context. */
export class KmsKeys {
  readonly #keys = new Map<string, StoredKey & { readonly bytes: Buffer }>()

  add(key: StoredKey): void {
    this.#keys.set(key.arn, { ...key, bytes: randomBytes(32) })
  }

  /** What Encrypt answers, in base64. */
  encrypt(arn: string, plaintext: Uint8Array, context: Context = {}): string {
    const key = this.#find(arn)
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv("aes-256-gcm", key.bytes, iv).setAAD(aad(context))
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    const name = Buffer.from(key.arn)
    return Buffer.concat([Buffer.of(name.length), name, iv, sealed]).toString("base64")
  }

  /** Decrypt. The key must be named: the broker's caller must not let a ciphertext choose it. @throws {StoreRefusal} */
  decrypt(input: Readonly<Record<string, unknown>>, permissions: Permissions): object {
    const { CiphertextBlob: blob, KeyId: id, EncryptionContext: context = {} } = input
    if (Object.keys(input).some((name) => !INPUTS.includes(name)))
      throw new StoreRefusal("ValidationException", "Decrypt has no such parameter")
    if (typeof blob !== "string" || typeof id !== "string" || !isContext(context))
      throw new StoreRefusal("ValidationException", "1 validation error detected")
    const key = this.#find(id)
    permissions.demand("kms:Decrypt", key.arn)
    if (key.enabled === false) throw new StoreRefusal("DisabledException", `${key.arn} is disabled.`)
    const bytes = Buffer.from(blob, "base64")
    const length = bytes[0] ?? 0
    const named = bytes.subarray(1, 1 + length).toString()
    if (!this.#keys.has(named)) throw new StoreRefusal("InvalidCiphertextException", "")
    if (named !== key.arn)
      throw new StoreRefusal(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
      )
    const sealed = bytes.subarray(1 + length)
    const decipher = createDecipheriv("aes-256-gcm", key.bytes, sealed.subarray(0, IV_BYTES)).setAAD(aad(context))
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    try {
      const plain = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
      return { KeyId: key.arn, Plaintext: plain.toString("base64"), EncryptionAlgorithm: "SYMMETRIC_DEFAULT" }
    } catch {
      throw new StoreRefusal("InvalidCiphertextException", "")
    }
  }

  #find(id: string) {
    const key = [...this.#keys.values()].find(({ arn, aliases = [] }) => arn === id || aliases.includes(id))
    if (key === undefined) throw new StoreRefusal("NotFoundException", `Key '${id}' does not exist`)
    return key
  }
}

const isContext = (value: unknown): value is Context =>
  typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string")

/** The order of a context's members does not count. */
const aad = (context: Context) => Buffer.from(JSON.stringify(Object.entries(context).sort()))
