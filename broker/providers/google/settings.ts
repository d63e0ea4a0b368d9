import * as z from "zod"
import { audience, origin } from "../service.ts"

const MAX_EMAIL_CHARACTERS = 254

/** The name of a pool's provider, as Google writes it: the project by its number, pool and provider by their ids. */
const POOL_PROVIDER =
  /^projects\/[1-9][0-9]{0,18}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/

/**
 * A service account's e-mail address. It stands in a URL's path, so that nothing else gets through. Ids of digits are left
 * out: an address says whose account it is, in policies and in the audit trail.
 */
const SERVICE_ACCOUNT = /^[a-z0-9][a-z0-9-]{0,62}@(?:[a-z0-9-]{1,63}\.){1,6}gserviceaccount\.com$/

/** All accounts of one project: `*@` before the domain that only that project's accounts have. */
const ACCOUNTS_OF_PROJECT = /^\*@(?:[a-z0-9-]{1,63}\.){1,4}iam\.gserviceaccount\.com$/

const SERVICE_ACCOUNT_HINT = "a service account is its e-mail address: deploy@acme-prod.iam.gserviceaccount.com"

export const serviceAccount = z.string().max(MAX_EMAIL_CHARACTERS).regex(SERVICE_ACCOUNT, SERVICE_ACCOUNT_HINT)

/** Which service accounts may be impersonated. */
export const serviceAccounts = z
  .array(
    z
      .string()
      .max(MAX_EMAIL_CHARACTERS)
      .regex(
        new RegExp(`${SERVICE_ACCOUNT.source}|${ACCOUNTS_OF_PROJECT.source}`),
        `${SERVICE_ACCOUNT_HINT}; *@acme-prod.iam.gserviceaccount.com is all of a project's`,
      ),
  )
  .min(1)

/** Whether one of the connection's entries is this account, or all accounts of its project. */
export const isListed = (account: string, entries: readonly string[]): boolean =>
  entries.some((entry) => entry === account || entry === `*${account.slice(account.indexOf("@"))}`)

/** A project's id, in older domains behind the domain's name. */
export const PROJECT_ID = /^(?:[a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/

/** A host and nothing behind it: what a path or a query would add is ours to write. */
export const endpoint = origin("an endpoint", "https://sts.googleapis.com")

/** What every connection to Google Cloud says of the way in, whatever its grants give. */
export const loginSettings = {
  workload_identity_provider: z
    .string()
    .regex(
      POOL_PROVIDER,
      "a provider's full name has the project's number: projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker",
    )
    .meta({ description: "The provider of a workload identity pool that trusts the broker." }),
  audience: audience.optional().meta({
    description: "The aud of the broker's token, where the pool's provider lists allowed audiences of its own.",
  }),
  sts_endpoint: endpoint
    .default("https://sts.googleapis.com")
    .meta({ description: "The Security Token Service elsewhere: a private endpoint, or a sovereign cloud's." }),
  iam_credentials_endpoint: endpoint
    .default("https://iamcredentials.googleapis.com")
    .meta({ description: "The IAM Service Account Credentials API elsewhere." }),
}

export type LoginSettings = z.infer<z.ZodObject<typeof loginSettings>>

/** What STS calls the pool's provider. The host is part of the name, whichever endpoint is asked. */
export const poolProviderOf = ({ workload_identity_provider: name }: LoginSettings): string =>
  `//iam.googleapis.com/${name}`

/** The `aud` of the broker's token; what a pool's provider takes that lists no audiences, when the connection names none. */
export const audienceOf = ({ audience, workload_identity_provider: name }: LoginSettings): string =>
  audience ?? `https://iam.googleapis.com/${name}`
