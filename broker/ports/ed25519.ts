import type { VerifyEd25519 } from "../core/checkpoint/verifier-key.ts"
import type { Secret } from "../core/secret.ts"

/** Keys of Ed25519 (RFC 8032), with which the log of heads and its witnesses sign. */
export interface Ed25519 {
  /** A new key: PKCS#8, DER. */
  generate(): Promise<Secret<Uint8Array>>
  /** @throws {TypeError} when it is no such key; the error quotes nothing of it. */
  signer(pkcs8: Secret<Uint8Array>): Promise<Ed25519Signer>
  readonly verify: VerifyEd25519
}

export interface Ed25519Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>
}
