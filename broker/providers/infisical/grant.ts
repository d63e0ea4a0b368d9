import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../field.ts"
import { referenceSettings } from "../references.ts"
import { audience, serviceUrl, uuid } from "../service.ts"
import { storeSettings } from "../store.ts"

const MAX_PROJECTS = 64

/** A UUID, or what projects made before there were any have for an id. */
const PROJECT_ID = /^[a-z0-9-]{1,64}$/
/** An environment's slug, and the name of a folder. */
const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/
const FOLDER = /^[A-Za-z0-9_-]{1,128}$/
/** Infisical forbids spaces, slashes and colons; what else could be read otherwise in a URL is refused here. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,255}$/

/** What the organisation file says of a way to Infisical. */
export const connection = z.strictObject({
  identity_id: uuid("an identity").meta({ description: "The machine identity that the broker logs in as." }),
  audience: audience
    .optional()
    .meta({ description: "What the identity's OIDC Auth names as its audience; the URL when left out." }),
  projects: z
    .array(z.string().regex(PROJECT_ID, "a project is named by its id, which its settings show"))
    .min(1)
    .max(MAX_PROJECTS)
    .optional()
    .meta({ description: "Projects that grants may name, by their ids." }),
  url: serviceUrl
    .default("https://app.infisical.com")
    .meta({ description: "Infisical elsewhere: its cloud in the EU, or a server of one's own." }),
  ...referenceSettings,
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** Where a secret stands. */
export interface Place {
  readonly projectId: string
  readonly environment: string
  /** The folder, from the root: `/`, `/payments/eu`. */
  readonly path: string
  readonly name: string
}

/** Parses `PROJECT_ID/ENVIRONMENT/[FOLDER/...]NAME`, with `#FIELD` behind it or not. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL; write PROJECT_ID/ENVIRONMENT/[FOLDER/...]NAME")
  const { place, field } = splitField(locator)
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const [projectId = "", environment = "", ...folders] = place.split("/")
  const name = folders.pop()
  if (name === undefined) return fail("is not of the form PROJECT_ID/ENVIRONMENT/[FOLDER/...]NAME")
  if (!PROJECT_ID.test(projectId)) return fail("does not begin with a project's id: small letters, digits and -")
  if (!SLUG.test(environment))
    return fail("names an environment otherwise than by its slug: small letters, digits, - and _")
  if (!folders.every((folder) => FOLDER.test(folder)))
    return fail("has a folder that Infisical cannot have: letters, digits, - and _ only, and no slash too many")
  if (!NAME.test(name)) return fail("names a secret with other characters than letters, digits and _ . -")
  return ok({ projectId, environment, path: `/${folders.join("/")}`, name })
}
