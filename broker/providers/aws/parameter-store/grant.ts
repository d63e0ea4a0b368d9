import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../../field.ts"
import { awsStoreSettings, inOnePartition } from "../store-settings.ts"

/** The settings of a connection to Parameter Store in the organisation file. */
export const connection = z
  .strictObject({
    ...awsStoreSettings,
    /**
     * AWS advises against secrets in the types String and StringList, but they are common there. So the default masks them:
     * a password in a log cannot be made secret again, while a region that is masked by mistake is noticed and fixed soon.
     */
    plain_is_public: z
      .boolean()
      .default(false)
      .meta({ description: "Does not mask parameters of type String and StringList." }),
  })
  .superRefine(inOnePartition)

export type Connection = z.infer<typeof connection>

/** One version of a parameter. */
export interface Place {
  /** The locator without its field. */
  readonly text: string
  readonly name: string
  /** A number or a label; null for the latest version. */
  readonly version: number | string | null
}

/** AWS's limits (PutParameter, LabelParameterVersion). */
const MAX_LEVELS = 15
const LABEL = /^(?!aws|ssm)[A-Za-z_.-][A-Za-z0-9_.-]{0,99}$/i
const VERSION = /^[1-9][0-9]{0,14}$/

/** Parses `NAME[:VERSION][#FIELD]`. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL. Write the parameter's name, such as /shop/db/password")
  const { place: text, field } = splitField(locator)
  const [name = "", version, ...rest] = text.split(":")
  if (name === "arn")
    return fail("is an ARN. Write only the parameter's name: the connection determines account and region")
  if (rest.length > 0) return fail("has more than one version. Write NAME:VERSION")
  if (!/^[A-Za-z0-9/_.-]+$/.test(name)) return fail("must be a parameter's name of letters, digits and / _ . -")
  const levels = name.replace(/^\//, "").split("/")
  if (levels.some((level) => level === "" || level === "." || level === ".."))
    return fail("must not have an empty part, . or .. between its slashes")
  if (name.includes("/") && !name.startsWith("/")) return fail("is a path, so it must begin with a slash")
  if (levels.length > MAX_LEVELS) return fail(`must have at most ${MAX_LEVELS} levels`)
  // /aws/reference/secretsmanager/ gives access to secrets of Secrets Manager: this would bypass the boundaries of its connections.
  if (/^\/aws\//i.test(name))
    return fail(
      "is below /aws/, which is reserved for AWS. For a secret of Secrets Manager, use provider: aws-secrets-manager",
    )
  if (version !== undefined && !VERSION.test(version) && !LABEL.test(version))
    return fail("must have a version after its colon: a number such as 3, or a label")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  if (version === undefined) return ok({ text, name, version: null })
  return ok({ text, name, version: VERSION.test(version) ? Number(version) : version })
}
