import * as z from "zod"
import type { ApprovalFact } from "../../broker/core/policy/break-glass.ts"
import type { ProtectionFact } from "../../broker/core/policy/environment-protection.ts"
import { claimName, duration, name, oneLine } from "../../broker/core/policy/schema-words.ts"
import type { ErrorCode } from "../../broker/wire/error-codes.ts"
import { MAX_GRANTS_PER_REQUEST } from "../../broker/wire/exchange.ts"
import { SAMPLE_NAMES } from "./samples.ts"

/** The codes with which the broker can refuse a job after verifying its token and before minting. */
export const DENIAL_CODES = [
  "not_allowed",
  "ttl_too_short",
  "bound_token_required",
  "token_claims_invalid",
  "token_issuer_unknown",
] as const satisfies readonly ErrorCode[]

export type DenialCode = (typeof DENIAL_CODES)[number]

const notEmpty = { message: "is empty", params: { fault: "value_empty" } }

/** How the host protects the environment. A protection that is left out is absent. */
const environmentProtection = z
  .strictObject({
    required_reviewers: z.boolean().optional(),
    prevent_self_review: z.boolean().optional(),
    deployment_branches: z.enum(["protected", "custom", "all"]).optional(),
  })
  .refine((value) => Object.values(value).some((one) => one !== undefined), notEmpty)
  .transform(
    (value): ProtectionFact => ({
      known: true,
      protection: {
        requiredReviewers: value.required_reviewers ?? false,
        preventSelfReview: value.prevent_self_review ?? false,
        deploymentBranches: value.deployment_branches ?? "all",
      },
    }),
  )
  .meta({
    description: "How the job's environment is protected at its host. Default: unknown, which meets no requirement.",
    minProperties: 1,
  })

/** Who approved the job's run, by id, with the comments. */
const approvals = z
  .array(z.strictObject({ id: z.string().min(1), comment: z.string().optional() }))
  .transform(
    (list): ApprovalFact => ({
      known: true,
      approvals: list.map(({ id, comment = "" }) => ({ approver: id, approverId: id, comment })),
      startedBy: [],
    }),
  )
  .meta({ description: "Who approved the job's run. Default: unknown, which meets no requirement." })

/** The keys that describe a job, in a test and in the defaults. */
const job = {
  sample: z.enum(SAMPLE_NAMES).optional().meta({ description: "The token that the test begins with." }),
  issuer: name
    .optional()
    .meta({ description: "The name of an issuer in the organisation file. May be left out when there is only one." }),
  claims: z
    .record(claimName, z.string())
    .refine((value) => Object.keys(value).length > 0, notEmpty)
    .optional()
    .meta({ description: "Claims that differ from the sample's.", minProperties: 1 }),
  without: z.array(claimName).min(1).optional().meta({ description: "Claims that the token does not have." }),
  grants: z
    .array(name)
    .min(1)
    .max(MAX_GRANTS_PER_REQUEST)
    .optional()
    .meta({ description: "The grants that the job asks for." }),
  ttl: duration.optional().meta({ description: "The lifetime that the job asks for." }),
  bound: z.boolean().optional().meta({ description: "Whether the token is bound to a key of the job. Default: true." }),
  environment_protection: environmentProtection.optional(),
  approvals: approvals.optional(),
}

const test = z
  .strictObject({
    name: oneLine("a test's name").meta({ description: "What the test shows, as a sentence." }),
    ...job,
    expect: z.enum(["allow", "deny"]),
    code: z.enum(DENIAL_CODES).optional().meta({ description: "The code of the refusal; only with expect: deny." }),
    by: oneLine("a rule's name")
      .optional()
      .meta({ description: "The name of the rule or boundary that must have decided." }),
    ttl_granted: duration.optional().meta({ description: "The lifetime of every grant; only with expect: allow." }),
  })
  .superRefine((value, context) => {
    const only = (key: "code" | "ttl_granted", outcome: "allow" | "deny") => {
      if (value[key] === undefined || value.expect === outcome) return
      context.addIssue({ code: "custom", path: [key], message: `is only allowed with expect: ${outcome}` })
    }
    only("code", "deny")
    only("ttl_granted", "allow")
  })

/** A file of policy tests: `*.test.yaml`, beside the policies. */
export const policyTestSchema = z.strictObject({
  version: z.literal(1).meta({ description: "The version of this file's format." }),
  defaults: z
    .strictObject(job)
    .refine((value) => Object.values(value).some((one) => one !== undefined), notEmpty)
    .optional()
    .meta({ description: "What every test of this file begins with.", minProperties: 1 }),
  tests: z.array(test).min(1),
})

export type PolicyTestFile = z.output<typeof policyTestSchema>
export type TestJob = NonNullable<PolicyTestFile["defaults"]>

/** JSON Schema (draft 2020-12) of a file of policy tests, for editors; from the schema that `daypass test` parses with. */
export function policyTestJsonSchema(): object {
  const { $schema, ...file } = z.toJSONSchema(policyTestSchema, { io: "input", unrepresentable: "any" })
  return { $schema, title: "Daypass policy tests", ...file }
}
