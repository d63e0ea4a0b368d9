import { TOKEN_CLAIMS } from "../core/claims/claim-fact.ts"
import type { Claims, Identity } from "../core/identity.ts"
import type { Connection } from "../core/policy/model.ts"
import { identityTokenSubject } from "../signing/identity-token.ts"

/**
 * Whose login it is: the connection as it is set up now, what the other side was told of the job, and the scope.
 *
 * The other side may decide on any claim of an identity token, so that a login serves those jobs only whose tokens would
 * say the very same: in practice the jobs of one run, which is where many ask at once. `check_run_id` alone tells these
 * apart and is left out.
 */
export function loginKey(
  about: { readonly identity: Identity | null; readonly grant: string; readonly connection: Connection },
  scope: string,
): string {
  const { identity, grant, connection } = about
  const told = identity && [identity.issuerUrl, identityTokenSubject(identity, grant), toldOf(identity.claims)]
  return JSON.stringify([connection.name, connection.provider, connection.settings, told, scope])
}

/** In an order of its own: issuers promise none. */
const toldOf = (claims: Claims) =>
  Object.entries(claims)
    .filter(([name]) => !OF_ONE_TOKEN.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))

const OF_ONE_TOKEN: ReadonlySet<string> = new Set([...TOKEN_CLAIMS, "check_run_id"])
