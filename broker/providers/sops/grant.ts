import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { secretReference } from "../../core/secret-reference.ts"
import { fieldFault, splitField } from "../field.ts"
import type { NamedKey } from "../key-service.ts"

/** Names that begin with a letter, a digit or `_`. So `.`, `..` and names that the policy folder skips are refused. */
const NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
const FOLDER = new RegExp(`^${NAME}(?:/${NAME}){0,7}$`)
const FILE = new RegExp(`^(?:${NAME}/){0,8}${NAME}\\.sops\\.(?:yaml|yml|json|env)$`)
/** A key of a map, or the number of a list item. */
export const KEY = /^(?!\.+$)[A-Za-z0-9_.-]{1,128}$/
/** The maximum depth of such a file. */
const MAX_KEYS = 16

/** More than a few keys are many vendors, or many regions. */
const MAX_SERVICE_KEYS = 16

/**
 * A key of a vendor, as files name it, and how the broker logs in to use it. What a vendor's key needs besides its connection
 * is checked when the connection is known.
 */
const serviceKey = z.strictObject({
  connection: z.string().min(1).meta({ description: "A connection of the provider aws, google, azure or vault." }),
  key: z
    .string()
    .min(1)
    .max(512)
    .meta({ description: "The key as .sops.yaml names it: an ARN, a resource's name, a key's identifier or URI." }),
  role: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "AWS: the role's ARN. Vault: the role of the JWT auth method." }),
  client_id: z.string().min(1).optional().meta({ description: "Azure: the client that may decrypt with the key." }),
  service_account: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Google: the account that may decrypt with the key; the job's own principal when left out." }),
  endpoint: z.string().min(1).optional().meta({ description: "AWS and Google: another URL of the key's service." }),
})

/** A connection to secrets files in the organisation file: their folder, and the keys that open them. */
export const connection = z
  .strictObject({
    key: secretReference.optional().meta({
      description: "The age key: env:NAME of a secret that the operator sets; never the secret itself.",
    }),
    keys: z.array(serviceKey).min(1).max(MAX_SERVICE_KEYS).optional().meta({
      description: "Keys of AWS KMS, Google Cloud KMS, Azure Key Vault and Vault's transit engine that open files.",
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
  .refine(({ key, keys }) => key !== undefined || keys !== undefined, "must have key, an age key, or keys")
  .meta({ anyOf: [{ required: ["key"] }, { required: ["keys"] }] })

/** Decrypted values are never cached, so there is no `cache`. */
export type Connection = z.infer<typeof connection> & {
  readonly cache?: never
  /** `keys`, each with the settings of the connection that it names. */
  readonly through?: readonly NamedKey[]
}

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
