import type { JWTPayload } from "jose"
import { StsRefusal } from "./answer.ts"

const TAGS_CLAIM = "https://aws.amazon.com/tags"
const MAX_TAGS = 50
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u

export interface SessionTags {
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
}

/**
 * Reads the session tags that a web identity token carries: none, or principal tags of one value each.
 * @throws {StsRefusal} for a shape, a number, a length or a character that STS refuses
 */
export function readSessionTags(claims: JWTPayload): SessionTags {
  const claim = claims[TAGS_CLAIM]
  if (claim === undefined) return { tags: {}, transitiveTagKeys: [] }
  if (!isRecord(claim)) throw malformed("the tags claim is an object")
  const { principal_tags: principal = {}, transitive_tag_keys: transitive = [], ...rest } = claim
  if (Object.keys(rest).length > 0) throw malformed(`the tags claim has no member ${Object.keys(rest)[0]}`)
  if (!isRecord(principal)) throw malformed("principal_tags is an object")
  const tags = Object.fromEntries(Object.entries(principal).map(([key, values]) => [key, tagValue(key, values)]))
  const keys = Object.keys(tags)
  if (keys.length > MAX_TAGS) throw malformed(`a session has at most ${MAX_TAGS} tags`)
  if (new Set(keys.map((key) => key.toLowerCase())).size < keys.length)
    throw malformed("tag keys differ in more than case")
  if (!Array.isArray(transitive) || !transitive.every((key) => typeof key === "string" && key in tags)) {
    throw malformed("transitive_tag_keys lists keys of principal_tags")
  }
  return { tags, transitiveTagKeys: transitive as string[] }
}

function tagValue(key: string, values: unknown): string {
  if (!TAG_KEY.test(key) || key.toLowerCase().startsWith("aws:")) throw malformed("a tag's key is not acceptable")
  if (!Array.isArray(values) || values.length !== 1) throw malformed("a tag's value is a list of one")
  const [value] = values as unknown[]
  if (typeof value !== "string" || !TAG_VALUE.test(value)) throw malformed("a tag's value is not acceptable")
  return value
}

const malformed = (rule: string) => new StsRefusal("InvalidIdentityToken", `Invalid session tags: ${rule}`)

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
