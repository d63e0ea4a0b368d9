import type { TokenBinding } from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { FamilyFacts } from "../core/families/family-facts.ts"
import { CLOCK_SKEW_SECONDS } from "../issuers/claims.ts"
import type { JobKey } from "./call.ts"
import type { Proved } from "./caller.ts"

/** How a subject token is bound to a key of its job, in the words of the audit record. */
export function bindingOf({ token, proof }: Proved, { audience }: Pick<FamilyFacts, "audience">): TokenBinding {
  if (token.boundTo !== null) return "thumbprint"
  if (proof !== null) return "dpop"
  return audience === "job" ? "none" : "impossible"
}

/**
 * Checks that the key in the request is the one that the token's audience names, and the one that the proof proves, as far as
 * each is there. A bound token without its key, or with another key, is refused: so a stolen token is useless without the
 * key. A plain token with a key and no proof is refused too, because the caller believes that its token is bound.
 *
 * @throws {BrokerError} `key_mismatch`
 */
export function requireMatchingKey({ token, proof }: Proved, key: JobKey | undefined): void {
  if (token.boundTo !== null || proof === null) {
    if (token.boundTo !== (key?.thumbprint ?? null)) throw new BrokerError("key_mismatch", mismatch(token, key))
  }
  if (proof !== null && proof.thumbprint !== key?.thumbprint)
    throw new BrokerError("key_mismatch", key ? OTHER_PROOF : PROOF_WITHOUT_KEY)
}

/**
 * Checks that a proof without a key in the request is one of the key that the token's audience names, if it names one.
 *
 * @throws {BrokerError} `key_mismatch`
 */
export function requireOwnProof({ token, proof }: Proved): void {
  if (proof === null || token.boundTo === null || token.boundTo === proof.thumbprint) return
  throw new BrokerError("key_mismatch", OTHER_PROOF)
}

const OTHER_PROOF =
  "The DPoP proof is of a different key than the one that the request or the token's audience names. Use one key in all calls with a token."
const PROOF_WITHOUT_KEY =
  "The request has a DPoP proof, but no key. Send the public key of the proof as the member key, so that the answer can be encrypted to it."

function mismatch(token: Proved["token"], key: JobKey | undefined): string {
  if (token.boundTo === null) {
    return "The request has a key, but the subject token is not bound to it. Ask the runner for the audience `<audience>?jkt=<thumbprint of the key>`, or send a DPoP proof of the key."
  }
  if (key === undefined) {
    return "The subject token is bound to a key, but the request has no key. Send the public key that the token's audience names."
  }
  return "The subject token is bound to a different key than the one in the request. Send the public key that the token's audience names."
}

/**
 * The refusal of a token whose audience names no key, where only such a token is accepted. A proof does not help: who steals
 * a token before its first use can bind it to a key of their own.
 */
export function boundTokenRequired({ audience, title }: Pick<FamilyFacts, "audience" | "title">): string {
  const needed = "The requested grants need a key-bound subject token: one whose audience names a key of the job."
  const proof = "A DPoP proof is not enough, because a thief could be the first to send one."
  return audience === "job"
    ? `${needed} Use the Daypass action, or ask for the audience \`<audience>?jkt=<thumbprint of the key>\`. ${proof}`
    : `${needed} The audience of a token of ${title} cannot name one. ${proof} Use a connection without require_bound_token for these jobs.`
}

/**
 * For how long a call with a proof can be granted something, in seconds: until the token's `exp`. Then the session of the
 * token and its key ends, and the job could not revoke any more. Undefined for a call without a proof.
 */
export function sessionSeconds({ token, proof }: Proved, now: Date): number | undefined {
  if (proof === null) return undefined
  return Math.floor(token.diesAt - CLOCK_SKEW_SECONDS - now.getTime() / 1000)
}
