import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { base64url } from "jose"

/**
 * SHA-256 over a text in UTF-8, base64url.
 *
 * Does not use WebCrypto: for short texts, its detour through another thread takes longer than the hash itself.
 */
export const digestOf = (text: string): string => base64url.encode(sha256(utf8ToBytes(text)))
