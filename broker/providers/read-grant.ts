import * as z from "zod"
import { isPlainMap } from "../core/policy/plain.ts"
import { fail, type Result } from "../core/result.ts"
import { isLoginTool, LOGIN_TOOLS, type ToolLogin } from "../wire/tool-login.ts"
import { loginFaults, loginOf, loginParts } from "./tool-login.ts"
import { valueFaultOf, variableOrFile } from "./variable.ts"

/** The maximum number of variables of one grant. A job accepts at most this many values of one credential. */
export const MAX_ENTRIES = 64
const MAX_LOCATOR_CHARACTERS = 512
/** The limit for all locators of a grant together: the audit record names all of them, and its size is limited. */
const MAX_ALL_CHARACTERS = 4_096

/** A store's grammar for locators. Returns the place, or the end of a sentence that begins with the locator. */
export type ParseLocator<Place> = (locator: string) => Result<Place, string>

/** A locator with the place that it names. */
export interface Located<Place> {
  readonly locator: string
  readonly place: Place
}

/** The places of these locators, which the schema must have accepted. */
export const located = <Place>(locators: readonly string[], parse: ParseLocator<Place>): readonly Located<Place>[] =>
  locators.map((locator) => {
    const parsed = parse(locator)
    if (!parsed.ok) throw new TypeError("a locator that the schema has not accepted")
    return { locator, place: parsed.value }
  })

const file = {
  as: z.enum(["file", ...LOGIN_TOOLS]).meta({
    description:
      "file: delivers a file to the job, with its path in the variable. A tool: logs this tool in with the value, and sets no variable.",
  }),
  mode: z.enum(["0400", "0440", "0600", "0640"]).optional().meta({ description: "0600 when left out." }),
}

/** A text in a store's grammar. */
export const locatorText = (parse: ParseLocator<unknown>) =>
  z
    .string()
    .min(1)
    .max(MAX_LOCATOR_CHARACTERS)
    .superRefine((text, context) => {
      const parsed = /\p{Cc}/u.test(text) ? fail("has a control character") : parse(text)
      if (!parsed.ok) context.addIssue({ code: "custom", message: `the locator ${parsed.fault}` })
    })

/**
 * The field `read` of every store's grants: the job's variables, each with the locator of its value.
 *
 * The store's grammar checks locators when the policies load, after gaps were filled.
 */
export function readField(parse: ParseLocator<unknown>) {
  const locator = locatorText(parse).meta({
    description: "Where the store keeps the value; '#field' selects one field.",
  })
  const entry = z.union([
    locator,
    z.strictObject({
      from: locator,
      as: file.as.optional(),
      mode: file.mode,
      ...loginParts,
      allow_empty: z
        .literal(true)
        .optional()
        .meta({ description: "Allows an empty value, which is otherwise an error." }),
      public: z
        .literal(true)
        .optional()
        .meta({ description: "The value is not secret: the job's log shows it. Left out: the log hides it." }),
    }),
  ])
  return z
    .record(variableOrFile, entry)
    .superRefine((read, context) => {
      const names = Object.keys(read)
      const upper = new Set(names.map((name) => name.toUpperCase()))
      if (names.length === 0)
        context.addIssue({ code: "custom", message: "is empty", params: { fault: "value_empty" } })
      if (names.length > MAX_ENTRIES)
        context.addIssue({
          code: "custom",
          message: `a grant may have at most ${MAX_ENTRIES} variables; make a second grant`,
        })
      const characters = Object.values(read).reduce(
        (sum, one) => sum + (typeof one === "string" ? one : one.from).length,
        0,
      )
      if (characters > MAX_ALL_CHARACTERS)
        context.addIssue({
          code: "custom",
          message: `all locators together may have at most ${MAX_ALL_CHARACTERS} characters; make a second grant`,
        })
      // On Windows, DB_HOST and db_host are the same variable.
      if (upper.size < names.length)
        context.addIssue({
          code: "custom",
          message: "two variables differ only in case, and are the same variable on some runners; rename one",
        })
      for (const [name, one] of Object.entries(read)) {
        const fault = typeof one === "object" && one.as !== undefined ? null : valueFaultOf(name)
        if (fault !== null) context.addIssue({ code: "custom", path: [name], message: fault })
        if (typeof one === "string") continue
        for (const [key, message] of entryFaults(one)) context.addIssue({ code: "custom", path: [name, key], message })
      }
    })
    .meta({ description: "The job's variables, each with the locator of its value.", minProperties: 1 })
}

/** What is wrong with an entry that has keys: the key, and what to change. */
function entryFaults(entry: Entry): readonly (readonly [key: string, message: string])[] {
  const tool = isLoginTool(entry.as) ? entry.as : null
  const ofLogin = loginFaults(tool, entry).map(({ field, fault }) => [field, fault] as const)
  const ofFile: [string, string][] =
    entry.mode !== undefined && entry.as !== "file" ? [["mode", "mode is only allowed for a file: add as: file"]] : []
  if (tool === null) return [...ofLogin, ...ofFile]
  const never = (["public", "allow_empty"] as const).filter((key) => entry[key] !== undefined)
  return [...ofLogin, ...ofFile, ...never.map((key) => [key, `a login has no ${key}: leave it out`] as const)]
}

type Entry = Exclude<ReadField[string], string>

/** The parsed form of `readField`. */
export type ReadField = z.output<ReturnType<typeof readField>>

/** One value that the job must receive. */
export interface Wanted {
  readonly variable: string
  readonly locator: string
  /** Null when the variable contains the value itself. */
  readonly file: { readonly mode: string } | null
  /** The tool's login that the value is for. No variable contains the value then. */
  readonly login: ToolLogin | null
  readonly allowEmpty: boolean
  /** The policy says that the value is not secret, whatever the store says. */
  readonly isPublic: boolean
}

const DEFAULT_MODE = "0600"

/** The values that a grant reads, in the order of the policy file. */
export function wantedOf(read: ReadField = {}): readonly Wanted[] {
  return Object.entries(read).map(([name, entry]): Wanted => {
    if (typeof entry === "string")
      return { variable: name, locator: entry, file: null, login: null, allowEmpty: false, isPublic: false }
    const { from, as, mode, allow_empty: allowEmpty } = entry
    return {
      variable: name,
      locator: from,
      file: as === "file" ? { mode: mode ?? DEFAULT_MODE } : null,
      login: isLoginTool(as) ? loginOf(as, entry) : null,
      allowEmpty: allowEmpty ?? false,
      isPublic: entry.public ?? false,
    }
  })
}

/**
 * The form of a store's grant that boundaries check: the variables and their locators, without the form of delivery; of
 * `read_all` only what it reads. Accepts a grant as parsed or as written, and returns other values unchanged.
 */
export function locatorsOnly(grant: unknown): unknown {
  if (!isPlainMap(grant)) return grant
  const { read, read_all: all } = grant
  return {
    ...grant,
    ...(isPlainMap(read)
      ? { read: Object.fromEntries(Object.entries(read).map(([name, entry]) => [name, fromOf(entry)])) }
      : {}),
    ...(isPlainMap(all) ? { read_all: fromOf(all) } : {}),
  }
}

const fromOf = (entry: unknown): unknown => (isPlainMap(entry) ? entry["from"] : entry)

/** The resource of a grant with `read`, for the audit trail: its locators without duplicates. */
export const locatorsOf = (read: ReadField = {}): readonly string[] => [
  ...new Set(wantedOf(read).map(({ locator }) => locator)),
]
