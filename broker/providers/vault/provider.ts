import { denied, invalid } from "../call.ts"
import type { Minted, Provider, ProviderIo } from "../provider.ts"
import { resourceOf } from "../read-all.ts"
import { locatorsOnly } from "../read-grant.ts"
import { audienceOf } from "../service.ts"
import { type Vault, vaultOf } from "./api.ts"
import { mintDynamic } from "./dynamic.ts"
import { engineAt } from "./engines.ts"
import {
  type Connection,
  ceilingFaultOf,
  conflictOf,
  connection,
  type Grant,
  grant,
  isReading,
  MAX_TTL_SECONDS,
  MIN_TTL_SECONDS,
} from "./grant.ts"
import { handleOf, openHandle, revokeAll } from "./handle.ts"
import { after, type HeldLogin, type Request, whileHolding } from "./login.ts"
import { readSecrets } from "./reading.ts"

/** HashiCorp Vault and OpenBao, with the broker's identity token. No token of Vault is stored. */
export const vault: Provider<Connection, Grant> = {
  name: "vault",
  summary: "secrets, dynamic credentials and tokens of HashiCorp Vault or OpenBao",
  ends: "revoked with the lease; what was read does not end",
  connection,
  grant,
  check: conflictOf,
  checkCeiling: ceilingFaultOf,
  minTtlSeconds: MIN_TTL_SECONDS,
  maxTtlSeconds: MAX_TTL_SECONDS,
  underCeiling: fieldsOnly,

  audiences: (settings) => ({ presented: [audienceOf(settings)] }),

  resource(wanted) {
    return isReading(wanted) ? resourceOf(wanted) : (wanted.dynamic ?? `a token of the role ${wanted.role}`)
  },

  token: (wanted) =>
    isReading(wanted) || wanted.dynamic !== undefined ? null : { value: "token", type: "access_token" },

  async mint(request, io) {
    const at = vaultOf(request.connectionName, request.connection)
    const { dynamic, env = {}, parameters } = request.grant
    if (isReading(request.grant)) return await readSecrets(at, request, io)
    if (dynamic !== undefined) {
      const engine = engineAt(dynamic, request.connection.dynamic)
      return await mintDynamic(at, { dynamic, env, parameters, engine }, request, io)
    }
    return await mintToken(at, request, io)
  },

  /** A login that was lost before its handle was recorded lives as long as its role says. The broker does not know that time. */
  unrecordedSeconds: (wanted) => (isReading(wanted) ? 0 : MAX_TTL_SECONDS),

  async revoke(handle, connectionName, io) {
    const { vault: at, holding } = openHandle(connectionName, handle)
    await revokeAll(at, holding, io)
  },
}

/** The job gets the login's own token. It is revoked at the end, with everything that was minted with it. */
function mintToken(at: Vault, request: Request, io: ProviderIo): Promise<Minted> {
  return whileHolding(at, request, io, async (login) => {
    const { ttlSeconds, connection: settings } = request
    if (login.seconds > ttlSeconds) {
      throw invalid(
        at.side,
        `is a token for ${login.seconds} s, but ${ttlSeconds} s were granted, and it cannot be shortened. Let the role issue renewable tokens, without token_period`,
      )
    }
    return {
      values: {
        token: { value: login.token, env: "VAULT_TOKEN", recorded: "fingerprint" },
        address: { value: settings.url, env: "VAULT_ADDR" },
        ...(settings.namespace === undefined
          ? {}
          : { namespace: { value: settings.namespace, env: "VAULT_NAMESPACE" } }),
      },
      expiresAt: endInAnyCase(at, login),
      revocation: "revocable",
      handle: handleOf(at, { ...login, leases: [] }),
    }
  })
}

/**
 * When the token ends even if its holder renews it; null when there is no such time. The job can renew a renewable token,
 * so its current end does not count: the broker revokes it when the granted time is over.
 */
function endInAnyCase({ side }: Vault, { isRenewable, explicitMaxSeconds, from, endsAt }: HeldLogin): Date | null {
  if (explicitMaxSeconds === null) {
    throw denied(
      side,
      "the role's tokens may not look themselves up, so the broker cannot know when they end. Keep Vault's policy default on the role, or allow read on auth/token/lookup-self",
    )
  }
  if (!isRenewable) return endsAt
  return explicitMaxSeconds === 0 ? null : after(from, explicitMaxSeconds)
}

/** The form of a grant that boundaries check: variables with their locators and fields, without the form of delivery. */
function fieldsOnly(wanted: unknown): unknown {
  const seen = locatorsOnly(wanted)
  if (typeof seen !== "object" || seen === null || !("env" in seen)) return seen
  const { read: env } = locatorsOnly({ read: seen.env }) as { readonly read: unknown }
  return { ...seen, env }
}
