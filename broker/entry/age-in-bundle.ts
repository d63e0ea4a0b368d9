// Stands in the Worker's bundle for parts of `@noble/*` that `age-encryption` imports and the store `sops` has no use for:
// post-quantum keys, passphrases, and X25519 in JavaScript where WebCrypto has none. Together they are a tenth of the bundle.
// `providers/sops/age.ts` takes X25519 keys alone, and workerd's WebCrypto has X25519: nothing here is ever called.

const missing = (): never => {
  throw new Error("this part of age is not in the bundle")
}

const none = { encapsulate: missing, decapsulate: missing, getPublicKey: missing }

// Of @noble/post-quantum/hybrid.js.
export const MLKEM768X25519 = none
export const MLKEM768P256 = none

// Of @noble/hashes/scrypt.js.
export const scrypt = missing

/** Of @noble/curves/ed25519.js: the curve's base point is all that is asked of it (RFC 7748 section 4.1). */
export const x25519 = {
  GuBytes: Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 9 : 0)),
  scalarMult: missing,
  scalarMultBase: missing,
}
