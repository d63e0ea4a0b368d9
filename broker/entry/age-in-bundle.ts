// Replaces, in the bundles, the part of `@noble/hashes` that `age-encryption` imports for passphrases. The store `sops` accepts
// only keys, so it is never called.

// For @noble/hashes/scrypt.js.
export const scrypt = (): never => {
  throw new Error("this part of age is not in the bundle")
}
