import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, splitField } from "../../field.ts"
import { storeSettings } from "../../store.ts"
import { endpoint, loginSettings, PROJECT_ID, serviceAccount } from "../settings.ts"

/** Case-sensitive (Secret Manager API reference, projects.secrets.create, `secretId`). */
const SECRET_ID = /^[A-Za-z0-9_-]{1,255}$/
const VERSION_NUMBER = /^[1-9][0-9]{0,9}$/
/** Secret Manager API reference, Secret, `versionAliases`. */
const ALIAS = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/
/** Names that an alias cannot have, in any case. */
const RESERVED = /^(?:latest|new)$/i

/** How the API names a secret or a version of it; `gcloud` prints it, and so do URLs. */
const RESOURCE_NAME =
  /^(?:[^#]*\/)?projects\/[^/]+\/(?:locations\/[^/]+\/)?secrets\/([^/]+)(?:\/versions\/([^/:]+))?(?::access)?$/

/** A connection to the secrets of one project in the organisation file. */
export const connection = z.strictObject({
  ...loginSettings,
  project: z
    .string()
    .regex(
      new RegExp(`${PROJECT_ID.source}|^[1-9][0-9]{0,18}$`),
      'a project is its id, such as acme-prod, or its number in quotes: "123456789012"',
    )
    .meta({
      description: "The project of the secrets. With its number, the names in answers are also checked against it.",
    }),
  location: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/, "a location must be a region, such as europe-west3")
    .optional()
    .meta({ description: "The region of regional secrets. Left out for secrets that Google replicates." }),
  service_account: serviceAccount.optional().meta({
    description: "The service account that reads the secrets; the job's own principal in the pool when left out.",
  }),
  endpoint: endpoint
    .optional()
    .meta({ description: "Another URL of the Secret Manager API: a private endpoint, or of a sovereign cloud." }),
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** A secret and its version. */
export interface Place {
  readonly secret: string
  /** A number or an alias; null for the newest version. */
  readonly version: string | null
}

/**
 * Parses `NAME[@VERSION]`, with or without `#FIELD` after it. The newest version is always written without a version, so
 * that it has only one spelling.
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
      "must have the form NAME[@VERSION]: only the secret's name, of letters, digits, _ and -, because the connection names the project",
    )
  if (version === undefined) return ok({ secret, version: null })
  if (RESERVED.test(version)) return fail("names the newest version: remove the @ and the text after it")
  if (!VERSION_NUMBER.test(version) && !ALIAS.test(version))
    return fail("must have an alias as its version, or a number without leading zeros")
  return ok({ secret, version })
}

/** Whether a version is a number, which always names the same version. An alias can be moved to another version. */
export const isNumber = (version: string): boolean => VERSION_NUMBER.test(version)
