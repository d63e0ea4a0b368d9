import { TOKEN_CLAIMS } from "../core/families/claim-fact.ts"
import type { Claims, Identity } from "../core/identity.ts"
import type { Connection } from "../core/policy/model.ts"
import { identityTokenSubject } from "../wire/subject.ts"

/**
 * The cache key of a login: the connection with its current settings, the job's claims that the vendor received, and the
 * scope.
 *
 * The vendor may decide on any claim of an identity token. So a login is reused only for jobs whose tokens have the same
 * claims. In practice these are the jobs of one run, which often ask at the same time. Only `check_run_id` differs between
 * them, and is left out.
 */
export function loginKey(
  about: { readonly identity: Identity | null; readonly grant: string; readonly connection: Connection },
  scope: string,
): string {
  const { identity, grant, connection } = about
  const sent = identity && [identityTokenSubject(identity, grant), ...factsSent(identity)]
  return JSON.stringify([connection.name, connection.provider, connection.settings, sent, scope])
}

/** The names too: a token carries them beside its subject, which has only ids, and the vendor may decide on them. */
const factsSent = ({ claims, ...facts }: Identity) => [byName(facts), claimsSent(claims)]

const byName = (facts: object) => Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1))

/** Sorted, because issuers do not promise an order of claims. */
const claimsSent = (claims: Claims) => byName(claims).filter(([name]) => !PER_TOKEN_CLAIMS.has(name))

const PER_TOKEN_CLAIMS: ReadonlySet<string> = new Set([...TOKEN_CLAIMS, "check_run_id"])
