import { OPERATOR_TOKEN_SECONDS } from "../../core/operator-rights.ts"
import type { Provider } from "../provider.ts"
import { tokenFor } from "../tool-login.ts"
import { type Connection, connection, type Grant, grant } from "./grant.ts"

const DEFAULT_VARIABLE = "DAYPASS_OPERATOR_TOKEN"

/**
 * Rights over the broker itself. So operators are decided by policy, held below ceilings, recorded and shown by `who-can` like
 * everybody else, and there is no other way in.
 */
export const broker: Provider<Connection, Grant> = {
  name: "broker",
  summary: "an operator token: rights over this broker, such as to read the record or to stop a connection",
  ends: "expires",
  connection,
  grant,

  check(wanted, allowed) {
    const beyond = wanted.may.filter((right) => !allowed.may.includes(right))
    if (beyond.length === 0) return null
    return `the connection does not offer ${beyond.join(", ")} (it offers ${allowed.may.join(", ")}): leave it out of may, or add it to the connection`
  },

  minTtlSeconds: 1,
  maxTtlSeconds: OPERATOR_TOKEN_SECONDS,
  local: () => true,

  underCeiling: (written) => {
    const { env: _, ...reach } = written as Grant
    return reach
  },

  resource: ({ may }) => `rights: ${may.join(", ")}`,

  token: () => ({ value: "token", type: "jwt" }),

  async mint({ grant: wanted, ttlSeconds, lease }, io) {
    const { may, owners, units, connections, env } = wanted
    const issuedAtSeconds = Math.floor(io.now().getTime() / 1000)
    const scope = {
      ...(owners === undefined ? {} : { owners }),
      ...(units === undefined ? {} : { units }),
      ...(connections === undefined ? {} : { connections }),
    }
    const token = await io.operatorToken({ may, scope, lease, ttlSeconds })
    return {
      values: { token: tokenFor(token, { env, by: DEFAULT_VARIABLE, logins: [] }) },
      expiresAt: new Date((issuedAtSeconds + ttlSeconds) * 1000),
      revocation: "expires-only",
    }
  },
}
