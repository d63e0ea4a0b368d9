import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../../field.ts"
import { awsStoreSettings, inOnePartition } from "../store-settings.ts"

/** The settings of a connection to Secrets Manager in the organisation file. */
export const connection = z.strictObject(awsStoreSettings).superRefine(inOnePartition)

export type Connection = z.infer<typeof connection>

/** One version of a secret. */
export interface Place {
  /** The locator without its field. */
  readonly text: string
  readonly name: string
  /** A staging label or an id; null for the current version. */
  readonly version: { readonly stage: string } | { readonly id: string } | null
}

/** Source: Secrets Manager's error for invalid names. `!` is in the names of secrets that an AWS service manages. */
const NAME = /^[A-Za-z0-9/_+=.@!-]+$/
/** Stricter than AWS, which allows any characters in labels and ids. */
const VERSION = /^[A-Za-z0-9_.-]{1,64}$/
/**
 * A version of at least this length is an id. Ids have 32 to 64 characters: most are UUIDs, but Terraform uses another form.
 * AWS also allows staging labels of this length. A locator cannot name such a label.
 */
const MIN_ID_CHARACTERS = 32
const CURRENT = "AWSCURRENT"

/** Parses `NAME[:VERSION][#FIELD]`. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL. Write the secret's name, such as shop/stripe")
  const { place: text, field } = splitField(locator)
  const [name = "", version, ...rest] = text.split(":")
  if (name === "arn")
    return fail(
      "is an ARN. Write only the secret's name, without the hyphen and six characters after it: the connection determines account and region",
    )
  if (rest.length > 0) return fail("has more than one version. Write NAME:VERSION")
  if (!NAME.test(name)) return fail("must be a secret's name of letters, digits and / _ + = . @ ! -")
  if (name.replace(/^\//, "").split("/").some(isNoSegment))
    return fail("must not have an empty part, . or .. between its slashes")
  if (version === CURRENT) return fail(`names ${CURRENT}, which is the default: remove :${CURRENT}`)
  if (version !== undefined && !VERSION.test(version))
    return fail("must have a version after its colon: a staging label or a version's id, of letters, digits and _ . -")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  if (version === undefined) return ok({ text, name, version: null })
  return ok({ text, name, version: version.length < MIN_ID_CHARACTERS ? { stage: version } : { id: version } })
}

/** Each secret has one spelling, so names cannot have parts that another parser may resolve differently. */
const isNoSegment = (part: string) => part === "" || part === "." || part === ".."

/** The staging label of the requested version; null when an id was requested. */
export const stageOf = ({ version }: Place): string | null =>
  version === null ? CURRENT : "stage" in version ? version.stage : null
