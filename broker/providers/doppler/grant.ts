import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { fieldFault, splitField } from "../field.ts"
import { referenceSettings } from "../references.ts"
import { audience, serviceUrl } from "../service.ts"
import { storeSettings } from "../store.ts"

const MAX_PROJECTS = 64

/** As Doppler spells projects and configs in URLs: `shop`, `prd`, `prd_eu`. */
const SLUG = /^[a-z0-9][a-z0-9_-]{0,127}$/
/** Names of secrets (Doppler documentation, "Secrets"). */
const NAME = /^[A-Z_][A-Z0-9_]{0,199}$/

/** What the organisation file says of a way to Doppler. */
export const connection = z.strictObject({
  identity: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/, "an identity is named by its id: letters, digits, _ and - only")
    .meta({ description: "The id of the service account's identity, as its page shows it." }),
  audience: audience.optional().meta({ description: "What the identity's rule for aud names; the URL when left out." }),
  projects: z
    .array(z.string().regex(SLUG, "a project is named as in its URL: small letters, digits, - and _"))
    .min(1)
    .max(MAX_PROJECTS)
    .optional()
    .meta({ description: "Projects that grants may name." }),
  url: serviceUrl.default("https://api.doppler.com").meta({
    description: "Doppler's API elsewhere: a proxy of one's own that all traffic leaves through, for example.",
  }),
  ...referenceSettings,
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** Where a secret stands. */
export interface Place {
  readonly project: string
  readonly config: string
  readonly name: string
}

/** Parses `PROJECT/CONFIG/NAME`, with `#FIELD` behind it or not. */
export function parseLocator(locator: string): Result<Place, string> {
  const { place, field } = splitField(locator)
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const parts = place.split("/")
  const [project = "", config = "", name = ""] = parts
  if (parts.length !== 3) return fail("is not of the form PROJECT/CONFIG/NAME")
  if (!SLUG.test(project) || !SLUG.test(config))
    return fail("names a project or a config otherwise than Doppler's URLs do: small letters, digits, - and _")
  if (!NAME.test(name)) return fail("names a secret otherwise than Doppler does: capital letters, digits and _")
  return ok({ project, config, name })
}
