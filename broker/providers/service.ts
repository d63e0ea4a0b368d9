import { z } from "zod"
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

function isServiceUrl(text: string): boolean {
  if (!isHttpsOrLoopback(text) || /[?#]/.test(text) || text.endsWith("/")) return false
  const { href } = new URL(text)
  return href === text || href === `${text}/`
}
