/**
 * Every code that a problem document of the broker can carry, with its HTTP status and its title.
 *
 * Codes are stable: clients branch on them, and `action/advice.ts` has one sentence for each. A code never changes its
 * meaning. The text of `detail` can change at any time.
 */
export const PROBLEMS = {
  // The form of the request. No token was verified or used up, and nothing was recorded.
  request_malformed: { status: 400, title: "The request is malformed" },
  request_too_large: { status: 413, title: "The request is too large" },
  media_type_unsupported: { status: 415, title: "The body has the wrong media type" },
  method_not_allowed: { status: 405, title: "The method is not allowed here" },
  route_not_found: { status: 404, title: "There is nothing at this path" },
  wrong_host: { status: 421, title: "The broker does not answer at this host" },

  // The subject token. It was not used up, and nothing was recorded.
  token_missing: { status: 401, title: "The subject token is missing" },
  token_malformed: { status: 401, title: "The subject token is malformed" },
  token_issuer_unknown: { status: 401, title: "The subject token's issuer is not trusted" },
  token_signature_invalid: { status: 401, title: "The subject token's signature does not verify" },
  token_audience_mismatch: { status: 401, title: "The subject token is for another audience" },
  token_expired: { status: 401, title: "The subject token has expired" },
  token_not_yet_valid: { status: 401, title: "The subject token is not valid yet" },
  token_lifetime_too_long: { status: 401, title: "The subject token's lifetime is longer than its issuer's limit" },
  token_claims_invalid: { status: 401, title: "The subject token's claims do not fit its issuer" },
  token_already_used: { status: 401, title: "The subject token was used before" },
  token_too_old: { status: 401, title: "The subject token is older than what the ledger remembers" },
  proof_invalid: { status: 401, title: "The DPoP proof is not valid for this call" },
  key_mismatch: { status: 401, title: "The subject token is not bound to the key in the request" },
  bound_token_required: { status: 403, title: "A key-bound subject token is required" },
  issuer_unavailable: { status: 503, title: "The issuer's keys cannot be loaded" },

  // The decision.
  not_allowed: { status: 403, title: "No policy allows this" },
  ttl_too_short: { status: 400, title: "The requested lifetime is shorter than the provider's minimum" },
  policy_unavailable: { status: 503, title: "The policies cannot be loaded" },
  stopped: { status: 403, title: "An operator or an alarm has stopped this" },
  quota_exceeded: { status: 429, title: "The repository, or the unit of another CI, has reached a limit" },
  policy_invalid: { status: 403, title: "The repository's own policies have errors" },

  // Leases. A lease that does not exist and a lease of another job get the same answer.
  lease_not_found: { status: 404, title: "No such lease for this job" },
  lease_taken: { status: 409, title: "The lease's id was used before" },

  // The ledger, the providers and the broker itself.
  ledger_unavailable: { status: 503, title: "The ledger cannot be written" },
  provider_denied: { status: 502, title: "The provider refused" },
  provider_throttled: { status: 502, title: "The provider limits the rate of requests" },
  provider_unavailable: { status: 502, title: "The provider cannot be reached" },
  provider_response_invalid: { status: 502, title: "The provider's answer cannot be used" },
  secret_not_found: { status: 502, title: "The secret, its version or its field does not exist in the store" },
  secret_unusable: { status: 502, title: "The stored secret cannot be delivered" },
  configuration_invalid: { status: 503, title: "The broker's configuration has errors" },
  client_gone: { status: 408, title: "The client ended the connection before the answer" },
  shutting_down: { status: 503, title: "The broker is shutting down" },
  internal: { status: 500, title: "The broker failed" },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

/** A stable, public error code. */
export type ErrorCode = keyof typeof PROBLEMS

/** All codes, in the order above. */
export const ERROR_CODES = Object.keys(PROBLEMS) as readonly ErrorCode[]
