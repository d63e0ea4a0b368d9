import * as z from "zod"
import { fail, ok, type Result } from "../../core/result.ts"
import { secretReference } from "../../core/secret-reference.ts"
import { segmentFault } from "../segment.ts"
import { serviceUrl } from "../service.ts"
import { storeSettings } from "../store.ts"

const MAX_VAULTS = 64
const MAX_NAME_LENGTH = 256

/** Quotes and backslashes would end a name inside of a filter; `?` begins an attribute of a reference. */
const SPECIAL = /["\\%?]/

/** What the organisation file says of a way to a Connect server. */
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
          "a vault is named as in a reference, by its name or as id: and its id",
        ),
    )
    .min(1)
    .max(MAX_VAULTS)
    .optional()
    .meta({ description: "Vaults that grants may name, spelled as grants spell them." }),
  ...storeSettings,
})

export type Connection = z.infer<typeof connection>

/** A secret reference, cut into its parts: each a name, or an id behind `id:`. */
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
 * What an id has before it. 1Password's own tools write ids bare, and tell them from names by their looks; then whoever may
 * choose a name could choose one that is an id: of an item, when it fills a gap, or to fit a ceiling such as `op://Shop/a*`.
 * Neither a gap's value nor `*` holds a colon.
 */
const ID_PREFIX = "id:"

/** The id that a part of a reference says; null when it is a name. */
export const idOf = (part: string): string | null => (part.startsWith(ID_PREFIX) ? part.slice(ID_PREFIX.length) : null)

/** Parses `op://VAULT/ITEM/[SECTION/]FIELD`. Names count to the letter; 1Password's own tools pass over their case. */
export function parseReference(locator: string): Result<Reference, string> {
  if (!locator.startsWith(SCHEME)) return fail("is no reference of the form op://VAULT/ITEM/[SECTION/]FIELD")
  if (locator.includes("?"))
    return fail("asks for an attribute behind ?: one-time passwords and other forms of a field cannot be had")
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

const NO_ID = "has id: before what is no id of a vault or an item: 26 small letters and digits"

const isNameOrId = (part: string): boolean => {
  const id = idOf(part)
  return id === null || ID.test(id)
}

const partFault = (part: string) => segmentFault(idOf(part) ?? part, SPECIAL)

function vaultFault(name: string): string | null {
  if (name.includes("/")) return "is no name"
  return partFault(name) ?? (isNameOrId(name) ? null : NO_ID)
}
