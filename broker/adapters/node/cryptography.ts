import { hash } from "node:crypto"
import type { Cryptography } from "../../ports/cryptography.ts"
import { createRecipientKey, createWrappingKey } from "./jwe.ts"
import { createSigningKey, createVerifyingKey } from "./signatures.ts"

/** `node:crypto`, which does short work on the spot and long work in libuv's pool of threads. */
export const nodeCryptography: Cryptography = {
  digest: (text) => hash("sha256", text, "base64url"),
  verifyingKey: async (key, algorithm) => createVerifyingKey(key, algorithm),
  signingKey: async (pkcs8) => createSigningKey(pkcs8),
  recipientKey: async (key) => createRecipientKey(key),
  wrappingKey: createWrappingKey,
}
