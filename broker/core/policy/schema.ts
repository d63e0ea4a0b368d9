import * as z from "zod"
import { ISSUER_FAMILIES, LIMIT_CLAIMS } from "../families/families.ts"
import { breakGlassSchema } from "./break-glass-schema.ts"
import type { EnvironmentDemand } from "./environment-protection.ts"
import type { FieldCeiling } from "./model.ts"
import { alarmsSection } from "./schema-alarms.ts"
import { condition, pattern, patterns, whenSchema } from "./schema-conditions.ts"
import { issuerForms, issuerKeys, issuerUrl } from "./schema-keys.ts"
import { alertsSection, archiveSection, exportsSection } from "./schema-outbound.ts"
import { idText, peopleKey, unitForms, unitKeys } from "./schema-units.ts"
import { duration, name, nonEmpty, oneLine, plainUrl } from "./schema-words.ts"

/**
 * A grant's lifetime when its policy sets none: long enough for a deployment, short enough to be of little use to a thief.
 */
export const DEFAULT_TTL = "15m"

const version = z.literal(1).meta({ description: "The version of this file's format." })

const branches = z.enum(["protected", "custom"])

const ruleName = oneLine("a rule's name")

const allowRule = z.strictObject({ name: ruleName, when: whenSchema.optional(), grants: z.array(name).min(1) })
const denyRule = z.strictObject({
  name: ruleName,
  when: whenSchema.optional(),
  grants: z.array(name).min(1).optional(),
})

/** How the job's environment must be protected. Only the environment's host knows whether it is. */
const protectedEnvironment = z
  .strictObject({
    required_reviewers: z.literal(true).optional(),
    deployment_branches: z.union([branches, z.array(branches).min(1)]).optional(),
    prevent_self_review: z.literal(true).optional(),
  })
  .transform((value): EnvironmentDemand => {
    const { required_reviewers: reviewers, deployment_branches: wanted, prevent_self_review: self } = value
    return {
      requiredReviewers: reviewers ?? false,
      preventSelfReview: self ?? false,
      ...(wanted === undefined ? {} : { deploymentBranches: typeof wanted === "string" ? [wanted] : wanted }),
    }
  })
  .meta({
    description:
      "How the environment must be protected at its host. An unknown protection does not count. Empty, for issuers whose tokens say whether it is protected: in some way.",
  })

/**
 * What one field of a grant may be: a pattern, a list of patterns, or, for a field that is a map, one of these for each
 * key.
 */
const fieldCeiling: z.ZodType<FieldCeiling> = z
  .union([
    pattern.transform((one): FieldCeiling => ({ kind: "text", patterns: [one] })),
    patterns.transform((several): FieldCeiling => ({ kind: "text", patterns: several })),
    z
      .lazy(() => nonEmpty(z.record(z.string(), fieldCeiling)))
      .transform((entries): FieldCeiling => ({ kind: "map", entries: new Map(Object.entries(entries)) })),
  ])
  .meta({ id: "fieldCeiling", description: "Patterns that every text in this field of a grant must match." })

/** What a boundary allows: a connection, and the values that its grants may have. The other keys are keys of the grant. */
const boundaryEntry = z.object({ connection: name }).catchall(fieldCeiling)

const boundary = z.strictObject({
  name: ruleName,
  when: whenSchema.meta({ description: "Which jobs the boundary concerns." }),
  people: z.boolean().optional().meta({
    description:
      "true: about people only, and its allow serves them. false: about jobs only. Left out: restricts both, and its allow serves jobs.",
  }),
  allow: z.array(boundaryEntry).min(1).optional().meta({ description: "Left out: the boundary only restricts." }),
  require: whenSchema.optional().meta({ description: "Claims that must also match, whatever the policies say." }),
  protected_environment: protectedEnvironment.optional(),
  max_ttl: duration.optional(),
})

const countUpTo = (most: number, why: string) =>
  z.int().min(1, `must be at least 1: ${why}`).max(most, `must be at most ${most}`)

const useDeny = "to give a repository nothing, use a deny in its policies"

/** Only what identifies the unit: a job that chooses its ref or environment would choose its limit. */
const limitWhen = z.strictObject(
  Object.fromEntries([...LIMIT_CLAIMS].map((claim) => [claim, condition.exactOptional()])),
)

const limit = z
  .strictObject({
    when: nonEmpty(limitWhen).meta({
      description: "The repositories, or other units: every condition must match.",
      minProperties: 1,
    }),
    exchanges_per_minute: countUpTo(100_000, useDeny).exactOptional(),
    open_leases: countUpTo(1_000_000, useDeny).exactOptional(),
    denials_per_hour: countUpTo(10_000, "further denials are only counted").exactOptional(),
  })
  .refine((entry) => Object.keys(entry).length > 1, {
    message: "this entry sets no limit: add exchanges_per_minute, open_leases or denials_per_hour",
  })
  .meta({ minProperties: 2 })

/** A grant without its provider's keys. */
export const grantBase = z.looseObject({
  connection: name.meta({ description: "A connection of the organisation file." }),
  ttl: duration.optional(),
  max_open_leases: countUpTo(1_000_000, "to give the grant to no job, use a deny").optional().meta({
    description: "How many leases with this grant can be open at the same time.",
  }),
  break_glass: breakGlassSchema.optional(),
})

/** A connection without its provider's keys. */
export const connectionBase = z.looseObject({
  provider: z.string().min(1),
  require_bound_token: z.boolean().optional(),
  people: z.boolean().optional().meta({ description: "Whether policies for people can use it. Left out: only jobs." }),
  max_ttl: duration.optional(),
})

/** A policy file: what one environment of one unit may get. */
export const policySchema = z
  .strictObject({
    version,
    issuer: name.optional().meta({ description: "May be left out when the organisation file lists only one." }),
    ...unitKeys,
    people: peopleKey,
    environment: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "Left out: for jobs that run in no environment." }),
    protected_environment: protectedEnvironment.optional(),
    allow: z.array(allowRule).min(1).optional(),
    deny: z.array(denyRule).min(1).optional(),
    grants: nonEmpty(z.record(name, grantBase)).meta({ minProperties: 1 }).optional(),
  })
  .meta({ anyOf: unitForms })

const audience = z.string().regex(/^[!-~]{1,512}$/, "an audience is ASCII without spaces")

const issuer = z
  .strictObject({
    family: z.enum(ISSUER_FAMILIES),
    url: issuerUrl,
    owners: nonEmpty(z.record(z.string().regex(/^[!-~]{1,128}$/, "an owner's name is ASCII without spaces"), idText))
      .meta({
        description:
          "Owner name -> owner id, in quotes. Jobs of owners that are not listed get nothing. Left out where the issuer has only one.",
        minProperties: 1,
      })
      .optional(),
    audience: audience.optional().meta({
      description: "The audience of its tokens, where every token of the issuer has the issuer's own.",
    }),
    ...issuerKeys,
    other_audiences: z.array(audience).min(1).max(10).optional().meta({
      description:
        "The audiences that a token may have beside the broker's. Each of them could present the token to the broker.",
    }),
    max_token_lifetime: duration.optional(),
    repository_policies: z.boolean().optional().meta({
      description: "Whether repositories may keep their own policies in .github/daypass/, under a boundary.",
    }),
    control_repository: z
      .string()
      .regex(/^[A-Za-z0-9_-]+\/[A-Za-z0-9._-]+$/, "a repository is written owner/name, without stars")
      .optional()
      .meta({ description: "owner/name of the repository that keeps these files. daypass check warns by it." }),
    organisation_properties: z
      .array(z.string().regex(/^[A-Za-z0-9_$#-]{1,75}$/, "write the property's name, without repo_property_"))
      .min(1)
      .optional()
      .meta({
        description: "Custom properties that only the organisation can edit, not a repository's administrators.",
      }),
  })
  .meta({ anyOf: issuerForms })

/** The organisation file: trusted issuers and owners, and where credentials come from. */
export const organisationSchema = z.strictObject({
  version,
  issuers: nonEmpty(z.record(name, issuer)).meta({ minProperties: 1 }),
  connections: nonEmpty(z.record(name, connectionBase)).meta({ minProperties: 1 }).optional(),
  boundaries: z
    .array(boundary)
    .optional()
    .meta({ description: "The most that jobs may get, whatever the policies say." }),
  limits: z
    .array(limit)
    .optional()
    .meta({ description: "What repositories may use up. The lowest of all matching entries counts." }),
  require_bound_token: z.boolean().optional(),
  alerts: alertsSection,
  exports: exportsSection,
  archive: archiveSection,
  alarms: alarmsSection,
  witnesses: z.string().min(1).max(16_384).optional().meta({
    description:
      "Who cosigns the checkpoints of the audit trail: lines `witness NAME KEY URL`, `group ...` and `quorum NAME` of c2sp.org/tlog-policy.",
  }),
  help: z
    .strictObject({ url: plainUrl("the URL of help"), text: oneLine("the text of help").optional() })
    .optional()
    .meta({ description: "Where people ask when a job is denied. Every denial shows it." }),
})

export type PolicyFile = z.output<typeof policySchema>
export type OrganisationFile = z.output<typeof organisationSchema>
export type ConnectionBase = z.output<typeof connectionBase>
