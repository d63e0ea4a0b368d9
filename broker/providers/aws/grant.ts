import * as z from "zod"
import { STORES_AUDIENCE } from "../reserved-audiences.ts"
import { audience, plainUrl } from "../service.ts"
import { isRegion, PARTITIONS, partitionOf, stsAudienceOf } from "./partitions.ts"

/** STS's own limits (AssumeRoleWithWebIdentity, API version 2011-06-15), in seconds. */
export const MIN_TTL_SECONDS = 900
export const MAX_TTL_SECONDS = 43_200
const MAX_POLICY_LENGTH = 2_048
const MAX_POLICY_ARNS = 10
const BEYOND_LATIN_1 = /[\u0100-\uffff]/

const PARTITION = PARTITIONS.map(({ name }) => name).join("|")
const ROLE_ARN = new RegExp(
  `^arn:(${PARTITION}):iam::([0-9]{12}):role\\/(?=.{1,576}$)((?:[!-.0-~]+\\/)*)([A-Za-z0-9+=,.@_-]{1,64})$`,
)
const POLICY_ARN = new RegExp(`^arn:(?:${PARTITION}):iam::(?:aws|[0-9]{12}):policy\\/[A-Za-z0-9+=,.@_/-]{1,512}$`)

/** Keys that the connections of several AWS providers share. */
export const region = z
  .string()
  .regex(/^[a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2}$/, {
    error: "must be a region of AWS, such as eu-west-1",
    abort: true,
  })
  .refine(isRegion, {
    error: "no partition of AWS has regions with such a name. Correct the spelling: for example, eu-west-1",
    // The later checks need the region's partition.
    abort: true,
  })
  .meta({ description: "The region whose endpoints the broker calls." })
export const role = z
  .string()
  .regex(ROLE_ARN, { error: "must be the ARN of a role, such as arn:aws:iam::111122223333:role/deploy", abort: true })
  .meta({ description: "The role's ARN." })
export const endpoint = plainUrl("an endpoint")

/** The settings of an AWS connection in the organisation file. */
export const connection = z.strictObject({
  /** The broker calls the regional endpoint of STS, which is nearer and does not fail together with another region. */
  region,
  accounts: z
    .array(z.string().regex(/^[0-9]{12}$/, 'must be an account id, twelve digits in quotes: "111122223333"'))
    .min(1)
    .meta({ description: "The accounts whose roles grants may assume." }),
  audience: audience
    .refine(
      (name) => name !== STORES_AUDIENCE,
      "this audience is reserved for the roles that read AWS's stores. A job must not get their credentials. Use another audience",
    )
    .optional()
    .meta({
      description:
        "The audience that the role's trust policy names. When left out: sts. and the DNS suffix of the region's partition, such as sts.amazonaws.com.",
    }),
  session_tags: z
    .boolean()
    .default(true)
    .meta({ description: "Sends the job's facts as session tags. The role must allow sts:TagSession." }),
  endpoint: endpoint.optional().meta({ description: "Another URL for STS, such as an interface endpoint of a VPC." }),
})

export type Connection = z.infer<typeof connection>

/** The audience of the broker's token for STS. */
export const audienceOf = ({ audience: named, region: at }: Pick<Connection, "audience" | "region">): string =>
  named ?? stsAudienceOf(at)

const sessionPolicy = z
  .strictObject({
    Version: z.literal("2012-10-17"),
    Id: z.string().optional(),
    Statement: z.union([z.record(z.string(), z.json()), z.array(z.record(z.string(), z.json())).min(1)]),
  })
  .refine(
    (policy) => JSON.stringify(policy).length <= MAX_POLICY_LENGTH,
    `must have at most ${MAX_POLICY_LENGTH} characters as JSON without spaces`,
  )
  .superRefine((policy, context) => {
    const path = pathToForeign(policy)
    if (path !== null)
      context.addIssue({
        code: "custom",
        path: [...path],
        message: "has a character beyond U+00FF, which STS does not accept in a session policy. Remove it",
      })
  })

/** The path to the first text with a character outside of STS's pattern for `Policy`, `[\t\n\r -\u00FF]+`; null without one. */
function pathToForeign(value: unknown): readonly PropertyKey[] | null {
  if (typeof value === "string") return BEYOND_LATIN_1.test(value) ? [] : null
  if (typeof value !== "object" || value === null) return null
  for (const [key, member] of Object.entries(value)) {
    if (BEYOND_LATIN_1.test(key)) return [key]
    const path = pathToForeign(member)
    if (path !== null) return [Array.isArray(value) ? Number(key) : key, ...path]
  }
  return null
}

/** The keys of an AWS grant in a policy. */
export const grant = z.strictObject({
  role,
  session_policy: sessionPolicy
    .optional()
    .meta({ description: "An IAM policy that limits the role's permissions for this session." }),
  policy_arns: z
    .array(
      z
        .string()
        .regex(POLICY_ARN, "must be the ARN of a managed policy, such as arn:aws:iam::aws:policy/ReadOnlyAccess"),
    )
    .min(1)
    .max(MAX_POLICY_ARNS)
    .optional()
    .meta({ description: "Managed policies that limit the role's permissions for this session." }),
  as: z.literal("variables").optional().meta({
    description:
      "Always delivers the keys as variables, also to one command, which otherwise fetches its session. For programs that cannot.",
  }),
})

export type Grant = z.infer<typeof grant>

/** The parts of a role's ARN. Only for ARNs that passed the schema. */
export function roleParts(arn: string): { partition: string; account: string; name: string } {
  const match = ROLE_ARN.exec(arn)
  if (!match) throw new TypeError("not a role's ARN")
  return { partition: match[1] as string, account: match[2] as string, name: match[4] as string }
}

/** Why a grant does not fit its connection; null when it fits. */
export function conflictOf(wanted: Grant, allowed: Pick<Connection, "region" | "accounts">): string | null {
  const { partition, account } = roleParts(wanted.role)
  const abroad = roleAbroad(wanted.role, allowed.region)
  if (abroad !== null) return abroad
  if (!allowed.accounts.includes(account))
    return `the role is in account ${account}, which the connection does not list (${allowed.accounts.join(", ")}). Use a role in one of these accounts, or ask for the account to be added to the connection`
  const policy = wanted.policy_arns?.find((arn) => isAbroad(arn, partition))
  if (policy !== undefined)
    return `policy_arns contains ${policy}, but the role is in the partition ${partition}: ${writeIn(partition, policy)}`
  const resource = resourcesIn(wanted.session_policy?.Statement).find((arn) => isAbroad(arn, partition))
  if (resource !== undefined)
    return `session_policy contains ${resource}, but the role is in the partition ${partition}: ${writeIn(partition, resource)}`
  return null
}

/** Why a role cannot be assumed in a region; null when their partitions agree. */
export function roleAbroad(arn: string, at: string): string | null {
  const { partition } = roleParts(arn)
  const { name: here } = partitionOf(at)
  if (partition === here) return null
  return `the role is in the partition ${partition}, but the connection's region ${at} is in ${here}. Use a role that begins with arn:${here}:, or a connection with a region of ${partition}`
}

/**
 * Why a boundary's pattern for a field cannot match any grant of a connection; null when it can. A pattern whose partition is
 * a star can match.
 */
export function ceilingFaultOf(
  field: string,
  pattern: string,
  { region: at }: Pick<Connection, "region">,
): string | null {
  const { name: here } = partitionOf(at)
  if ((field !== "role" && field !== "policy_arns") || !isAbroad(pattern, here)) return null
  return `${pattern} is not in the partition of the connection's region ${at}: ${writeIn(here, pattern)}`
}

/** Whether an ARN, or a pattern for ARNs, can only be in another partition. */
function isAbroad(arn: string, partition: string): boolean {
  const named = /^arn:([a-z-]+):/.exec(arn)?.[1]
  return named !== undefined && named !== partition
}

const writeIn = (partition: string, arn: string) => `write ${arn.replace(/^arn:[a-z-]+:/, `arn:${partition}:`)}`

type Statements = NonNullable<Grant["session_policy"]>["Statement"] | undefined

/** The resources in the statements of a session policy. Its other ARNs are in conditions, and may be of any partition. */
function resourcesIn(statements: Statements): readonly string[] {
  const all = statements === undefined ? [] : Array.isArray(statements) ? statements : [statements]
  return all
    .flatMap((statement) => [statement["Resource"], statement["NotResource"]].flat())
    .filter((resource) => typeof resource === "string")
}
