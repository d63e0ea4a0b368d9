import * as z from "zod"
import { PLAIN_URL, PLAIN_URL_FORM, parsePlainUrl } from "../core/url.ts"

const MAX_URL_LENGTH = 256
const MAX_AUDIENCE_LENGTH = 256

/** A URL in its only spelling. `what` begins the error. The pattern is for editors. */
export const plainUrl = (what: string) =>
  z
    .string()
    .max(MAX_URL_LENGTH)
    .refine((url) => parsePlainUrl(url) !== null, `${what} must be ${PLAIN_URL_FORM}`)
    .meta({ pattern: PLAIN_URL.source })

/** The base URL of a service's API, without a slash at the end, because paths are appended to it. */
export const serviceUrl = plainUrl("the URL of a service").refine(
  (url) => !url.endsWith("/"),
  "the URL of a service must not have a slash at the end",
)

/** The `aud` of the identity tokens for a service. */
export const audience = z
  .string()
  .min(1)
  .max(MAX_AUDIENCE_LENGTH)
  .regex(
    /^[!#-[\]-~]+$/,
    "an audience may only have printable ASCII characters, without spaces, quotes and backslashes",
  )

/** The audience for a connection: the one that it names, or the service's URL. */
export const audienceOf = (connection: { readonly audience?: string | undefined; readonly url: string }): string =>
  connection.audience ?? connection.url

/** A UUID in lower case, its only spelling, because lists and boundaries compare it as text. `what` begins the error. */
export const uuid = (what: string) =>
  z
    .string()
    .regex(
      /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
      `${what} must be a UUID in lower case, such as 4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f`,
    )

/** A bearer token in the form of RFC 6750 section 2.1, so that it is safe in a header. */
export const BEARER = /^[A-Za-z0-9._~+/-]+=*$/

/** A URL that is only an origin, in its only spelling, because a path is appended to it. */
export function origin(what: string, example: string) {
  const hint = `${what} must be an https URL in lower case, without a path and without a slash at the end, such as ${example}`
  return (
    z
      .string()
      .max(MAX_URL_LENGTH)
      // The pattern is for editors, which cannot run the second check.
      .regex(/^https?:\/\/[^/?#\\@\s]+$/, { error: hint, abort: true })
      .refine((url) => parsePlainUrl(url)?.origin === url, hint)
  )
}
