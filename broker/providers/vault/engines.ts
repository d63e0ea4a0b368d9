import * as z from "zod"
import { compilePattern, matchPattern } from "../../core/policy/pattern.ts"

const MAX_PATTERNS = 64

export const parameterName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
    "a parameter's name starts with a letter, and continues with letters, digits, _ and -",
  )

/** Mounts of Vault itself. Their paths change Vault, or belong to a token. They contain no secrets engine. */
const SYSTEM_MOUNTS: ReadonlySet<string> = new Set(["sys", "auth", "identity", "cubbyhole"])

/** Checks all parts except the last, which is a role's name: a namespace may come before such a mount. */
export const isSystemPath = (text: string): boolean =>
  text
    .split("/")
    .slice(0, -1)
    .some((part) => SYSTEM_MOUNTS.has(part))

const pathPattern = z
  .string()
  .regex(
    /^[A-Za-z0-9_.~@+=,:-]+(?:\/[A-Za-z0-9_.~@+=,:*-]+)+$/,
    "the pattern of a path must begin with the full name of a mount: database/creds/*",
  )
  .refine(
    (text) => !text.split("/").some((part) => /^\.+$/.test(part)),
    "a path must not have parts that are only dots",
  )
  .refine(
    (text) => compilePattern(text).ok,
    "a pattern has at most 256 characters, and no three stars in a row: write * or **",
  )
  .refine((text) => !isSystemPath(text), "must not be in a mount of Vault itself, which has no secrets engine")

/**
 * The paths, as patterns, at which grants may let secrets engines mint, with the properties of each. Vault's answers do not
 * show whether a path mints, stores or changes something, nor which ttl parameter an engine obeys. So the connection
 * declares it.
 */
export const engines = z
  .record(
    pathPattern,
    z.strictObject({
      ttl_parameter: parameterName
        .optional()
        .meta({ description: "The engine's parameter for the lifetime. The engine must obey it." }),
    }),
  )
  .refine((all) => Object.keys(all).length > 0, "name a path, or leave the key out")
  .refine((all) => Object.keys(all).length <= MAX_PATTERNS, `at most ${MAX_PATTERNS} paths`)
  .meta({
    description: "Paths at which grants may let secrets engines mint, as patterns; {} for a path without settings.",
  })

export type Engines = z.output<typeof engines>
export type Engine = Engines[string]

/** The connection's settings for a path that `engineFault` accepted. */
export function engineAt(path: string, listed: Engines | undefined): Engine {
  const [engine] = enginesAt(path, listed)
  // The path was checked against the connection when the policies loaded.
  if (engine === undefined) throw new TypeError("a path outside of the connection's secrets engines")
  return engine
}

/** Why a grant must not mint at this path; null when it may. */
export function engineFault(path: string, listed: Engines | undefined): string | null {
  const found = enginesAt(path, listed)
  if (found.length === 0) {
    const known = listed === undefined ? "" : ` (${Object.keys(listed).join(", ")})`
    return `${path} is not among the connection's dynamic paths${known}: add it to the connection, as dynamic: { "${path}": {} }`
  }
  if (new Set(found.map((one) => one.ttl_parameter)).size > 1)
    return `${path} matches several of the connection's dynamic paths, which differ in ttl_parameter: narrow one of them`
  return null
}

function enginesAt(path: string, listed: Engines | undefined): readonly Engine[] {
  return Object.entries(listed ?? {}).flatMap(([source, engine]) => {
    const pattern = compilePattern(source)
    return pattern.ok && matchPattern(pattern.value, path) ? [engine] : []
  })
}
