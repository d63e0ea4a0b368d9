import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, splitField } from "../../field.ts"
import { storeSettings } from "../../store.ts"
import { endpoint, loginSettings, PROJECT_ID, serviceAccount } from "../settings.ts"

/** Case counts in it (Secret Manager API reference, projects.secrets.create, `secretId`). */
const SECRET_ID = /^[A-Za-z0-9_-]{1,255}$/
const VERSION_NUMBER = /^[1-9][0-9]{0,9}$/
/** Secret Manager API reference, Secret, `versionAliases`. */
const ALIAS = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/
/** What no alias can be called, in whatever case. */
const RESERVED = /^(?:latest|new)$/i

/** How the API names a secret or a version of it; `gcloud` prints it, and so do URLs. */
const RESOURCE_NAME =
  /^(?:[^#]*\/)?projects\/[^/]+\/(?:locations\/[^/]+\/)?secrets\/([^/]+)(?:\/versions\/([^/:]+))?(?::access)?$/

/** What the organisation file says of a way to the secrets of one project. */
export const connection = z.strictObject({
  ...loginSettings,
  project: z
    .string()
    .regex(
      new RegExp(`${PROJECT_ID.source}|^[1-9][0-9]{0,18}$`),
      'a project is its id, such as acme-prod, or its number in quotes: "123456789012"',
    )
    .meta({
      description: "Whose secrets grants read. With the number, the answers' own names are held against it, too.",
    }),
  location: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/, "a location is a region, such as europe-west3")
    .optional()
    .meta({ description: "The region of regional secrets. Left out: secrets that Google replicates." }),
  service_account: serviceAccount
    .optional()
    .meta({ description: "Who reads the secrets; the job's own principal in the pool when left out." }),
  endpoint: endpoint
    .optional()
    .meta({ description: "The Secret Manager API elsewhere: a private endpoint, or a sovereign cloud's." }),
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** Which version of which secret. */
export interface Place {
  readonly secret: string
  /** A number or an alias; null for the newest. */
  readonly version: string | null
}

/**
 * Parses `NAME[@VERSION]`, with `#FIELD` behind it or not. The newest version is written without one, so that it has one
 * spelling.
 */
export function parseLocator(locator: string): Result<Place, string> {
  const { place, field } = splitField(locator)
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const [, named, at] = RESOURCE_NAME.exec(place) ?? []
  if (named !== undefined) {
    const meant = at === undefined || RESERVED.test(at) ? named : `${named}@${at}`
    return fail(
      `is the name of a resource; project and location are the connection's, so write ${meant}${field === null ? "" : `#${field}`}`,
    )
  }
  const [secret = "", version, ...more] = place.split("@")
  if (!SECRET_ID.test(secret) || more.length > 0)
    return fail(
      "is not of the form NAME[@VERSION]: a secret's name alone, of letters, digits, _ and -; the connection has its project",
    )
  if (version === undefined) return ok({ secret, version: null })
  if (RESERVED.test(version)) return fail("names the newest version: leave the @ and what follows out")
  if (!VERSION_NUMBER.test(version) && !ALIAS.test(version))
    return fail("has a version that is neither a number without zeros before it nor an alias")
  return ok({ secret, version })
}

/** Whether a version is a number, which names the same version for ever. An alias can be given to another one. */
export const isNumber = (version: string): boolean => VERSION_NUMBER.test(version)
