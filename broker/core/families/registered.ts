import type { ClaimFact } from "./claim-fact.ts"

const token = (claim: string, summary: string, sent: ClaimFact["sent"] = "always") =>
  [claim, { summary, sent, tells: "token", registered: true }] as const

/** The rows of the claims that verification reads itself, for a family whose tokens name issuer, audience and times as usual. */
export const REGISTERED_ROWS: readonly (readonly [string, ClaimFact])[] = [
  ["iss", { summary: "the issuer's URL", sent: "always", tells: "unit", registered: true }],
  token("aud", "whom the token is for"),
  token("exp", "when it expires"),
  token("nbf", "from when on it counts", "by-some-issuers"),
  token("iat", "when it was issued"),
  token("jti", "the token's own id", "by-some-issuers"),
]
