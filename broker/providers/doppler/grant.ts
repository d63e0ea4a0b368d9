import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { fieldFault, splitField } from "../field.ts"
import { referenceSettings } from "../references.ts"
import { audience, serviceUrl } from "../service.ts"
import { storeSettings } from "../store.ts"

const MAX_PROJECTS = 64

/** The names of projects and configs in Doppler's URLs: `shop`, `prd`, `prd_eu`. */
const SLUG = /^[a-z0-9][a-z0-9_-]{0,127}$/
/** Names of secrets (Doppler documentation, "Secrets"). */
const NAME = /^[A-Z_][A-Z0-9_]{0,199}$/

/** A connection to Doppler in the organisation file. */
export const connection = z.strictObject({
  identity: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/, "an identity must be named by its id, which only has letters, digits, _ and -")
    .meta({ description: "The id of the service account's identity, from its page." }),
  audience: audience
    .optional()
    .meta({ description: "The audience in the identity's rule for aud; the URL when left out." }),
  projects: z
    .array(z.string().regex(SLUG, "a project must be named as in its URL: lower-case letters, digits, - and _"))
    .min(1)
    .max(MAX_PROJECTS)
    .optional()
    .meta({ description: "Projects that grants may name." }),
  url: serviceUrl.default("https://api.doppler.com").meta({
    description: "Another URL of Doppler's API, for example of a proxy for all outgoing traffic.",
  }),
  ...referenceSettings,
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** The place of a secret. */
export interface Place {
  readonly project: string
  readonly config: string
  readonly name: string
}

/** Parses `PROJECT/CONFIG/NAME`, with or without `#FIELD` after it. */
export function parseLocator(locator: string): Result<Place, string> {
  const { place, field } = splitField(locator)
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const parts = place.split("/")
  const [project = "", config = "", name = ""] = parts
  if (parts.length !== 3) return fail("must have the form PROJECT/CONFIG/NAME")
  if (!SLUG.test(project) || !SLUG.test(config))
    return fail("must name project and config as Doppler's URLs do: lower-case letters, digits, - and _")
  if (!NAME.test(name)) return fail("must name the secret as Doppler does: capital letters, digits and _")
  return ok({ project, config, name })
}
