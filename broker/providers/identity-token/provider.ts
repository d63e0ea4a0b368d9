import { IDENTITY_TOKEN_SECONDS } from "../../core/duration.ts"
import type { Provider } from "../provider.ts"
import { loginOf, tokenFor } from "../tool-login.ts"
import { type Connection, connection, type Grant, grant } from "./grant.ts"

const DEFAULT_VARIABLE = "DAYPASS_IDENTITY_TOKEN"

/** The broker's own token, for any service that trusts OIDC: Vault, Kubernetes, Snowflake, or your own service. */
export const identityToken: Provider<Connection, Grant> = {
  name: "identity-token",
  summary: "a short-lived OIDC token of the broker for one audience",
  ends: "expires",
  connection,
  grant,

  check(wanted, allowed) {
    if (allowed.audiences.includes(wanted.audience)) return null
    return `the audience ${wanted.audience} is not among the connection's audiences (${allowed.audiences.join(", ")}): use one of these, or add it to the connection`
  },

  minTtlSeconds: 1,
  maxTtlSeconds: IDENTITY_TOKEN_SECONDS,
  local: () => true,

  audiences: ({ audiences }) => ({ handedOut: audiences }),

  resource: (wanted) => wanted.audience,

  token: () => ({ value: "token", type: "jwt" }),

  async mint({ grant: wanted, ttlSeconds }, io) {
    const issuedAtSeconds = Math.floor(io.now().getTime() / 1000)
    const token = await io.identityToken(wanted.audience, { claims: wanted.claims ?? {}, ttlSeconds })
    const logins = wanted.as === undefined ? [] : [loginOf(wanted.as, wanted)]
    return {
      values: { token: tokenFor(token, { env: wanted.env, by: DEFAULT_VARIABLE, logins }) },
      expiresAt: new Date((issuedAtSeconds + ttlSeconds) * 1000),
      revocation: "expires-only",
    }
  },
}
