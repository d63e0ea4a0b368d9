import * as z from "zod"
import { parsePlainUrl } from "../../core/url.ts"
import { STORES_AUDIENCE, STS_AUDIENCES } from "../reserved-audiences.ts"
import { audience } from "../service.ts"
import { storeSettings } from "../store.ts"
import { endpoint, region, role, roleAbroad, roleParts } from "./grant.ts"

/** The settings of a connection to one of AWS's stores in the organisation file. The role determines the account. */
export const awsStoreSettings = {
  region,
  role: role.meta({ description: "The ARN of the role that the broker reads with. It determines the account." }),
  audience: audience
    .refine(
      (name) => !STS_AUDIENCES.has(name),
      "a grant of an aws connection could name a role that trusts this audience, and a job would get everything that the role can read. Remove audience",
    )
    .default(STORES_AUDIENCE)
    .meta({ description: "The audience that the role's trust policy names." }),
  session_tags: z
    .boolean()
    .default(true)
    .meta({ description: "Sends the job's facts as session tags. The role must allow sts:TagSession." }),
  endpoint: endpoint
    .refine((url) => parsePlainUrl(url)?.pathname === "/", "must be an https URL without a path")
    .optional()
    .meta({ description: "Another URL for the store, such as an interface endpoint of a VPC." }),
  sts_endpoint: endpoint.optional().meta({ description: "Another URL for STS." }),
  ...storeSettings,
}

export type AwsStoreSettings = z.output<z.ZodObject<typeof awsStoreSettings>>

/** Refuses a role that is in another partition than the connection's region. A refinement for schemas of these settings. */
export function inOnePartition(
  { role, region }: Pick<AwsStoreSettings, "role" | "region">,
  context: z.core.$RefinementCtx<unknown>,
): void {
  const message = roleAbroad(role, region)
  if (message !== null) context.addIssue({ code: "custom", path: ["role"], message })
}

/** The start of the ARNs of all secrets that a connection can read. */
export function arnPrefix(service: string, connection: Pick<AwsStoreSettings, "region" | "role">): string {
  const { partition, account } = roleParts(connection.role)
  return `arn:${partition}:${service}:${connection.region}:${account}:`
}
