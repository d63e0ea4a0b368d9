import * as z from "zod"
import { EVENT_TYPES } from "../events/event-types.ts"
import { secretReference } from "../secret-reference.ts"
import { name, nonEmpty, plainUrl } from "./schema-words.ts"

// What leaves the broker by itself: alerts to endpoints, and the record to where it is kept.

const privateNetwork = z
  .literal(true)
  .optional()
  .meta({ description: "true: its host may be in a private network. Left out: only public addresses." })

/** One secret, or two while receivers change to the new one: every message then has both signatures. */
const signingSecrets = z
  .union([secretReference.transform((one) => [one]), z.array(secretReference).min(1).max(2)])
  .meta({ description: "env:NAME of the signing secret, whsec_...; a list of two while the secret is replaced." })

const alertEndpoint = z.strictObject({
  url: plainUrl("an endpoint's URL"),
  secret: signingSecrets,
  events: z.array(z.enum(EVENT_TYPES)).min(1).optional().meta({ description: "Left out: all events." }),
  private_network: privateNetwork,
})

/** Also the name of a prefix: it becomes part of an object's name, and must stay below the place that it names. */
const prefix = z
  .string()
  .regex(
    /^(?!.*\/\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[A-Za-z0-9!_.'()-][A-Za-z0-9!_.'()/-]{0,255}(?<!\/)$/,
    "a prefix is letters, digits and . _ - / without a slash at its start or end",
  )
  .optional()

const format = z
  .enum(["jsonl", "ocsf", "cef"])
  .default("jsonl")
  .meta({ description: "jsonl can be verified, and is the only format after which the record may be archived." })

const bucket = z
  .string()
  .regex(
    /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    "a bucket's name is 3 to 63 lower-case letters, digits, dots and dashes",
  )

const exportTarget = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("folder"),
    path: z
      .string()
      .regex(/^\/(?!\/)(?!.*\/\.{1,2}(?:\/|$))[^\0]{1,1023}$/, "an absolute path without . and .. is needed here")
      .meta({ description: "An absolute path on the broker's machine. The folder must exist." }),
    format,
  }),
  z.strictObject({
    kind: z.literal("s3"),
    connection: name.meta({ description: "A connection of provider aws: its region and its accounts." }),
    role: z.string().min(20).max(2048).meta({ description: "The role that the broker writes with." }),
    bucket,
    prefix,
    endpoint: plainUrl("an endpoint")
      .optional()
      .meta({ description: "Another URL for S3. The bucket then becomes the first part of the path." }),
    lock_days: z.int().min(1).max(36_500).optional().meta({
      description: "Object Lock in compliance mode: nobody can delete or replace an object for so many days.",
    }),
    format,
  }),
  z.strictObject({
    kind: z.literal("r2"),
    binding: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,63}$/, "a binding's name is capital letters, digits and _, as in wrangler.toml")
      .meta({ description: "The Worker's binding of the bucket." }),
    prefix,
    format,
  }),
  z.strictObject({
    kind: z.literal("otlp"),
    url: plainUrl("a collector's URL").meta({ description: "The collector's URL for logs; it ends with /v1/logs." }),
    authorization: secretReference
      .optional()
      .meta({ description: "env:NAME of the header Authorization: for example Bearer and a token." }),
    private_network: privateNetwork,
  }),
])

/** `alerts:` of the organisation file: name -> endpoint. */
export const alertsSection = nonEmpty(z.record(name, alertEndpoint))
  .meta({ minProperties: 1 })
  .optional()
  .meta({ description: "Endpoints that are told of events, by Standard Webhooks." })

/** `exports:` of the organisation file: name -> where the record is written to, as it grows. */
export const exportsSection = nonEmpty(z.record(name, exportTarget))
  .meta({ minProperties: 1 })
  .optional()
  .meta({ description: "Where new records are written to, a moment after they were made." })

/** Less could take records that alerts, `tighten` and people who look into an incident still need. */
const LEAST_DAYS = 30

/** `archive:` of the organisation file. Parsed to days. */
export const archiveSection = z
  .strictObject({
    after: z
      .string()
      .transform((text, context) => {
        const days = Number(/^([1-9][0-9]{0,4})d$/.exec(text)?.[1])
        if (days >= LEAST_DAYS) return days
        context.addIssue({ code: "custom", message: `an age is a whole number of days, at least ${LEAST_DAYS}d: 400d` })
        return z.NEVER
      })
      .meta({ description: "Older records leave the ledgers. Days, at least 30.", examples: ["400d"] }),
  })
  .optional()
  .meta({ description: "Records leave the ledgers when they are old, and all exports have them." })

/** When records leave the ledgers: `after` in days. */
export type Archive = NonNullable<z.output<typeof archiveSection>>
/** An endpoint that is told of events. */
export type AlertEndpoint = z.output<typeof alertEndpoint>
/** Where new records are written to. */
export type ExportTarget = z.output<typeof exportTarget>
export type S3Target = Extract<ExportTarget, { kind: "s3" }>

/** Whether what such an export has can be verified and is kept, so that the record may leave the ledger after it. */
export const isArchive = (target: ExportTarget): boolean => target.kind !== "otlp" && target.format === "jsonl"
