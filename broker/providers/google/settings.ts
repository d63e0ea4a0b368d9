import * as z from "zod"
import type { SubjectLimit } from "../../wire/subject.ts"
import { audience, origin } from "../service.ts"

const MAX_EMAIL_CHARACTERS = 254

/** The maximum length of `google.subject` (IAM reference, WorkloadIdentityPoolProvider, attributeMapping). */
export const SUBJECT_LIMIT: SubjectLimit = { bytes: 127, place: "Google's google.subject" }

/** The name of a pool's provider in Google's form: the project by its number, pool and provider by their ids. */
const POOL_PROVIDER =
  /^projects\/[1-9][0-9]{0,18}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/

/**
 * A service account's e-mail address. Nothing else is accepted, because it is put into the path of a URL. Numeric ids are
 * refused: the address shows, in policies and in the audit trail, which account it is.
 */
const SERVICE_ACCOUNT = /^[a-z0-9][a-z0-9-]{0,62}@(?:[a-z0-9-]{1,63}\.){1,6}gserviceaccount\.com$/

/** All accounts of one project: `*@` and the domain that only that project's accounts have. */
const ACCOUNTS_OF_PROJECT = /^\*@(?:[a-z0-9-]{1,63}\.){1,4}iam\.gserviceaccount\.com$/

const SERVICE_ACCOUNT_HINT = "a service account must be its e-mail address: deploy@acme-prod.iam.gserviceaccount.com"

export const serviceAccount = z.string().max(MAX_EMAIL_CHARACTERS).regex(SERVICE_ACCOUNT, SERVICE_ACCOUNT_HINT)

/** Which service accounts may be impersonated. */
export const serviceAccounts = z
  .array(
    z
      .string()
      .max(MAX_EMAIL_CHARACTERS)
      .regex(
        new RegExp(`${SERVICE_ACCOUNT.source}|${ACCOUNTS_OF_PROJECT.source}`),
        `${SERVICE_ACCOUNT_HINT}; *@acme-prod.iam.gserviceaccount.com means all accounts of a project`,
      ),
  )
  .min(1)

/** Whether one of the connection's entries names this account, or all accounts of its project. */
export const isListed = (account: string, entries: readonly string[]): boolean =>
  entries.some((entry) => entry === account || entry === `*${account.slice(account.indexOf("@"))}`)

/** A project's id, in older domains with the domain's name before it. */
export const PROJECT_ID = /^(?:[a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/

/** Only a host: the broker adds path and query. */
export const endpoint = origin("an endpoint", "https://sts.googleapis.com")

/** The login settings of every connection to Google Cloud. */
export const loginSettings = {
  workload_identity_provider: z
    .string()
    .regex(
      POOL_PROVIDER,
      "write the provider's full name, with the project's number: projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker",
    )
    .meta({ description: "The provider of a workload identity pool that trusts the broker." }),
  audience: audience.optional().meta({
    description: "The aud of the broker's token, if the pool's provider lists allowed audiences.",
  }),
  sts_endpoint: endpoint
    .default("https://sts.googleapis.com")
    .meta({ description: "Another URL of the Security Token Service: a private endpoint, or of a sovereign cloud." }),
  iam_credentials_endpoint: endpoint
    .default("https://iamcredentials.googleapis.com")
    .meta({ description: "The IAM Service Account Credentials API elsewhere." }),
}

export type LoginSettings = z.infer<z.ZodObject<typeof loginSettings>>

/** STS's name of the pool's provider. The host is part of the name, even with another endpoint. */
export const poolProviderOf = ({ workload_identity_provider: name }: LoginSettings): string =>
  `//iam.googleapis.com/${name}`

/**
 * The `aud` of the broker's token: the connection's audience, or the default of a pool's provider that lists no audiences.
 */
export const audienceOf = ({ audience, workload_identity_provider: name }: LoginSettings): string =>
  audience ?? `https://iam.googleapis.com/${name}`
