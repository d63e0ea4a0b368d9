import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../../field.ts"
import { awsStoreSettings, inOnePartition } from "../store-settings.ts"

/** What the organisation file says of a way to Secrets Manager. */
export const connection = z.strictObject(awsStoreSettings).superRefine(inOnePartition)

export type Connection = z.infer<typeof connection>

/** A secret, in one of its versions. */
export interface Place {
  /** As the locator spells it, without its field. */
  readonly text: string
  readonly name: string
  /** Its version, by a staging label or by an id; null for the current one. */
  readonly version: { readonly stage: string } | { readonly id: string } | null
}

/** As Secrets Manager says it in its refusals of names; `!` is in those of secrets that a service of AWS's manages. */
const NAME = /^[A-Za-z0-9/_+=.@!-]+$/
/** Narrower than AWS, which takes any characters in both. */
const VERSION = /^[A-Za-z0-9_.-]{1,64}$/
/**
 * From this length on a version is an id, which has 32 to 64 characters: a UUID most often, Terraform's another text. A
 * staging label may be as long in AWS's model; one that is cannot be named.
 */
const MIN_ID_CHARACTERS = 32
const CURRENT = "AWSCURRENT"

/** Parses `NAME[:VERSION]`, with `#FIELD` behind it or not. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL; write the secret's name, as shop/stripe")
  const { place: text, field } = splitField(locator)
  const [name = "", version, ...rest] = text.split(":")
  if (name === "arn")
    return fail(
      "is an ARN; write the secret's name, without the six characters behind it. Account and region are the connection's",
    )
  if (rest.length > 0) return fail("has more than one version behind its name")
  if (!NAME.test(name)) return fail("is no secret's name: letters, digits and / _ + = . @ ! -")
  if (name.replace(/^\//, "").split("/").some(isNoSegment))
    return fail("has an empty part, or . or .., between its slashes")
  if (version === CURRENT) return fail(`names ${CURRENT}, which is what is read without a version; leave it out`)
  if (version !== undefined && !VERSION.test(version))
    return fail("has no version behind its colon: a staging label or a version's id, of letters, digits and _ . -")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  if (version === undefined) return ok({ text, name, version: null })
  return ok({ text, name, version: version.length < MIN_ID_CHARACTERS ? { stage: version } : { id: version } })
}

/** One spelling for one secret: what some other reader may take for another part of it stands in no name. */
const isNoSegment = (part: string) => part === "" || part === "." || part === ".."

/** The label that the version which was asked for carries; null where an id was asked for. */
export const stageOf = ({ version }: Place): string | null =>
  version === null ? CURRENT : "stage" in version ? version.stage : null
