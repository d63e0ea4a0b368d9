import * as z from "zod"
import { parseDuration } from "../duration.ts"

// What policies, organisation files and policy tests write alike.

/** A name of the organisation's own: of a grant, a connection, an issuer. */
export const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,63}$/,
    "a name starts with a small letter and goes on with small letters, digits and dashes, 64 at most",
  )

/** Seconds, written as people do. */
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
  .regex(/^[!-~]{1,128}$/, "a claim's name has no spaces and is ASCII, 128 characters at most")

/** What people read in a trace or a report; `whose` begins the sentence that refuses another. */
export const oneLine = (whose: string) =>
  z
    .string()
    .min(1)
    .max(120)
    .regex(/^[^\n]*$/, `${whose} is one line`)
