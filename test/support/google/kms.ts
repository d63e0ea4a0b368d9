import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { ApiRefusal } from "./answer.ts"
import { checksumOf } from "./secret-manager.ts"
import type { Tokens } from "./tokens.ts"

export interface StoredKey {
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K` */
  readonly name: string
  /** Members with `roles/cloudkms.cryptoKeyDecrypter` on it. */
  readonly decrypters: readonly string[]
  readonly disabled?: boolean
}

const SCOPES = ["https://www.googleapis.com/auth/cloudkms", "https://www.googleapis.com/auth/cloud-platform"]
const PATH = /^\/v1\/(projects\/[^/?#:]+\/locations\/[^/?#:]+\/keyRings\/[^/?#:]+\/cryptoKeys\/[^/?#:]+):decrypt$/
const IV_BYTES = 12
const TAG_BYTES = 16

/** Which key a request for a decryption names; null when the path is none. */
export const decryptPathOf = (url: string) => PATH.exec(url)?.[1] ?? null

/** Symmetric keys of Cloud KMS. */
export class KmsKeys {
  readonly #keys = new Map<string, StoredKey & { readonly bytes: Buffer }>()

  add(key: StoredKey): void {
    this.#keys.set(key.name, { ...key, bytes: this.#keys.get(key.name)?.bytes ?? randomBytes(32) })
  }

  /** What `encrypt` answers, in base64. */
  encrypt(name: string, plaintext: Uint8Array): string {
    const key = this.#keys.get(name)
    if (key === undefined) throw new TypeError(`there is no key ${name}`)
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv("aes-256-gcm", key.bytes, iv)
    return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString("base64")
  }

  /** `cryptoKeys.decrypt`. Rights come first. @throws {ApiRefusal} */
  decrypt(
    name: string,
    {
      contentType,
      authorization,
    }: { readonly contentType: string | undefined; readonly authorization: string | undefined },
    body: string | null,
    tokens: Tokens,
  ): Readonly<Record<string, unknown>> {
    const holder = tokens.holder(/^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "")
    if (!holder) throw new ApiRefusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")
    if (!holder.scopes.some((scope) => SCOPES.includes(scope)))
      throw new ApiRefusal("PERMISSION_DENIED", "Insufficient scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    const key = this.#keys.get(decodeURIComponent(name))
    if (!key || !holder.members.some((member) => key.decrypters.includes(member)))
      throw new ApiRefusal(
        "PERMISSION_DENIED",
        `Permission 'cloudkms.cryptoKeyVersions.useToDecrypt' denied on resource '${name}' (or it may not exist).`,
        "IAM_PERMISSION_DENIED",
      )
    const { ciphertext, ciphertextCrc32c, ...others } = parsed(contentType, body)
    if (typeof ciphertext !== "string" || Object.keys(others).length > 0)
      throw new ApiRefusal("INVALID_ARGUMENT", "Invalid JSON payload received.")
    const sealed = Buffer.from(ciphertext, "base64")
    if (ciphertextCrc32c !== String(checksumOf(sealed)))
      throw new ApiRefusal("INVALID_ARGUMENT", "The checksum in field ciphertext_crc32c did not match the data.")
    if (key.disabled)
      throw new ApiRefusal(
        "FAILED_PRECONDITION",
        `${name}/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.`,
      )
    try {
      const decipher = createDecipheriv("aes-256-gcm", key.bytes, sealed.subarray(0, IV_BYTES))
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      const plain = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
      return {
        plaintext: plain.toString("base64"),
        plaintextCrc32c: String(checksumOf(plain)),
        usedPrimary: true,
        protectionLevel: "SOFTWARE",
      }
    } catch {
      throw new ApiRefusal("INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.")
    }
  }
}

function parsed(contentType: string | undefined, body: string | null): Readonly<Record<string, unknown>> {
  try {
    if (contentType === "application/json") return JSON.parse(body ?? "")
  } catch {
    // The same refusal as for any other text.
  }
  throw new ApiRefusal("INVALID_ARGUMENT", "Invalid JSON payload received.")
}
