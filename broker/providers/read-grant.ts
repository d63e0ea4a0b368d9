import * as z from "zod"
import { isPlainMap } from "../core/policy/plain.ts"
import { fail, type Result } from "../core/result.ts"
import { variable } from "./variable.ts"

/** Variables that one grant may fill: as many values as a job takes of one credential. */
const MAX_ENTRIES = 64
const MAX_LOCATOR_CHARACTERS = 512
/** Of all locators of a grant together: the audit record names every one of them, and has an end. */
const MAX_ALL_CHARACTERS = 4_096

/** A store's own grammar: what a locator names, or why it names nothing, as the end of a sentence that begins with it. */
export type ParseLocator<Place> = (locator: string) => Result<Place, string>

/** A locator, and what it names. */
export interface Located<Place> {
  readonly locator: string
  readonly place: Place
}

/** What these locators name. Only for those that the schema has let through. */
export const located = <Place>(locators: readonly string[], parse: ParseLocator<Place>): readonly Located<Place>[] =>
  locators.map((locator) => {
    const parsed = parse(locator)
    if (!parsed.ok) throw new TypeError("a locator that the schema has not let through")
    return { locator, place: parsed.value }
  })

const file = {
  as: z.literal("file").meta({ description: "The job gets a file, and its path in the variable." }),
  mode: z.enum(["0400", "0440", "0600", "0640"]).optional().meta({ description: "0600 when left out." }),
}

/**
 * The field `read` of every store's grants: the job's variables, and for each the locator of what goes into it.
 *
 * Locators are held against the store's grammar when the policies load. Gaps are filled before that.
 */
export function readField(parse: ParseLocator<unknown>) {
  const locator = z
    .string()
    .min(1)
    .max(MAX_LOCATOR_CHARACTERS)
    .superRefine((text, context) => {
      const parsed = /\p{Cc}/u.test(text) ? fail("has a control character") : parse(text)
      if (!parsed.ok) context.addIssue({ code: "custom", message: `the locator ${parsed.fault}` })
    })
    .meta({ description: "Where the store keeps it; '#field' picks one field." })
  const entry = z.union([
    locator,
    z.strictObject({
      from: locator,
      as: file.as.optional(),
      mode: file.mode,
      allow_empty: z.literal(true).optional().meta({ description: "An empty value is an error without it." }),
    }),
  ])
  return z
    .record(variable, entry)
    .superRefine((read, context) => {
      const names = Object.keys(read)
      const upper = new Set(names.map((name) => name.toUpperCase()))
      if (names.length === 0)
        context.addIssue({ code: "custom", message: "is empty", params: { fault: "value_empty" } })
      if (names.length > MAX_ENTRIES)
        context.addIssue({ code: "custom", message: `at most ${MAX_ENTRIES} variables; make a second grant` })
      const characters = Object.values(read).reduce(
        (sum, one) => sum + (typeof one === "string" ? one : one.from).length,
        0,
      )
      if (characters > MAX_ALL_CHARACTERS)
        context.addIssue({
          code: "custom",
          message: `the locators have at most ${MAX_ALL_CHARACTERS} characters together; make a second grant`,
        })
      // Windows takes DB_HOST and db_host for one variable.
      if (upper.size < names.length)
        context.addIssue({
          code: "custom",
          message: "two variables differ in case alone, and some runners take them for one",
        })
      for (const [name, one] of Object.entries(read)) {
        if (typeof one === "object" && one.mode !== undefined && one.as === undefined)
          context.addIssue({ code: "custom", path: [name, "mode"], message: "only a file has a mode: add as: file" })
      }
    })
    .meta({ description: "Variables of the job, and where each one's value is read.", minProperties: 1 })
}

/** What `readField` makes of a policy's text. */
export type ReadField = z.output<ReturnType<typeof readField>>

/** One value that a job is to get. */
export interface Wanted {
  readonly variable: string
  readonly locator: string
  /** Null when it arrives in the variable itself. */
  readonly file: { readonly mode: string } | null
  readonly allowEmpty: boolean
}

const DEFAULT_MODE = "0600"

/** The values that a grant reads, in the order of its file. */
export function wantedOf(read: ReadField): readonly Wanted[] {
  return Object.entries(read).map(([name, entry]): Wanted => {
    if (typeof entry === "string") return { variable: name, locator: entry, file: null, allowEmpty: false }
    const { from, as, mode, allow_empty: allowEmpty } = entry
    return {
      variable: name,
      locator: from,
      file: as === undefined ? null : { mode: mode ?? DEFAULT_MODE },
      allowEmpty: allowEmpty ?? false,
    }
  })
}

/**
 * A grant with `read` as boundaries see it: the variables and their locators, without how they arrive. Takes a grant in
 * whatever form it is, and leaves alone what is none.
 */
export function locatorsOnly(grant: unknown): unknown {
  if (!isPlainMap(grant) || !isPlainMap(grant["read"])) return grant
  const read = Object.entries(grant["read"]).map(([name, entry]) => [name, isPlainMap(entry) ? entry["from"] : entry])
  return { ...grant, read: Object.fromEntries(read) }
}

/** What the audit trail says of a grant that reads: the locators, without duplicates. */
export const locatorsOf = (read: ReadField): readonly string[] => [
  ...new Set(wantedOf(read).map(({ locator }) => locator)),
]
