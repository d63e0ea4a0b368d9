import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { secretReference } from "../../core/secret-reference.ts"
import { fieldFault, splitField } from "../field.ts"

/** Names that begin with a letter, a digit or `_`. So `.`, `..` and names that the policy folder skips are refused. */
const NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
const FOLDER = new RegExp(`^${NAME}(?:/${NAME}){0,7}$`)
const FILE = new RegExp(`^(?:${NAME}/){0,8}${NAME}\\.sops\\.(?:yaml|yml|json|env)$`)
/** A key of a map, or the number of a list item. */
export const KEY = /^(?!\.+$)[A-Za-z0-9_.-]{1,128}$/
/** The maximum depth of such a file. */
const MAX_KEYS = 16

/** A connection to secrets files in the organisation file: their folder, and the name of the secret with the age key. */
export const connection = z.strictObject({
  key: secretReference.meta({
    description: "The age key: env:NAME of a secret that the operator sets; never the secret itself.",
  }),
  folder: z
    .string()
    .max(256)
    .regex(
      FOLDER,
      "a folder must be relative to the policy folder, such as secrets/shop, with letters, digits and _ . - in its names",
    )
    .optional()
    .meta({ description: "The folder that locators are relative to; the policy folder itself when left out." }),
})

/** Decrypted values are never cached, so there is no `cache`. */
export type Connection = z.infer<typeof connection> & { readonly cache?: never }

/** A file, relative to the connection's folder, and the keys that lead to a value in it. */
export interface Place {
  readonly file: string
  readonly keys: readonly string[]
}

/**
 * Parses `FILE#KEY/KEY`.
 *
 * Keys are separated by `/`, not by dots. A claim that fills a gap may contain a dot, but never a slash. So the name of a
 * repository can choose one key, but cannot lead further down.
 */
export function parseLocator(locator: string): Result<Place, string> {
  const { place: file, field } = splitField(locator)
  if (!FILE.test(file)) {
    return fail(
      "must name a secrets file before the #, such as shop/production.sops.yaml. The name must end in .sops.yaml, .sops.yml, .sops.json or .sops.env",
    )
  }
  if (field === null)
    return fail("must name a value: write # and its key after the file, such as production.sops.yaml#database/password")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const keys = field.split("/")
  if (keys.length > MAX_KEYS) return fail(`must not have more than ${MAX_KEYS} keys`)
  if (keys.every((key) => KEY.test(key))) return ok({ file, keys })
  return fail(
    "must have only letters, digits and _ . - in its keys after the #; write / between keys, and numbers from 0 for list items",
  )
}

/** Parses `FILE` or `FILE#KEY/KEY`: all values of a file, or all below a key. */
export function parseWhole(text: string): Result<Place, string> {
  if (text.includes("#")) return parseLocator(text)
  const parsed = parseLocator(`${text}#X`)
  return parsed.ok ? ok({ ...parsed.value, keys: [] }) : parsed
}

/** The path of a locator's file, relative to the policy folder. */
export const pathOf = ({ file }: Place, { folder }: Pick<Connection, "folder">): string =>
  folder === undefined ? file : `${folder}/${file}`
