import * as z from "zod"
import { parseDuration } from "../duration.ts"
import { PLAIN_URL, PLAIN_URL_FORM, parsePlainUrl } from "../url.ts"

// Forms that policies, organisation files and policy tests share.

/** A name that the organisation chooses: of a grant, a connection, an issuer. */
export const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,63}$/,
    "a name starts with a lower-case letter, continues with lower-case letters, digits and dashes, and has at most 64 characters",
  )

/** A lifetime, written `15m`; parsed to seconds. */
export const duration = z
  .string()
  .transform((text, context) => {
    const seconds = parseDuration(text)
    if (seconds.ok) return seconds.value
    context.addIssue({ code: "custom", message: seconds.fault })
    return z.NEVER
  })
  .meta({ description: "A whole number and a unit: 90s, 15m or 1h.", examples: ["15m"] })

/** The name of a claim, as issuers send it. */
export const claimName = z
  .string()
  .regex(/^[!-~]{1,128}$/, "a claim's name is ASCII without spaces, at most 128 characters")

/** A name that traces and reports show. `what` is the subject of the error sentence: "a rule's name". */
export const oneLine = (what: string) =>
  z
    .string()
    .min(1)
    .max(120)
    .regex(/^[^\n]*$/, `${what} must be a single line`)

/** Refuses an empty map: a reader could take it for "no condition" or "everybody". */
export function nonEmpty<Schema extends z.ZodRecord | z.ZodObject>(schema: Schema): Schema {
  return schema.superRefine((value, context) => {
    if (Object.keys(value as object).length > 0) return
    context.addIssue({ code: "custom", message: "is empty", params: { fault: "value_empty" } })
  }) as Schema
}

/** A URL with only one spelling. `whose` starts the fault: "an issuer's URL". */
export const plainUrl = (whose: string) =>
  z
    .string()
    .max(256)
    .refine((url) => parsePlainUrl(url) !== null, `${whose} must be ${PLAIN_URL_FORM}`)
    .meta({ pattern: PLAIN_URL.source })
