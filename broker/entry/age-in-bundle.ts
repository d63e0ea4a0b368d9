// Replaces, in the Worker's bundle, parts of `@noble/*` that `age-encryption` imports and the store `sops` does not use:
// post-quantum keys, passphrases, and X25519 in JavaScript for runtimes without it. Together they are a tenth of the
// bundle. `providers/sops/age.ts` accepts only X25519 keys, and workerd's WebCrypto has X25519, so nothing here is ever
// called.

const missing = (): never => {
  throw new Error("this part of age is not in the bundle")
}

const none = { encapsulate: missing, decapsulate: missing, getPublicKey: missing }

// For @noble/post-quantum/hybrid.js.
export const MLKEM768X25519 = none
export const MLKEM768P256 = none

// For @noble/hashes/scrypt.js.
export const scrypt = missing

/** For @noble/curves/ed25519.js: only the curve's base point is used (RFC 7748 section 4.1). */
export const x25519 = {
  GuBytes: Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 9 : 0)),
  scalarMult: missing,
  scalarMultBase: missing,
}
