/** Limits of one request. */
export const MAX_BODY_BYTES = 16 * 1024
export const BODY_TIMEOUT_MS = 10_000
/** Larger than the largest token that the verifier accepts, so the verifier refuses a slightly larger token with its own message. */
export const MAX_AUTHORIZATION_CHARACTERS = 20 * 1024
