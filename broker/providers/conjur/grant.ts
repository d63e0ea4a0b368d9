import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../field.ts"
import type { Located } from "../read-grant.ts"
import { segmentFault } from "../segment.ts"
import { audience, serviceUrl } from "../service.ts"
import { storeSettings } from "../store.ts"

const MAX_HOST_LENGTH = 256

/** A comma separates the ids of a batch. The other characters could change their meaning in a URL. */
const SPECIAL = /["\\%,#?]/
/** Dynamic secrets: Conjur makes a new credential for each read. */
const DYNAMIC = "data/dynamic/"

/** A connection to Conjur in the organisation file. */
export const connection = z.strictObject({
  url: serviceUrl.meta({
    description: "Conjur's API: https://conjur.example.com, or https://acme.secretsmgr.cyberark.cloud/api.",
  }),
  account: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, "an account may only have letters, digits, - and _")
    .meta({ description: "The account that the server was set up with; conjur in CyberArk's cloud." }),
  authenticator: z
    .string()
    .regex(
      /^[A-Za-z0-9_-]{1,64}$/,
      "an authenticator must be named by its service id, which only has letters, digits, - and _",
    )
    .meta({ description: "The JWT authenticator's service id: daypass for conjur/authn-jwt/daypass." }),
  host: z
    .string()
    .max(MAX_HOST_LENGTH)
    .refine(
      (id) => idFault(id) === null && !id.startsWith("host/"),
      "a host must be named by its id, such as data/daypass/shop, without host/ before it",
    )
    .optional()
    .meta({ description: "The host to log in as, if the authenticator does not find it in the token." }),
  audience: audience.optional().meta({ description: "The authenticator's audience; the URL when left out." }),
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** Parses a variable's id, such as `data/shop/db/password`, with or without `#FIELD` after it. */
export function parseLocator(locator: string): Result<string, string> {
  if (isUrl(locator)) return fail("is a URL; write the variable's id, as data/shop/db/password")
  const { place, field } = splitField(locator)
  const fault = fieldFault(field) ?? idFault(place)
  if (fault !== null) return fail(fault)
  if (place.startsWith(DYNAMIC))
    return fail(
      `must not be below ${DYNAMIC}: Conjur makes a new credential for each read, which the broker could not end`,
    )
  return ok(place)
}

/** Why a grant cannot read these: what is copied from Conjur's resources has account and kind before the id. */
export function conflictOf(wanted: readonly Located<string>[], { account }: Connection): string | null {
  const whole = `${account}:variable:`
  const found = wanted.find(({ place }) => place.startsWith(whole))
  if (found === undefined) return null
  return `${found.locator} is the id of a resource: write the variable's alone, ${found.locator.slice(whole.length)}`
}

const idFault = (id: string): string | null =>
  id
    .split("/")
    .map((part) => segmentFault(part, SPECIAL))
    .find((found) => found !== null) ?? null
