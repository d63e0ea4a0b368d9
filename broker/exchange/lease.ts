import type { Identity } from "../core/identity.ts"
import type { LeaseCredential } from "../ports/ledger.ts"
import type { SealContext } from "../signing/sealer.ts"
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

/** The context that a revocation handle is sealed for. */
export const handleContext = (
  ledger: { readonly issuerUrl: string; readonly repositoryId: string },
  lease: string,
  grant: string,
): SealContext => ({
  kind: "revocation-handle",
  repository: `${ledger.issuerUrl} ${ledger.repositoryId}`,
  id: `${lease}/${grant}`,
})

/** Revokes the credentials of a failed exchange. Returns those that are still alive; they stay recorded on the lease. */
export async function revokeMinted(minted: readonly MintedGrant[], broker: Broker): Promise<readonly MintedGrant[]> {
  const revocable = minted.flatMap(({ granted, minted: credential }): Revocable[] => {
    const { name, connection } = granted.grant
    return credential.handle
      ? [{ grant: name, provider: connection.provider, connection, handle: credential.handle }]
      : []
  })
  const outcomes = await revokeAll(revocable, broker, FAILED_EXCHANGE_WINDOW_MS)
  return minted.filter(({ granted }) => outcomes[granted.grant.name] !== "revoked")
}
