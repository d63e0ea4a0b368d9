import { BrokerError } from "../core/errors.ts"

/** Limits of one request. */
export const MAX_BODY_BYTES = 16 * 1024
/** A form that has a subject token in it, of at most 16 KiB. */
export const MAX_FORM_BYTES = 24 * 1024
export const BODY_TIMEOUT_MS = 10_000
/** Above the largest token that the verifier accepts: a slightly larger token gets the verifier's own message. */
export const MAX_AUTHORIZATION_CHARACTERS = 20 * 1024

export const tooLarge = (limit: number) =>
  new BrokerError("request_too_large", `The request's body is too large. The limit is ${limit} bytes.`)
