import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { secretReference } from "../../core/secret-reference.ts"
import { segmentFault } from "../segment.ts"
import { serviceUrl } from "../service.ts"
import { storeSettings } from "../store.ts"

const MAX_VAULTS = 64
const MAX_NAME_LENGTH = 256

/** Quotes and backslashes would end a name inside a filter; `?` begins an attribute of a reference. */
const SPECIAL = /["\\%?]/

/** A connection to a Connect server in the organisation file. */
export const connection = z.strictObject({
  url: serviceUrl.meta({ description: "The Connect server, without the /v1 of its API." }),
  token: secretReference.meta({
    description: "The server's access token: env:NAME of a secret that the operator sets; never the secret itself.",
  }),
  vaults: z
    .array(
      z
        .string()
        .max(MAX_NAME_LENGTH)
        .refine(
          (name) => vaultFault(name) === null,
          "a vault must be named as in a reference, by its name or by id: and its id",
        ),
    )
    .min(1)
    .max(MAX_VAULTS)
    .optional()
    .meta({ description: "Vaults that grants may name, spelled as grants spell them." }),
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** The parts of a secret reference: each is a name, or an id after `id:`. */
export interface Reference {
  readonly vault: string
  readonly item: string
  /** Null when the reference leaves it out. */
  readonly section: string | null
  readonly field: string
}

/** Ids of vaults and items (Connect API, `^[\da-z]{26}$`). */
export const ID = /^[a-z0-9]{26}$/

const SCHEME = "op://"
/**
 * The prefix of an id. 1Password's own tools write ids without a prefix, and recognise them by their form. Then an attacker
 * who can choose a name could choose one that is the id of an item, to fill a gap with it or to match a ceiling such as
 * `op://Shop/a*`. Neither the value of a gap nor `*` can contain a colon.
 */
const ID_PREFIX = "id:"

/** The id in a part of a reference; null when the part is a name. */
export const idOf = (part: string): string | null => (part.startsWith(ID_PREFIX) ? part.slice(ID_PREFIX.length) : null)

/** Parses `op://VAULT/ITEM/[SECTION/]FIELD`. Names are case-sensitive, unlike in 1Password's own tools. */
export function parseReference(locator: string): Result<Reference, string> {
  if (!locator.startsWith(SCHEME)) return fail("must have the form op://VAULT/ITEM/[SECTION/]FIELD")
  if (locator.includes("?"))
    return fail("must not have an attribute after ?: one-time passwords and other forms of a field cannot be read")
  const parts = locator.slice(SCHEME.length).split("/")
  const fault = parts.map(partFault).find((found) => found !== null)
  if (fault !== undefined) return fail(fault)
  const [vault, item, ...rest] = parts
  const field = rest.pop()
  if (vault === undefined || item === undefined || field === undefined || rest.length > 1)
    return fail("has too few or too many parts for op://VAULT/ITEM/[SECTION/]FIELD")
  if (![vault, item].every(isNameOrId)) return fail(NO_ID)
  return ok({ vault, item, section: rest[0] ?? null, field })
}

/** Parses `op://VAULT/ITEM`, the whole of an item. The place names no section and a field that is not read. */
export function parseItem(locator: string): Result<Reference, string> {
  const parsed = parseReference(`${locator}/X`)
  return parsed.ok && parsed.value.section !== null ? fail("must have the form op://VAULT/ITEM") : parsed
}

const NO_ID = "must have the id of a vault or an item after id: 26 lower-case letters and digits"

const isNameOrId = (part: string): boolean => {
  const id = idOf(part)
  return id === null || ID.test(id)
}

const partFault = (part: string) => segmentFault(idOf(part) ?? part, SPECIAL)

function vaultFault(name: string): string | null {
  if (name.includes("/")) return "must not contain a slash"
  return partFault(name) ?? (isNameOrId(name) ? null : NO_ID)
}
