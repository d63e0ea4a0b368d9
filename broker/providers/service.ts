import * as z from "zod"
import { isHttpsOrLoopback } from "../core/url.ts"

const MAX_URL_LENGTH = 256
const MAX_AUDIENCE_LENGTH = 256

/** Where a service's API begins, in its one spelling: paths are appended to it as it stands. */
export const serviceUrl = z
  .string()
  .max(MAX_URL_LENGTH)
  .refine(
    isServiceUrl,
    "the URL of a service is https, written in small letters, without a query and without a slash at its end",
  )

/** The `aud` by which a service knows that the broker's token is meant for it. */
export const audience = z
  .string()
  .min(1)
  .max(MAX_AUDIENCE_LENGTH)
  .regex(/^[!#-[\]-~]+$/, "an audience has printable ASCII characters only, no spaces, quotes or backslashes")

/** The audience by which a service knows the broker's token where the connection names none: the service's own URL. */
export const audienceOf = (connection: { readonly audience?: string | undefined; readonly url: string }): string =>
  connection.audience ?? connection.url

/** An id in its one spelling, in small letters: lists and boundaries compare it as text. */
export const uuid = (whose: string) =>
  z
    .string()
    .regex(
      /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
      `${whose} is an id in small letters, such as 4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f`,
    )

/** A bearer token as RFC 6750 section 2.1 writes one, so that it can stand in a header. */
export const BEARER = /^[A-Za-z0-9._~+/-]+=*$/

/** A URL that is an origin and nothing else, in its one spelling: a path is put behind it. */
export function origin(what: string, example: string) {
  const hint = `${what} is an https URL in small letters, without a path and without a slash at its end, such as ${example}`
  return (
    z
      .string()
      .max(MAX_URL_LENGTH)
      // For editors: whatever fits no pattern is no origin either.
      .regex(/^https?:\/\/[^/?#\\@\s]+$/, { error: hint, abort: true })
      .refine((url) => isHttpsOrLoopback(url) && new URL(url).origin === url, hint)
  )
}

function isServiceUrl(text: string): boolean {
  if (!isHttpsOrLoopback(text) || /[?#]/.test(text) || text.endsWith("/")) return false
  const { href } = new URL(text)
  return href === text || href === `${text}/`
}
