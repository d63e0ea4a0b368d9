import type { Identity } from "../core/identity.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import type { Secret } from "../core/secret.ts"
import type { LeaseCredential } from "../ports/ledger.ts"
import type { SealContext } from "../signing/sealer.ts"
import type { RevocationOutcome } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import { grantedUntil, type MintedGrant } from "./mint.ts"
import { FAILED_EXCHANGE_WINDOW_MS, type Revocable, revokeAll } from "./revoke-all.ts"

/** The ledger's form of minted credentials: how each ends, and its sealed revocation handle. Never the values. */
export async function leaseCredentials(
  minted: readonly MintedGrant[],
  identity: Identity,
  lease: string,
  broker: Broker,
): Promise<readonly LeaseCredential[]> {
  return await Promise.all(
    minted.map(async (one) => {
      const { grant } = one.granted
      const credential = one.minted
      const context = handleContext(identity, lease, grant.name)
      return {
        grant: grant.name,
        connection: grant.connection.name,
        provider: grant.connection.provider,
        revocation: credential.revocation,
        expiresAt: credential.expiresAt?.getTime() ?? null,
        grantedUntil: grantedUntil(one),
        sealedHandle: credential.handle ? await broker.sealer.seal(credential.handle, context) : null,
      }
    }),
  )
}

/** The ledger's form of a credential that is about to be minted: only how to revoke it. */
export async function preparedCredential(
  { grant, ttlSeconds }: GrantedGrant,
  prepared: { readonly handle: Secret<string>; readonly expiresAt: Date | null },
  identity: Identity,
  lease: string,
  broker: Broker,
): Promise<LeaseCredential> {
  return {
    grant: grant.name,
    connection: grant.connection.name,
    provider: grant.connection.provider,
    revocation: "revocable",
    expiresAt: prepared.expiresAt?.getTime() ?? null,
    grantedUntil: broker.clock.now().getTime() + ttlSeconds * 1000,
    sealedHandle: await broker.sealer.seal(prepared.handle, handleContext(identity, lease, grant.name)),
  }
}

/** The context that a revocation handle is sealed for. */
export const handleContext = (
  ledger: { readonly issuerUrl: string; readonly unitId: string },
  lease: string,
  grant: string,
): SealContext => ({
  kind: "revocation-handle",
  unit: `${ledger.issuerUrl} ${ledger.unitId}`,
  id: `${lease}/${grant}`,
})

/** Revokes what was minted and is not handed out. Returns what is still alive; it stays recorded on the lease. */
export async function revokeMinted(
  minted: readonly MintedGrant[],
  identity: Identity,
  lease: string,
  broker: Broker,
): Promise<readonly MintedGrant[]> {
  const outcomes = await outcomesOfRevoking(minted, identity, lease, broker)
  return minted.filter(({ granted }) => outcomes[granted.grant.name] !== "revoked")
}

/** Revokes what was minted. The outcome of every credential, by grant. */
export async function outcomesOfRevoking(
  minted: readonly MintedGrant[],
  identity: Identity,
  lease: string,
  broker: Broker,
): Promise<Record<string, RevocationOutcome>> {
  const revocable = minted.flatMap(({ granted, minted: credential }): Revocable[] => {
    const { name, connection } = granted.grant
    return credential.handle
      ? [{ grant: name, provider: connection.provider, connection: connection.name, handle: credential.handle }]
      : []
  })
  const none = minted.map(({ granted }) => [granted.grant.name, "expires-only"] as const)
  const of = { lease, issuerUrl: identity.issuerUrl, unitId: identity.unitId }
  return { ...Object.fromEntries(none), ...(await revokeAll(revocable, of, broker, FAILED_EXCHANGE_WINDOW_MS)) }
}
