import type { TokenWish } from "./wish.ts"

/** What one of Entra's codes means for a job, and what to change. */
export interface Refusal {
  /** As Microsoft's pages and logs have it: `AADSTS700213`. */
  readonly name: string
  /** It may be gone a moment later. */
  readonly passes: boolean
  readonly remedy: Remedy
}

type Remedy = string | ((wish: TokenWish) => string)

/** What a federated credential can name at most (Microsoft Graph, `federatedIdentityCredential`), in characters. */
const MAX_SUBJECT_LENGTH = 600

/** The subject is ours to say: repository, environment and grant. Who sets Entra up copies it from here. */
function subjectRemedy({ clientId, subject }: TokenWish): string {
  return subject.length > MAX_SUBJECT_LENGTH
    ? `the subject of the broker's token has ${subject.length} characters, and a federated credential names ${MAX_SUBJECT_LENGTH} at most. Give the environment or the grant a shorter name`
    : `no federated credential of client ${clientId} names the subject ${subject}, to the letter, case included. One that was just made takes some minutes to be known`
}

const issuerRemedy: Remedy = ({ clientId }) =>
  `no federated credential of client ${clientId} names the broker's URL for its issuer. It must be the same to the letter, with no slash at its end`

const audienceRemedy: Remedy = ({ clientId, settings }) =>
  `no federated credential of client ${clientId} names the audience ${settings.audience}. Change it there, or in the connection`

const matchRemedy: Remedy = ({ clientId, settings, subject }) =>
  `client ${clientId} has no federated credential for the broker's token. It needs one with the broker's URL for its issuer, the audience ${settings.audience}, and the subject ${subject}. One that was just made takes some minutes to be known`

const scopeRemedy: Remedy = ({ scope }) =>
  `Entra knows no scope ${scope}. It is the resource's own URI and /.default; a URI that ends in a slash keeps it, as in https://example.com//.default`

const KEYS_REMEDY =
  "Entra could not verify the broker's token. See that the broker's discovery document and JWKS are public, and are served by the very broker that signed"

const OUTSIDE_REMEDY =
  "Entra could not fetch the broker's discovery document or keys. See that the broker's URL is public"

const LATER_REMEDY = "Entra says that this passes"

/**
 * Entra's codes for client credentials with a federated credential. Sources: Microsoft's "Microsoft Entra authentication
 * and authorization error codes", and what its own login tools' users report. Codes that are not here are refusals, too.
 */
const FINAL: Readonly<Record<string, Remedy>> = {
  __proto__: null as never,
  // The client.
  700016: ({ clientId }) =>
    `the tenant has no client ${clientId}. Compare both with the application's page: it is the client id that counts, not an object id`,
  70001: ({ clientId }) => `client ${clientId} is unknown to the tenant, or disabled there`,
  700011: ({ clientId }) => `the tenant has no client ${clientId}. Compare both with the application's page`,
  7000229: ({ clientId }) =>
    `client ${clientId} has no service principal in the tenant. Make one with: az ad sp create --id ${clientId}`,
  7000112: ({ clientId }) => `client ${clientId} is disabled. Enable its service principal`,
  700025: ({ clientId }) => `client ${clientId} is a public client, which has no credentials. Name one that is not`,
  // The trust.
  70025: matchRemedy,
  70021: matchRemedy,
  700211: issuerRemedy,
  700212: audienceRemedy,
  700213: subjectRemedy,
  7002137: subjectRemedy,
  7002138: subjectRemedy,
  // The broker's token.
  700024: "Entra holds the broker's token to be expired, or not valid yet. Check the broker's clock",
  700027: KEYS_REMEDY,
  7000272: KEYS_REMEDY,
  50027: KEYS_REMEDY,
  50013: KEYS_REMEDY,
  // The tenant.
  90002: ({ settings }) =>
    `${settings.authority} knows no tenant ${settings.tenant}. Compare the tenant's id, and see that the authority is its cloud's`,
  // The resource.
  500011: ({ scope }) =>
    `the tenant has no resource for ${scope}. Compare it with the resource's URI; a service that the tenant does not use yet has no service principal there`,
  500014: ({ scope }) => `the resource of ${scope} is disabled in the tenant, or its subscription has lapsed`,
  50001: scopeRemedy,
  70011: scopeRemedy,
  28002: scopeRemedy,
  1002012: scopeRemedy,
  501051: ({ clientId, scope }) =>
    `the resource of ${scope} wants its clients assigned to it. Assign client ${clientId} one of its roles`,
  50105: ({ clientId, scope }) =>
    `the resource of ${scope} wants its clients assigned to it. Assign client ${clientId} one of its roles`,
  // The tenant's own rules.
  53003:
    "a Conditional Access policy for workload identities blocks it. Let it except this client, or admit the addresses that the broker calls from",
}

const PASSING: Readonly<Record<string, Remedy>> = {
  __proto__: null as never,
  50166: OUTSIDE_REMEDY,
  501661: OUTSIDE_REMEDY,
  90061: OUTSIDE_REMEDY,
  50033: LATER_REMEDY,
  90033: LATER_REMEDY,
}

/** The first of these codes that is known; null when none is. */
export function refusalOf(codes: readonly number[]): Refusal | null {
  for (const code of codes) {
    for (const [table, passes] of [
      [FINAL, false],
      [PASSING, true],
    ] as const) {
      const remedy = table[code]
      if (remedy !== undefined) return { name: `AADSTS${code}`, passes, remedy }
    }
  }
  return null
}
