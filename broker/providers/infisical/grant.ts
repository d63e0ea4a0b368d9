import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../field.ts"
import { referenceSettings } from "../references.ts"
import { audience, serviceUrl, uuid } from "../service.ts"
import { storeSettings } from "../store.ts"

const MAX_PROJECTS = 64

/** A UUID, or the older form of a project's id. */
const PROJECT_ID = /^[a-z0-9-]{1,64}$/
/** An environment's slug, and the name of a folder. */
const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/
const FOLDER = /^[A-Za-z0-9_-]{1,128}$/
/**
 * Infisical forbids spaces, slashes and colons. Other characters that could change their meaning in a URL are refused here.
 */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,255}$/

/** A connection to Infisical in the organisation file. */
export const connection = z.strictObject({
  identity_id: uuid("an identity").meta({ description: "The machine identity that the broker logs in as." }),
  audience: audience
    .optional()
    .meta({ description: "The audience in the identity's OIDC Auth; the URL when left out." }),
  projects: z
    .array(z.string().regex(PROJECT_ID, "a project must be named by its id, which its settings show"))
    .min(1)
    .max(MAX_PROJECTS)
    .optional()
    .meta({ description: "Projects that grants may name, by their ids." }),
  url: serviceUrl
    .default("https://app.infisical.com")
    .meta({ description: "Another URL of Infisical: its EU cloud, or your own server." }),
  ...referenceSettings,
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** The place of a secret. */
export interface Place {
  readonly projectId: string
  readonly environment: string
  /** The folder, from the root: `/`, `/payments/eu`. */
  readonly path: string
  readonly name: string
}

/** Parses `PROJECT_ID/ENVIRONMENT/[FOLDER/...]NAME`, with or without `#FIELD` after it. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL; write PROJECT_ID/ENVIRONMENT/[FOLDER/...]NAME")
  const { place, field } = splitField(locator)
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const [projectId = "", environment = "", ...folders] = place.split("/")
  const name = folders.pop()
  if (name === undefined) return fail("must have the form PROJECT_ID/ENVIRONMENT/[FOLDER/...]NAME")
  if (!PROJECT_ID.test(projectId)) return fail("must begin with a project's id: lower-case letters, digits and -")
  if (!SLUG.test(environment)) return fail("must name the environment by its slug: lower-case letters, digits, - and _")
  if (!folders.every((folder) => FOLDER.test(folder)))
    return fail("must name folders with letters, digits, - and _ only, and one slash between them")
  if (!NAME.test(name)) return fail("must name the secret with letters, digits and _ . - only")
  return ok({ projectId, environment, path: `/${folders.join("/")}`, name })
}
