import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { secretReference } from "../../core/secret-reference.ts"
import { fieldFault, splitField } from "../field.ts"

/** Names that begin with a letter, a digit or `_`: no `.`, no `..`, nothing that the policy folder leaves out. */
const NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
const FOLDER = new RegExp(`^${NAME}(?:/${NAME}){0,7}$`)
const FILE = new RegExp(`^(?:${NAME}/){0,8}${NAME}\\.sops\\.(?:yaml|yml|json|env)$`)
/** A key of a map, or the number of a list's item. */
export const KEY = /^(?!\.+$)[A-Za-z0-9_.-]{1,128}$/
/** As deep as such a file may nest. */
const MAX_KEYS = 16

/** The organisation's way to files of secrets: where they lie, and the name of the secret that holds the age key. */
export const connection = z.strictObject({
  key: secretReference.meta({
    description: "The age key: env:NAME of a secret that the operator sets; never the secret itself.",
  }),
  folder: z
    .string()
    .max(256)
    .regex(FOLDER, "a folder is written from the policy folder, as secrets/shop, of names of letters, digits and _ . -")
    .optional()
    .meta({ description: "The folder that locators begin in; the policy folder itself when left out." }),
})

/** Nothing that was opened is kept: there is no `cache`. */
export type Connection = z.infer<typeof connection> & { readonly cache?: never }

/** What a locator names: a file, from the connection's folder, and the keys that lead to a value in it. */
export interface Place {
  readonly file: string
  readonly keys: readonly string[]
}

/**
 * Parses `FILE#KEY/KEY`.
 *
 * Keys are parted by `/` and not by dots: what a job's claims fill into a gap may hold a dot and never a slash, so that a
 * repository's name can choose one key and not lead further down.
 */
export function parseLocator(locator: string): Result<Place, string> {
  const { place: file, field } = splitField(locator)
  if (!FILE.test(file)) {
    return fail(
      "names no file of secrets before its #: write its path as shop/production.sops.yaml, which ends in .sops.yaml, .sops.yml, .sops.json or .sops.env",
    )
  }
  if (field === null)
    return fail("names no value: write # and its key behind the file, as production.sops.yaml#database/password")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const keys = field.split("/")
  if (keys.length > MAX_KEYS) return fail(`leads through more than ${MAX_KEYS} keys`)
  if (keys.every((key) => KEY.test(key))) return ok({ file, keys })
  return fail(
    "has a key behind # that is not letters, digits and _ . - alone; write / between keys, and numbers from 0 for a list's items",
  )
}

/** A locator's file from the policy folder. */
export const pathOf = ({ file }: Place, { folder }: Pick<Connection, "folder">): string =>
  folder === undefined ? file : `${folder}/${file}`
