import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../../field.ts"
import { awsStoreSettings, inOnePartition } from "../store-settings.ts"

/** What the organisation file says of a way to Parameter Store. */
export const connection = z
  .strictObject({
    ...awsStoreSettings,
    /**
     * Parameters of type String and StringList are not masked. AWS says to keep nothing secret in these types; many do,
     * and a password in a log cannot be called back, while a region that is masked there is soon noticed and mended.
     */
    plain_is_public: z
      .boolean()
      .default(false)
      .meta({ description: "Parameters of type String and StringList are not masked." }),
  })
  .superRefine(inOnePartition)

export type Connection = z.infer<typeof connection>

/** A parameter, in one of its versions. */
export interface Place {
  /** As the locator spells it, without its field. */
  readonly text: string
  readonly name: string
  /** By a number or by a label; null for the latest. */
  readonly version: number | string | null
}

/** AWS's limits (PutParameter, LabelParameterVersion). */
const MAX_LEVELS = 15
const LABEL = /^(?!aws|ssm)[A-Za-z_.-][A-Za-z0-9_.-]{0,99}$/i
const VERSION = /^[1-9][0-9]{0,14}$/

/** Parses `NAME[:VERSION]`, with `#FIELD` behind it or not. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL; write the parameter's name, as /shop/db/password")
  const { place: text, field } = splitField(locator)
  const [name = "", version, ...rest] = text.split(":")
  if (name === "arn") return fail("is an ARN; write the parameter's name. Account and region are the connection's")
  if (rest.length > 0) return fail("has more than one version behind its name")
  if (!/^[A-Za-z0-9/_.-]+$/.test(name)) return fail("is no parameter's name: letters, digits and / _ . -")
  const levels = name.replace(/^\//, "").split("/")
  if (levels.some((level) => level === "" || level === "." || level === ".."))
    return fail("has an empty part, or . or .., between its slashes")
  if (name.includes("/") && !name.startsWith("/")) return fail("is a path, and does not begin with a slash")
  if (levels.length > MAX_LEVELS) return fail(`has more than ${MAX_LEVELS} levels`)
  // Below /aws/reference/secretsmanager/ stand the secrets of Secrets Manager: past the boundaries of connections to it.
  if (/^\/aws\//i.test(name))
    return fail("is one of AWS's own; a secret of Secrets Manager is read with provider: aws-secrets-manager")
  if (version !== undefined && !VERSION.test(version) && !LABEL.test(version))
    return fail("has no version behind its colon: a number such as 3, or a label")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  if (version === undefined) return ok({ text, name, version: null })
  return ok({ text, name, version: VERSION.test(version) ? Number(version) : version })
}
