import * as z from "zod"
import { fail, ok, type Result } from "../core/result.ts"
import { isForbiddenVariable } from "../wire/variables.ts"
import type { OtherSide } from "./call.ts"
import { fieldOf } from "./field.ts"
import type { MintedValue } from "./provider.ts"
import { locatorsOf, locatorText, MAX_ENTRIES, type ParseLocator, type ReadField } from "./read-grant.ts"
import { delivered, type StoredValue, secretNotFound, secretUnusable } from "./stored-value.ts"

const MAX_VARIABLE_CHARACTERS = 128
/** The limit for all values of one `read_all` together. */
const MAX_TOTAL_BYTES = 256 * 1024

/** The values of an item or a folder, by the names that they have there. A store may have a name twice. */
export type Members = readonly (readonly [name: string, stored: StoredValue])[]

/**
 * The field `read_all` of a store's grants: every value of one item or folder, in variables that begin with `prefix`.
 *
 * People who edit the item choose the rest of each variable's name. The prefix, which they cannot choose, ends with `_` and
 * keeps them from the variables of tools.
 */
export function readAllField(parse: ParseLocator<unknown>) {
  return z
    .strictObject({
      from: locatorText(parse).meta({ description: "The item or folder; a folder ends with a slash." }),
      prefix: z
        .string()
        .regex(
          /^[A-Z][A-Z0-9_]{0,62}_$/,
          "a prefix has capital letters, digits and _, and ends with _, such as STRIPE_; it must not have gaps",
        )
        .refine(
          (prefix) => !isForbiddenVariable(`${prefix}X`),
          "variables with this prefix change how later steps run; choose another prefix",
        )
        .meta({
          description: "The start of every variable's name: STRIPE_ and the field api-key make STRIPE_API_KEY.",
        }),
      allow_empty: z
        .literal(true)
        .optional()
        .meta({ description: "Allows empty values, which are otherwise an error." }),
    })
    .meta({ description: "An item or folder, all of whose values the job gets, each in a variable of its name." })
}

/** The parsed form of `readAllField`. */
export type ReadAll = z.output<ReturnType<typeof readAllField>>

/** The fields of every store's grant: one of them, or both. */
export interface StoreGrant {
  readonly read?: ReadField | undefined
  readonly read_all?: ReadAll | undefined
}

/**
 * The grammar of `from`: one secret whose value is a JSON object, or, where the store can list, a folder that ends with a
 * slash. The place of a folder is that of a secret `X` in it.
 */
export const wholeIn =
  <Place>(parse: ParseLocator<Place>, canList: boolean): ParseLocator<Place> =>
  (from) => {
    if (from.includes("#")) return fail("must not have a # and a field: read_all gives all fields")
    if (!from.endsWith("/")) return parse(from)
    return canList
      ? parse(`${from}X`)
      : fail("ends with a slash, but this store gives no folder at once: name one secret")
  }

/** The resource of a grant with `read_all`, for the audit trail: `shop/stripe/** as STRIPE_*`. */
export const wholeText = ({ from, prefix }: ReadAll): string => `${from.replace(/\/$/, "")}/** as ${prefix}*`

/** What a grant reads, for the audit trail: its locators, and the item or folder that it reads as a whole. */
export const resourceOf = ({ read, read_all: all }: StoreGrant): string =>
  [...locatorsOf(read), ...(all === undefined ? [] : [wholeText(all)])].join(" ")

/**
 * The variable of a field. A capital letter after a small letter or a digit begins a word. Words have ASCII letters and
 * digits, and `_` between them: `apiKey` and `api key` both become `API_KEY`.
 */
export const variableFor = (prefix: string, name: string): string =>
  prefix +
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_|_$/g, "")
    .toUpperCase()

/** Every field of a map that a store returns as JSON. @throws {BrokerError} as `fieldOf` */
export const membersOf = (side: OtherSide, { from, prefix }: ReadAll, map: object): Members =>
  Object.keys(map).map((name) => {
    const locator = labelOf(from, variableFor(prefix, name))
    return [name, { value: fieldOf(side, locator, name, map) }]
  })

/**
 * Where tools of this field log in, from their documentation. A policy may set them with `read`. Whoever edits an item must not:
 * a later step would send the credentials of another grant to a server of the editor's choice.
 */
const LEADS_AWAY: ReadonlySet<string> = new Set(
  [
    "AZURE_AUTHORITY_HOST BAO_ADDR BAO_AGENT_ADDR BAO_PROXY_ADDR CONJUR_APPLIANCE_URL CONSUL_HTTP_ADDR DOPPLER_API_HOST",
    "INFISICAL_API_URL NOMAD_ADDR OP_CONNECT_HOST VAULT_ADDR VAULT_AGENT_ADDR VAULT_HTTP_PROXY VAULT_PROXY_ADDR",
  ].flatMap((line) => line.split(" ")),
)

/**
 * The variables for the names of an item or folder, in the same order. `taken`: the grant's other variables. The fault is the
 * end of a sentence. It names variables, which the job's log shows anyway.
 */
export function variablesOf(
  prefix: string,
  names: readonly string[],
  taken: readonly string[],
): Result<readonly string[], string> {
  if (names.length + taken.length > MAX_ENTRIES)
    return fail(`has ${names.length} values, but a grant may have at most ${MAX_ENTRIES} variables`)
  // On Windows, DB_HOST and db_host are the same variable.
  const all = new Set(taken.map((name) => name.toUpperCase()))
  const variables = names.map((name) => variableFor(prefix, name))
  for (const variable of variables) {
    if (variable === prefix) return fail("has a field without an ASCII letter or digit in its name: rename it")
    if (variable.length > MAX_VARIABLE_CHARACTERS)
      return fail(`has a field whose variable would have more than ${MAX_VARIABLE_CHARACTERS} characters: rename it`)
    if (isForbiddenVariable(variable))
      return fail(`has a field for ${variable}, which changes how later steps run: rename it`)
    if (LEADS_AWAY.has(variable))
      return fail(`has a field for ${variable}, which says where a tool sends its credentials: rename it`)
    if (all.has(variable)) return fail(`has a second field for ${variable}, or read has this variable: rename one`)
    all.add(variable)
  }
  return ok(variables)
}

/**
 * The variables of an item or folder with their values: all of them or none.
 *
 * @throws {BrokerError} `secret_not_found` when it has no values; `secret_unusable` as `variablesOf`, when a value cannot be
 *   delivered, or when all together are too large. It never names a value.
 */
export function spread(
  side: OtherSide,
  { from, prefix, allow_empty: allowEmpty }: ReadAll,
  members: Members,
  taken: readonly string[],
): readonly (readonly [variable: string, value: MintedValue])[] {
  if (members.length === 0) throw secretNotFound(side, from, "has no values")
  const refused = (why: string) => secretUnusable(side, from, `${why}. To read only some of its fields, use read`)
  const names = members.map(([name]) => name)
  const variables = variablesOf(prefix, names, taken)
  if (!variables.ok) throw refused(variables.fault)
  let bytes = 0
  return members.map(([, stored], at) => {
    const variable = variables.value[at] as string
    const locator = labelOf(from, variable)
    const wanted = { variable, locator, file: null, login: null, allowEmpty: allowEmpty ?? false, isPublic: false }
    const value = delivered(side, wanted, stored)
    bytes += new TextEncoder().encode(typeof value.value === "string" ? value.value : value.value.reveal()).length
    if (bytes > MAX_TOTAL_BYTES) throw refused(`has more than ${MAX_TOTAL_BYTES / 1024} KiB in all its values`)
    return [variable, value]
  })
}

/** An item's field in an error. */
const labelOf = (from: string, variable: string) => `${from}, for ${variable},`
