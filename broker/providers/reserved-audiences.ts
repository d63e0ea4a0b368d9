/** What roles for jobs trust: the audience of AWS's STS in each of its partitions. */
export const STS_AUDIENCES: ReadonlySet<string> = new Set([
  "sts.amazonaws.com",
  "sts.amazonaws.com.cn",
  "sts.amazonaws.eu",
  "sts.c2s.ic.gov",
  "sts.sc2s.sgov.gov",
  "sts.cloud.adc-e.uk",
  "sts.csp.hci.ic.gov",
])

/**
 * The audience of the tokens with which the broker reads AWS's stores, and of no other. A role that reads for the broker
 * trusts it alone: with STS's own, a grant of the provider `aws` could name that role, and a job would get all that the
 * role reads instead of what boundaries let it name.
 */
export const STORES_AUDIENCE = "daypass-aws-stores"

/** What a provider of a Google pool trusts that lists no audiences: its own full name, with or without https. */
const GOOGLE_AUDIENCE = /^(?:https:)?\/\/iam\.googleapis\.com(?:\/|$)/i
/** Microsoft Entra ID's, and those of its sovereign clouds. Whether Entra minds the case of one is nothing to rely on. */
const AZURE_AUDIENCE = /^api:\/\/azureadtokenexchange/i

/**
 * Why no grant may be a token of the broker's for this audience; null when one may. What a cloud trusts is for that cloud's
 * own provider, which holds grants against what its connection lists.
 */
export function reservationOf(audience: string): string | null {
  if (STS_AUDIENCES.has(audience) || audience === STORES_AUDIENCE)
    return "AWS trusts tokens for this audience: a grant could assume roles past the account list of an aws connection. Use a connection with provider: aws"
  if (GOOGLE_AUDIENCE.test(audience))
    return "Google's workload identity pools trust tokens for this audience: a grant could impersonate accounts past the list of a google connection. Use a connection with provider: google"
  if (AZURE_AUDIENCE.test(audience))
    return "Microsoft Entra ID trusts tokens for this audience: a grant could log in as clients that no azure connection lists. Use a connection with provider: azure"
  return null
}
