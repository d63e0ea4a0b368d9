import { SUBJECT_LIMIT, type TokenWish } from "./wish.ts"

/** The meaning of one of Entra's codes for a job, and what to change. */
export interface Refusal {
  /** The code as in Microsoft's pages and logs: `AADSTS700213`. */
  readonly name: string
  /** The failure is transient. */
  readonly passes: boolean
  readonly remedy: Remedy
}

type Remedy = string | ((wish: TokenWish) => string)

/**
 * The subject consists of our own data: issuer, repository id, environment and grant. Administrators of Entra copy it from
 * this message. Loading refuses policies with a longer one, but published policies may have been loaded by an older version.
 */
function subjectRemedy({ clientId, subject }: TokenWish): string {
  return subject.length > SUBJECT_LIMIT.bytes
    ? `the subject of the broker's token has ${subject.length} characters, but a federated credential allows at most ${SUBJECT_LIMIT.bytes}. Give the environment or the grant a shorter name`
    : `client ${clientId} needs a federated credential with exactly the subject ${subject}, case included. A new one takes some minutes to become known`
}

const issuerRemedy: Remedy = ({ clientId }) =>
  `client ${clientId} needs a federated credential with the broker's URL as its issuer. Both must be exactly the same, without a slash at the end`

const audienceRemedy: Remedy = ({ clientId, settings }) =>
  `client ${clientId} needs a federated credential with the audience ${settings.audience}. Change it there, or in the connection`

const matchRemedy: Remedy = ({ clientId, settings, subject }) =>
  `client ${clientId} has no federated credential for the broker's token. It needs one with the broker's URL as its issuer, the audience ${settings.audience}, and the subject ${subject}. A new one takes some minutes to become known`

const scopeRemedy: Remedy = ({ scope }) =>
  `Entra does not know the scope ${scope}. A scope is the resource's own URI and /.default. If the URI ends in a slash, keep it: https://example.com//.default`

const KEYS_REMEDY =
  "Entra could not verify the broker's token. Check that the broker's discovery document and JWKS are public, and come from the same broker that signed the token"

const OUTSIDE_REMEDY =
  "Entra could not fetch the broker's discovery document or keys. Check that the broker's URL is public"

const LATER_REMEDY = "Entra says that this failure is temporary"

/**
 * Entra's codes for client credentials with a federated credential. Sources: Microsoft's "Microsoft Entra authentication
 * and authorization error codes", and reports of users of Microsoft's login tools. Unlisted codes are refusals too.
 */
const FINAL: Readonly<Record<string, Remedy>> = {
  __proto__: null as never,
  // The client.
  700016: ({ clientId }) =>
    `the tenant has no client ${clientId}. Compare both with the application's page, and use the client id, not an object id`,
  70001: ({ clientId }) => `client ${clientId} is unknown to the tenant, or disabled there`,
  700011: ({ clientId }) => `the tenant has no client ${clientId}. Compare both with the application's page`,
  7000229: ({ clientId }) =>
    `client ${clientId} has no service principal in the tenant. Make one with: az ad sp create --id ${clientId}`,
  7000112: ({ clientId }) => `client ${clientId} is disabled. Enable its service principal`,
  700025: ({ clientId }) =>
    `client ${clientId} is a public client, which has no credentials. Name a confidential client`,
  // The trust.
  70025: matchRemedy,
  70021: matchRemedy,
  700211: issuerRemedy,
  700212: audienceRemedy,
  700213: subjectRemedy,
  7002137: subjectRemedy,
  7002138: subjectRemedy,
  // The broker's token.
  700024: "for Entra, the broker's token has expired or is not valid yet. Check the broker's clock",
  700027: KEYS_REMEDY,
  7000272: KEYS_REMEDY,
  50027: KEYS_REMEDY,
  50013: KEYS_REMEDY,
  // The tenant.
  90002: ({ settings }) =>
    `${settings.authority} has no tenant ${settings.tenant}. Check the tenant's id, and that the authority belongs to the tenant's cloud`,
  // The resource.
  500011: ({ scope }) =>
    `the tenant has no resource for ${scope}. Compare it with the resource's URI. A service that the tenant does not use yet has no service principal there`,
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
    "a Conditional Access policy for workload identities blocks the login. Exclude this client from it, or allow the addresses that the broker calls from",
}

const TRANSIENT: Readonly<Record<string, Remedy>> = {
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
      [TRANSIENT, true],
    ] as const) {
      const remedy = table[code]
      if (remedy !== undefined) return { name: `AADSTS${code}`, passes, remedy }
    }
  }
  return null
}
