import * as z from "zod"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { type Call, denied, invalid, type OtherSide, readJson, transientFailure } from "../call.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import { type Connection, ID, idOf, type Reference } from "./grant.ts"

/** An item with all its fields and notes. */
const MAX_ANSWER_BYTES = 1024 * 1024

/** Builds a request for one of the paths below. Source: 1Password Connect Server API reference. */
export const buildGet = (connection: Connection, token: Secret<string>, path: string): Call => ({
  method: "GET",
  url: `${connection.url}/v1/${path}`,
  headers: { accept: "application/json", authorization: `Bearer ${token.reveal()}` },
  maxBytes: MAX_ANSWER_BYTES,
})

export const vaultsNamed = (name: string) => `vaults?filter=${equals("name", name)}`
export const itemsTitled = (vaultId: string, title: string) =>
  `vaults/${vaultId}/items?filter=${equals("title", title)}`
export const itemOf = (vaultId: string, itemId: string) => `vaults/${vaultId}/items/${itemId}`

/** A SCIM filter. No name holds a quote or a backslash: the grammar of locators refuses them. */
const equals = (attribute: string, name: string) => encodeURIComponent(`${attribute} eq "${name}"`)

const id = z.string().regex(ID)
const vaults = z.array(z.object({ id, name: z.string() }))
const summary = z.object({
  id,
  title: z.string().default(""),
  vault: z.object({ id }),
  /** Left out for an item in use. */
  state: z.string().default(""),
})
/** A list or text that is empty is left out, or null. */
const listOf = <Member extends z.ZodType>(member: Member) => z.array(member).nullish().transform(orEmptyList)
const orEmptyList = <Member>(list: readonly Member[] | null | undefined): readonly Member[] => list ?? []
const text = z
  .string()
  .nullish()
  .transform((given) => given ?? "")
const section = z.object({ id: z.string(), label: text })
const fullItem = summary.extend({
  /** Goes up with every change of the item. */
  version: z.int().min(0).optional().catch(undefined),
  sections: listOf(section),
  fields: listOf(
    z.object({
      id: z.string(),
      label: text,
      type: z.string(),
      value: text,
      section: z
        .object({ id: z.string() })
        .nullish()
        .transform((given) => given ?? undefined),
      /** The current code of a one-time password. */
      totp: z.unknown().optional(),
    }),
  ),
  files: listOf(z.object({ id: z.string(), name: z.string() })),
})

export type FullItem = z.infer<typeof fullItem>

/** The id of the only vault with this name. @throws {BrokerError} */
export function readVaultId(side: OtherSide, locator: string, response: HttpResponse, name: string): string {
  // Connect's filter may ignore case, but a locator has only one spelling.
  const named = readAnswer(side, locator, response, vaults, "a list of vaults").filter((vault) => vault.name === name)
  const [vault] = named
  if (vault === undefined)
    throw secretNotFound(
      side,
      locator,
      `names a vault that does not exist with exactly this spelling, or that the token may not read${bareId(name)}`,
    )
  if (named.length > 1)
    throw secretUnusable(
      side,
      locator,
      "names a vault, but several have this name: write id: and the vault's id instead",
    )
  return vault.id
}

/** The id of the only item with this title that is in use. @throws {BrokerError} */
export function readItemId(
  side: OtherSide,
  locator: string,
  response: HttpResponse,
  wanted: { readonly vaultId: string; readonly title: string },
): string {
  const listed = readAnswer(side, locator, response, z.array(summary), "a list of items")
  if (listed.some(({ vault }) => vault.id !== wanted.vaultId)) throw invalid(side, "lists items of another vault")
  const titled = listed.filter(({ title }) => title === wanted.title)
  const inUse = titled.filter(isInUse)
  const [item] = inUse
  if (inUse.length > 1)
    throw secretUnusable(
      side,
      locator,
      "names an item, but several in the vault have this title: write id: and the item's id instead",
    )
  if (item !== undefined) return item.id
  if (titled.length > 0) throw secretUnusable(side, locator, GONE)
  throw secretNotFound(
    side,
    locator,
    `names an item that is not in the vault with exactly this spelling${bareId(wanted.title)}`,
  )
}

/** The requested item. @throws {BrokerError} */
export function readItem(
  side: OtherSide,
  locator: string,
  response: HttpResponse,
  wanted: { readonly vaultId: string; readonly itemId: string },
): FullItem {
  const item = readAnswer(side, locator, response, fullItem, "an item")
  if (item.id !== wanted.itemId || item.vault.id !== wanted.vaultId) throw invalid(side, "is another item")
  if (!isInUse(item)) throw secretUnusable(side, locator, GONE)
  return item
}

/**
 * The field that a reference names. Each part is a label, or an id after `id:`. A reference without a section only finds
 * fields outside of sections. 1Password's own tools also search the sections, but then a ceiling such as `op://Shop/ci/*`,
 * which names no section, would include all of them.
 *
 * Every field is secret. The field's type only says how 1Password displays it, and people also keep tokens in visible
 * fields.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`
 */
export function fieldOfItem(side: OtherSide, locator: string, item: FullItem, wanted: Reference): Secret<string> {
  const named = item.fields.filter((field) => isMeant(wanted.field, field))
  const candidates = named.filter(standsIn(item, wanted.section))
  const [field] = candidates
  if (field === undefined) {
    if (item.files.some(({ id, name }) => isMeant(wanted.field, { id, label: name })))
      throw secretUnusable(side, locator, "names a file that is attached to the item, but only fields can be read")
    if (wanted.section === null && named.length > 0) {
      const isLabelled = (id: string | undefined) => item.sections.some((one) => one.id === id && one.label !== "")
      const hint = named.some(({ section }) => isLabelled(section?.id))
        ? ""
        : ". A section without a label is named by its id, such as id:add more"
      throw secretUnusable(
        side,
        locator,
        `names a field that is in a section: name its section too: op://VAULT/ITEM/SECTION/FIELD${hint}`,
      )
    }
    if (wanted.section !== null && isIdOf(wanted.section, item.sections) && standsInNone(item, wanted.section))
      throw secretNotFound(
        side,
        locator,
        `names a section by its id, as references copied from 1Password do: write id: before it, as in id:${wanted.section}`,
      )
    const hint = isIdOf(wanted.field, item.fields) ? ". This is a field's id: write id: before it" : ""
    throw secretNotFound(
      side,
      locator,
      `names a field that the item does not have there with exactly this spelling${hint}`,
    )
  }
  if (candidates.length > 1)
    throw secretUnusable(
      side,
      locator,
      "names a field, but several there have this label: write id: and the field's id instead",
    )
  if (isOneTimePassword(field))
    throw secretUnusable(
      side,
      locator,
      "names a one-time password: its codes cannot be read, and its seed is not handed out",
    )
  return new Secret(field.value)
}

/**
 * Every field that holds something, by its label; in a section with a label, the section's label comes first. Left out are
 * fields without a value, of which 1Password's templates have many, one-time passwords and attached files.
 */
export const membersOfItem = ({ fields, sections, ...item }: FullItem): readonly (readonly [string, StoredValue])[] =>
  fields
    .filter((field) => field.value !== "" && !isOneTimePassword(field))
    .map(({ label, value, section }) => {
      const above = sections.find(({ id }) => id === section?.id)?.label ?? ""
      return [`${above} ${label}`, { value: new Secret(value), ...versionOfItem(item) }]
    })

/** The item's version, where the answer has it. */
export const versionOfItem = ({ version }: Pick<FullItem, "version">): Pick<StoredValue, "version"> =>
  version === undefined ? {} : { version: String(version) }

/** Connect's API document says `TOTP`, its SDKs `OTP`. Both send the current code as `totp`. */
const isOneTimePassword = ({ type, totp }: FullItem["fields"][number]): boolean =>
  ["OTP", "TOTP"].includes(type.toUpperCase()) || (totp ?? null) !== null

const isIdOf = (part: string, some: readonly { readonly id: string }[]): boolean => some.some(({ id }) => id === part)

const standsInNone = ({ sections }: FullItem, part: string): boolean =>
  !sections.some((section) => isMeant(part, section))

const isMeant = (part: string, { id, label }: { readonly id: string; readonly label: string }): boolean =>
  idOf(part) === null ? label === part : id === idOf(part)

/** Whether a field is in the section that a reference names; without a named section, whether it is outside of sections. */
function standsIn({ sections }: FullItem, part: string | null): (field: FullItem["fields"][number]) => boolean {
  if (part === null) return ({ section }) => section === undefined
  const ids = new Set(sections.filter((section) => isMeant(part, section)).map(({ id }) => id))
  return ({ section }) => section !== undefined && ids.has(section.id)
}

/** A hint for references that were copied from 1Password. */
const bareId = (name: string): string => (ID.test(name) ? ". If this is an id, write id: before it" : "")

const GONE = "names an item that is archived or deleted"

const isInUse = ({ state }: { readonly state: string }) => state === "" || state === "ACTIVE"

/** What a Connect server's refusals mean, by status (API reference, Responses). */
const REFUSALS: Readonly<Record<number, (locator: string) => string>> = {
  401: () =>
    "this Connect server does not know the access token, or it was revoked. Make a new one, and set it as the secret that the connection's token names",
  403: (locator) => `the access token may not read the vault of ${locator}. Give it read access to that vault`,
}

function readAnswer<Schema extends z.ZodType>(
  side: OtherSide,
  locator: string,
  response: HttpResponse,
  schema: Schema,
  what: string,
): z.output<Schema> {
  const transient = transientFailure(side, response)
  if (transient !== null) throw transient
  if (response.status === 404)
    throw secretNotFound(side, locator, "names a vault or an item that does not exist, or that the token may not read")
  if (response.status !== 200) {
    const remedy = REFUSALS[response.status]?.(locator)
    throw denied(side, remedy ?? `it did not accept the request for ${locator}. The server's log has the reason`)
  }
  return readJson(side, response, schema, what)
}
