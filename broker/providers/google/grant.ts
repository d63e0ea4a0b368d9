import * as z from "zod"
import { loginSettings, PROJECT_ID, serviceAccount, serviceAccounts } from "./settings.ts"

/** Google has no minimum. A shorter token would expire before the job's next step could use it. */
export const MIN_TTL_SECONDS = 60
/**
 * The shortest token of a service account that Google's client libraries ask for: `token_lifetime_seconds` is 600 to 43,200
 * (AIP-4117). Go's library refuses a file with less.
 */
export const MIN_IMPERSONATION_SECONDS = 600
/**
 * The maximum with the organisation policy `iam.allowServiceAccountCredentialLifetimeExtension`; one hour without it
 * (generateAccessToken).
 */
export const MAX_TTL_SECONDS = 43_200
/** Our own limits, because Google has none for these. More is probably a mistake. */
const MAX_SCOPES = 32
const MAX_DELEGATES = 8

export const CLOUD_PLATFORM_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

/** A connection to Google Cloud in the organisation file. */
export const connection = z.strictObject({
  ...loginSettings,
  service_accounts: serviceAccounts.optional().meta({
    description: "Accounts that grants may impersonate. Without the list, a grant is the federated token itself.",
  }),
  federated_tokens: z.boolean().default(false).meta({
    description:
      "Allows grants to hand out the broker's own token, with which a job can impersonate every account that trusts its principal.",
  }),
  project: z
    .string()
    .regex(PROJECT_ID, "a project must be its id, such as acme-prod, not its number or display name")
    .optional()
    .meta({ description: "The project for the job's tools. It gives no access." }),
})

export type Connection = z.infer<typeof connection>

/** A grant for Google Cloud. */
export const grant = z.strictObject({
  service_account: serviceAccount.optional().meta({
    description:
      "The account of the token. Left out if the connection lists no accounts: then the job's own principal.",
  }),
  hand_over: z.literal("federated-token").optional().meta({
    description: "Hands out the broker's own token instead of an access token, for tools that log in themselves.",
  }),
  scopes: z
    .array(
      z
        .string()
        .regex(
          /^https:\/\/www\.googleapis\.com\/auth\/[a-z][a-z0-9._-]{0,126}$/,
          "a scope must be a full URL: https://www.googleapis.com/auth/devstorage.read_only",
        ),
    )
    .min(1)
    .max(MAX_SCOPES)
    .optional()
    .meta({
      description: `OAuth scopes. They limit the token in addition to IAM. Default: ${CLOUD_PLATFORM_SCOPE}. Not with hand_over.`,
    }),
  delegates: z.array(serviceAccount).min(1).max(MAX_DELEGATES).optional().meta({
    description:
      "The chain to the service account: each account impersonates the next, and the last one the service account.",
  }),
})

export type Grant = z.infer<typeof grant>

/** The scopes of the access token that a grant is about; all of Google Cloud where it names none. */
export const scopesOf = ({ scopes }: Pick<Grant, "scopes">): readonly string[] => scopes ?? [CLOUD_PLATFORM_SCOPE]

/**
 * The form of a grant that boundaries check. A grant of an access token always has its `scopes`. A grant of the broker's own
 * token has neither `scopes` nor `service_account`: the job chooses both, so it is outside of every ceiling over them.
 */
export function reachOf(grant: unknown): unknown {
  if (typeof grant !== "object" || grant === null) return grant
  if (!("hand_over" in grant)) return "scopes" in grant ? grant : { ...grant, scopes: [CLOUD_PLATFORM_SCOPE] }
  return Object.fromEntries(Object.entries(grant).filter(([key]) => key !== "scopes" && key !== "service_account"))
}
