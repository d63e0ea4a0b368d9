/** What a request may weigh and take. */
export const MAX_BODY_BYTES = 16 * 1024
export const BODY_TIMEOUT_MS = 10_000
/** Above the largest token that is verified: what is between is refused by the verifier, with its own words. */
export const MAX_AUTHORIZATION_CHARACTERS = 20 * 1024
