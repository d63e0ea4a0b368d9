import * as z from "zod"
import { isHttpsOrLoopback } from "../../core/url.ts"
import { STORES_AUDIENCE } from "../reserved-audiences.ts"
import { audience } from "../service.ts"

/** STS's own limits (AssumeRoleWithWebIdentity, API version 2011-06-15), in seconds. */
export const MIN_TTL_SECONDS = 900
export const MAX_TTL_SECONDS = 43_200
const MAX_POLICY_LENGTH = 2_048
const MAX_POLICY_ARNS = 10

const ROLE_ARN =
  /^arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}):role\/(?=.{1,576}$)((?:[!-.0-~]+\/)*)([A-Za-z0-9+=,.@_-]{1,64})$/
const POLICY_ARN = /^arn:(?:aws|aws-cn|aws-us-gov):iam::(?:aws|[0-9]{12}):policy\/[A-Za-z0-9+=,.@_/-]{1,512}$/

/** Words that connections of several of AWS's providers have in common. */
export const region = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[a-z]+){1,2}-[0-9]{1,2}$/, "a region looks like eu-west-1")
  .meta({ description: "The region whose endpoints are asked." })
export const role = z
  .string()
  .regex(ROLE_ARN, "a role is an ARN such as arn:aws:iam::111122223333:role/deploy")
  .meta({ description: "The role's ARN." })
export const endpoint = z.string().refine(isHttpsOrLoopback, "an endpoint is an https URL")

/** What the organisation file says of a way to AWS. */
export const connection = z.strictObject({
  /** Whose STS is asked: the regional endpoint, which is nearer and does not fail with another region. */
  region,
  accounts: z
    .array(z.string().regex(/^[0-9]{12}$/, 'an account id is twelve digits in quotes: "111122223333"'))
    .min(1)
    .meta({ description: "Accounts whose roles may be assumed." }),
  audience: audience
    .refine(
      (name) => name !== STORES_AUDIENCE,
      "this audience is for roles that read AWS's stores, which no job may get",
    )
    .default("sts.amazonaws.com")
    .meta({ description: "The audience that the role's trust policy names." }),
  session_tags: z
    .boolean()
    .default(true)
    .meta({ description: "Send the job's facts as session tags; the role must then allow sts:TagSession." }),
  endpoint: endpoint.optional().meta({ description: "STS elsewhere: an interface endpoint of a VPC, for example." }),
})

export type Connection = z.infer<typeof connection>

const sessionPolicy = z
  .strictObject({
    Version: z.literal("2012-10-17"),
    Id: z.string().optional(),
    Statement: z.union([z.record(z.string(), z.json()), z.array(z.record(z.string(), z.json())).min(1)]),
  })
  .refine(
    (policy) => JSON.stringify(policy).length <= MAX_POLICY_LENGTH,
    `a session policy has at most ${MAX_POLICY_LENGTH} characters as JSON without spaces`,
  )

/** What a policy offers of AWS. */
export const grant = z.strictObject({
  role,
  session_policy: sessionPolicy
    .optional()
    .meta({ description: "Narrows what the role may do, for this session only." }),
  policy_arns: z
    .array(z.string().regex(POLICY_ARN, "a managed policy is an ARN such as arn:aws:iam::aws:policy/ReadOnlyAccess"))
    .min(1)
    .max(MAX_POLICY_ARNS)
    .optional()
    .meta({ description: "Managed policies that narrow it." }),
})

export type Grant = z.infer<typeof grant>

/** The parts of a role's ARN. Only for ARNs that the schema has let through. */
export function roleParts(arn: string): { partition: string; account: string; name: string } {
  const match = ROLE_ARN.exec(arn)
  if (!match) throw new TypeError("not a role's ARN")
  return { partition: match[1] as string, account: match[2] as string, name: match[4] as string }
}
