import type { ProviderCase } from "../case.ts"

const connection = { may: ["audit.read", "stop", "metrics.read"] }

/** This provider calls nobody, so that there is no refusal, failure or slowness of another side to record. */
export const cases: readonly ProviderCase[] = [
  {
    name: "hands out a token with rights over the broker, which ends when its exp says",
    connection,
    grant: { may: ["audit.read", "stop"], owners: ["github:9001"] },
    ttlSeconds: 900,
    replies: [],
    expect: {
      values: { token: { secret: true, env: "DAYPASS_OPERATOR_TOKEN" } },
      revocation: "expires-only",
      expiresAt: "2026-11-22T12:15:00.000Z",
    },
  },
  {
    name: "puts the token into the variable that the grant names, for the shorter time asked",
    connection,
    grant: { may: ["metrics.read"], env: "SCRAPE_TOKEN" },
    ttlSeconds: 60,
    replies: [],
    expect: {
      values: { token: { secret: true, env: "SCRAPE_TOKEN" } },
      revocation: "expires-only",
      expiresAt: "2026-11-22T12:01:00.000Z",
    },
  },
]
