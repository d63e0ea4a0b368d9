import * as z from "zod"
import { compilePattern, matchPattern } from "../../core/policy/pattern.ts"

const MAX_PATTERNS = 64

export const parameterName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "a parameter's name starts with a letter; letters, digits, _ and - follow")

/** Mounts that every Vault has and whose paths change Vault itself, or hold a token's own. No secrets engine is there. */
const SYSTEM_MOUNTS: ReadonlySet<string> = new Set(["sys", "auth", "identity", "cubbyhole"])

/** The last part is a role's name, which may be any; before it, a namespace could stand before such a mount. */
export const isSystemPath = (text: string): boolean =>
  text
    .split("/")
    .slice(0, -1)
    .some((part) => SYSTEM_MOUNTS.has(part))

const pathPattern = z
  .string()
  .regex(
    /^[A-Za-z0-9_.~@+=,:-]+(?:\/[A-Za-z0-9_.~@+=,:*-]+)+$/,
    "the pattern of a path begins with a mount that is written out: database/creds/*",
  )
  .refine((text) => !text.split("/").some((part) => /^\.+$/.test(part)), "a path has no parts of dots alone")
  .refine((text) => compilePattern(text).ok, "at most 256 characters, and no three stars in a row: write * or **")
  .refine((text) => !isSystemPath(text), "is in a mount of Vault's own, where no secrets engine mints")

/**
 * The paths of secrets engines that grants may have mint, as patterns, and what must be known of each. Nothing in Vault's
 * answers says whether a path mints, keeps or changes something, nor which parameter an engine heeds: so the connection
 * says it.
 */
export const engines = z
  .record(
    pathPattern,
    z.strictObject({
      ttl_parameter: parameterName
        .optional()
        .meta({ description: "The parameter by which the engine is told the granted lifetime, and which it heeds." }),
    }),
  )
  .refine((all) => Object.keys(all).length > 0, "name a path, or leave the key out")
  .refine((all) => Object.keys(all).length <= MAX_PATTERNS, `at most ${MAX_PATTERNS} paths`)
  .meta({
    description: "Paths of secrets engines that grants may have mint, as patterns; {} where nothing need be told.",
  })

export type Engines = z.output<typeof engines>
export type Engine = Engines[string]

/** What the connection says of a path that `engineFault` let through. */
export function engineAt(path: string, listed: Engines | undefined): Engine {
  const [engine] = enginesAt(path, listed)
  // Held against the connection when the policies loaded.
  if (engine === undefined) throw new TypeError("a path outside of the connection's secrets engines")
  return engine
}

/** Why a grant cannot have this path mint; null when it can. */
export function engineFault(path: string, listed: Engines | undefined): string | null {
  const found = enginesAt(path, listed)
  if (found.length === 0) {
    const known = listed === undefined ? "" : ` (${Object.keys(listed).join(", ")})`
    return `${path} is not among the paths that the connection lets engines mint at${known}; have it added to the connection, as dynamic: { "${path}": {} }`
  }
  if (new Set(found.map((one) => one.ttl_parameter)).size > 1)
    return `${path} matches several of the connection's dynamic paths, which differ in ttl_parameter; have one of them narrowed`
  return null
}

function enginesAt(path: string, listed: Engines | undefined): readonly Engine[] {
  return Object.entries(listed ?? {}).flatMap(([source, engine]) => {
    const pattern = compilePattern(source)
    return pattern.ok && matchPattern(pattern.value, path) ? [engine] : []
  })
}
