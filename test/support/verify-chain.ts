import { sha256 } from "@noble/hashes/sha2.js"
import { type ChainVerdict, ChainVerifier } from "../../analysis/audit/verify.ts"

/** Verifies an exported audit trail that is in memory. */
export function verifyChain(chunks: Iterable<Uint8Array>, noted: Iterable<string> = []): ChainVerdict {
  const verifier = new ChainVerifier(sha256, noted)
  for (const chunk of chunks) verifier.push(chunk)
  return verifier.end()
}
