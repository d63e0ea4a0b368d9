import * as z from "zod"
import { loginSettings, PROJECT_ID, serviceAccount, serviceAccounts } from "./settings.ts"

/** Google names no least. What lives shorter than this is over before a job's next step makes use of it. */
export const MIN_TTL_SECONDS = 60
/** With the organisation policy `iam.allowServiceAccountCredentialLifetimeExtension`; an hour without it (generateAccessToken). */
export const MAX_TTL_SECONDS = 43_200
/** Ours, as Google names none for either: what is more than this is a mistake. */
const MAX_SCOPES = 32
const MAX_DELEGATES = 8

export const CLOUD_PLATFORM_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

/** What the organisation file says of a way to Google Cloud. */
export const connection = z.strictObject({
  ...loginSettings,
  service_accounts: serviceAccounts.optional().meta({
    description: "Accounts that grants may impersonate. Without the list, grants are the federated token itself.",
  }),
  project: z
    .string()
    .regex(PROJECT_ID, "a project is its id, such as acme-prod: neither its number nor its display name")
    .optional()
    .meta({ description: "The project that tools in the job go by. Grants nothing." }),
})

export type Connection = z.infer<typeof connection>

/** What a policy offers of Google Cloud. */
export const grant = z.strictObject({
  service_account: serviceAccount.optional().meta({
    description: "Whose token it is to be; the job's own principal's, where the connection lists no accounts.",
  }),
  scopes: z
    .array(
      z
        .string()
        .regex(
          /^https:\/\/www\.googleapis\.com\/auth\/[a-z][a-z0-9._-]{0,126}$/,
          "a scope is written out: https://www.googleapis.com/auth/devstorage.read_only",
        ),
    )
    .min(1)
    .max(MAX_SCOPES)
    .default([CLOUD_PLATFORM_SCOPE])
    .meta({ description: "OAuth scopes: what the token is good for, whatever IAM would allow besides." }),
  delegates: z.array(serviceAccount).min(1).max(MAX_DELEGATES).optional().meta({
    description:
      "The chain that leads to the service account: each impersonates the next, and the last one the account.",
  }),
})

export type Grant = z.infer<typeof grant>
