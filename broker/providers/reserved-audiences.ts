import { OPERATOR_AUDIENCE } from "../core/operator-rights.ts"

/** The audiences that AWS roles for jobs trust: that of STS in each partition. */
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
 * The audience of the tokens with which the broker reads AWS's stores. It has no other use. The broker's reading role must
 * trust only this audience. If it trusted the audience of STS, a grant of the provider `aws` could name that role, and a
 * job would get everything that the role may read, instead of only what boundaries allow.
 */
export const STORES_AUDIENCE = "daypass-aws-stores"

/** The default audience of a Google pool's provider that lists none: the provider's full name, with or without https. */
const GOOGLE_AUDIENCE = /^(?:https:)?\/\/iam\.googleapis\.com(?:\/|$)/i
/** The audiences of Microsoft Entra ID and its sovereign clouds. Case is ignored, because Entra may ignore it too. */
const AZURE_AUDIENCE = /^api:\/\/azureadtokenexchange/i

/**
 * Why a grant must not hand out an identity token for this audience; null when it may. An audience that a cloud trusts is
 * reserved for that cloud's provider, which checks grants against the lists of its connection.
 */
export function reservationOf(audience: string): string | null {
  if (STS_AUDIENCES.has(audience) || audience === STORES_AUDIENCE)
    return "AWS trusts tokens for this audience, so a grant could assume roles outside the account list of an aws connection. Use a connection with provider: aws"
  if (audience === OPERATOR_AUDIENCE)
    return "the broker itself takes tokens for this audience as an operator's. Use a connection with provider: broker"
  if (GOOGLE_AUDIENCE.test(audience))
    return "Google's workload identity pools trust tokens for this audience, so a grant could impersonate accounts outside the list of a google connection. Use a connection with provider: google"
  if (AZURE_AUDIENCE.test(audience))
    return "Microsoft Entra ID trusts tokens for this audience, so a grant could log in as clients outside the list of an azure connection. Use a connection with provider: azure"
  return null
}
