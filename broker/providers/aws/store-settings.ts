import * as z from "zod"
import { STORES_AUDIENCE, STS_AUDIENCES } from "../reserved-audiences.ts"
import { audience } from "../service.ts"
import { storeSettings } from "../store.ts"
import { endpoint, region, role, roleAbroad, roleParts } from "./grant.ts"

/** What the organisation file says of a way to one of AWS's stores. The role fixes the account. */
export const awsStoreSettings = {
  region,
  role: role.meta({ description: "The role that the broker reads with, by its ARN. It fixes the account." }),
  audience: audience
    .refine(
      (name) => !STS_AUDIENCES.has(name),
      "a grant of an aws connection could name a role that trusts this audience, and a job would get all that the role reads; leave audience out",
    )
    .default(STORES_AUDIENCE)
    .meta({ description: "The audience that the role's trust policy names." }),
  session_tags: z
    .boolean()
    .default(true)
    .meta({ description: "Send the job's facts as session tags; the role must then allow sts:TagSession." }),
  endpoint: endpoint
    .refine(isOrigin, "an endpoint is an https URL without a path")
    .optional()
    .meta({ description: "The store elsewhere: an interface endpoint of a VPC, for example." }),
  sts_endpoint: endpoint.optional().meta({ description: "STS elsewhere." }),
  ...storeSettings,
}

export type AwsStoreSettings = z.output<z.ZodObject<typeof awsStoreSettings>>

/** Refuses a role that the connection's region does not know: to be put behind a schema of these settings. */
export function inOnePartition(
  { role, region }: Pick<AwsStoreSettings, "role" | "region">,
  context: z.core.$RefinementCtx<unknown>,
): void {
  const message = roleAbroad(role, region)
  if (message !== null) context.addIssue({ code: "custom", path: ["role"], message })
}

/** Where a connection's secrets stand: the parts that each of their ARNs begins with. */
export function arnPrefix(service: string, connection: Pick<AwsStoreSettings, "region" | "role">): string {
  const { partition, account } = roleParts(connection.role)
  return `arn:${partition}:${service}:${connection.region}:${account}:`
}

function isOrigin(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { origin, href } = new URL(url)
  return href === `${origin}/`
}
