import { z } from "zod"
import { storeSettings } from "../store.ts"
import { audience, endpoint, region, role, roleParts, STORES_AUDIENCE } from "./grant.ts"

/** What roles for jobs trust: STS's own, and that of its partition in China. */
const STS_AUDIENCES: ReadonlySet<string> = new Set(["sts.amazonaws.com", "sts.amazonaws.com.cn"])

/** What the organisation file says of a way to one of AWS's stores. The role fixes the account. */
export const awsStoreSettings = {
  region,
  role,
  audience: audience
    .refine(
      (name) => !STS_AUDIENCES.has(name),
      "a grant of an aws connection could name a role that trusts this audience, and a job would get all that the role reads; leave audience out",
    )
    .default(STORES_AUDIENCE),
  session_tags: z.boolean().default(true),
  endpoint: endpoint.refine(isOrigin, "an endpoint is an https URL without a path").optional(),
  sts_endpoint: endpoint.optional(),
  ...storeSettings,
}

export type AwsStoreSettings = z.output<z.ZodObject<typeof awsStoreSettings>>

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
