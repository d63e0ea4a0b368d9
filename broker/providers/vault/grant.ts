import * as z from "zod"
import { compilePattern, matchPattern } from "../../core/policy/pattern.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { isHttpsOrLoopback } from "../../core/url.ts"
import { located, locatorsOf, readField, wantedOf } from "../read-grant.ts"
import { audience } from "../service.ts"
import { storeSettings } from "../store.ts"
import { engineAt, engineFault, engines, isSystemPath, parameterName } from "./engines.ts"
import { type ApiPath, apiPathIn, isPath, parseLocator, secretAt } from "./locator.ts"

/**
 * Long enough for a token to outlive its own minting. Vault's ceilings are a mount's and a role's own (32 days unless
 * somebody changed it); no job needs a credential for longer than a day.
 */
export const MIN_TTL_SECONDS = 60
export const MAX_TTL_SECONDS = 86_400

const MAX_ROLES = 256
const MAX_KV_MOUNTS = 64
const MAX_PARAMETERS = 32
const MAX_PARAMETER_CHARACTERS = 4_096

const path = (what: string) =>
  z
    .string()
    .refine(isPath, `${what}: parts of letters, digits and _ . ~ @ + = , : - with one / between them, none at the ends`)

/** A role's name as Vault has it: letters, digits and _ . -, the last two not at its ends. */
const ROLE = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$/

const rolePattern = z
  .string()
  .regex(/^[A-Za-z0-9_.*-]{1,128}$/, "a role's name has letters, digits and _ . -; a * stands for some of these")
  .refine((text) => compilePattern(text).ok, "three stars in a row can be read two ways: write * or **")

/** What the organisation file says of a way to Vault. */
export const connection = z.strictObject({
  url: z
    .string()
    .max(512)
    .regex(
      /^https?:\/\/[^/?#@\s\\]+(?:\/[A-Za-z0-9_.~-]+)*$/,
      "a URL without query, fragment, user or slash at the end",
    )
    .refine((text) => !/\/\.+(?:\/|$)/.test(text), "a path without parts of dots alone")
    .refine(isHttpsOrLoopback, "an https URL; http is for loopback alone")
    .meta({
      description: "Where Vault is: no slash at the end. On loopback for an agent or a proxy beside the broker.",
    }),
  mount: path("a mount's path").default("jwt").meta({ description: "Where the JWT auth method is mounted." }),
  namespace: path("a namespace").optional(),
  audience: audience
    .optional()
    .meta({ description: "The audience that the role's bound_audiences names; the URL when left out." }),
  roles: z
    .array(rolePattern)
    .min(1)
    .max(MAX_ROLES)
    .meta({ description: "Roles of the JWT auth method that grants may log in with." }),
  kv: z
    .record(
      path("a mount's path").refine((text) => !isSystemPath(`${text}/`), "is a mount of Vault's own"),
      z.number().pipe(z.literal([1, 2])),
    )
    .refine((mounts) => Object.keys(mounts).length > 0, "name a mount, or leave the key out")
    .refine((mounts) => Object.keys(mounts).length <= MAX_KV_MOUNTS, `at most ${MAX_KV_MOUNTS} mounts`)
    .default({ secret: 2 })
    .meta({ description: "Mounts of KV engines that grants may read, with the engine's version." }),
  dynamic: engines.optional(),
  ...storeSettings,
})

export type Connection = z.output<typeof connection>

const KINDS = ["read", "dynamic", "token"] as const
const OF_DYNAMIC = ["env", "parameters"] as const

/** What a policy offers of Vault: exactly one of `read`, `dynamic` and `token`. */
export const grant = z
  .strictObject({
    role: z
      .string()
      .regex(ROLE, "a role's name has letters, digits and _ . -, as shop-deploy")
      .meta({ description: "The role of the JWT auth method that the broker logs in with." }),
    read: readField(parseLocator).optional(),
    dynamic: path("a path of a secrets engine")
      .refine((text) => text.includes("/"), "names a mount and nothing in it: write database/creds/shop-rw")
      .refine((text) => !isSystemPath(text), "is in a mount of Vault's own, where no secrets engine mints")
      .optional()
      .meta({ description: "The path of a secrets engine that mints: database/creds/shop-rw." }),
    env: readField(parseFieldName)
      .optional()
      .meta({ description: "The job's variables, and the field of what was minted that each one gets." }),
    parameters: z
      .record(parameterName, z.string().min(1).max(MAX_PARAMETER_CHARACTERS))
      .refine((all) => Object.keys(all).length <= MAX_PARAMETERS, `at most ${MAX_PARAMETERS} parameters`)
      .optional()
      .meta({ description: "What the engine is asked with." }),
    token: z.literal(true).optional().meta({ description: "The job gets the Vault token itself." }),
  })
  .superRefine((wanted, context) => {
    const fault = (message: string, at?: string) =>
      context.addIssue({ code: "custom", message, ...(at === undefined ? {} : { path: [at] }) })
    const kinds = KINDS.filter((kind) => wanted[kind] !== undefined)
    if (kinds.length !== 1) fault("a grant has exactly one of read, dynamic and token")
    if (wanted.dynamic !== undefined && wanted.env === undefined)
      fault("say which variables get what is minted, as env: { PGUSER: username, PGPASSWORD: password }")
    for (const key of OF_DYNAMIC) {
      if (wanted[key] !== undefined && wanted.dynamic === undefined) fault("belongs to a grant with dynamic", key)
    }
    const fields = wantedOf(wanted.env ?? {}).map(({ locator }) => locator)
    if (new Set(fields).size < fields.length) fault("two variables would get the same field; name it once", "env")
  })

export type Grant = z.output<typeof grant>

function parseFieldName(text: string): Result<string, string> {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text)
    ? ok(text)
    : fail("is the name of no field: letters, digits and _ . -, as username")
}

/** What a grant and its connection cannot say together; null when they agree. */
export function conflictOf(wanted: Grant, allowed: Connection): string | null {
  if (!allowed.roles.some((pattern) => matches(pattern, wanted.role))) {
    return `the role ${wanted.role} is not among the connection's roles (${allowed.roles.join(", ")}); use one of these, or have it added to the connection`
  }
  for (const { locator, place } of located(locatorsOf(wanted.read ?? {}), parseLocator)) {
    const apiPath = apiPathIn(place.secret, allowed.kv)
    if (apiPath !== null) return `${locator} ${remedyOf(apiPath, locator.slice(place.secret.length))}`
    const secret = secretAt(place.secret, allowed.kv)
    if (secret === null) {
      return `${locator} is in no KV mount that the connection lists (${Object.keys(allowed.kv).join(", ")}); have the mount and its version added to the connection's kv`
    }
    if (secret.kv === 1 && place.version !== null) {
      return `${locator} asks for a version, and the KV engine at ${secret.mount} is of version 1, which keeps one only`
    }
  }
  return wanted.dynamic === undefined ? null : dynamicConflictOf(wanted.dynamic, wanted.parameters ?? {}, allowed)
}

/** What to write instead of a path of the API, whose version and field are `rest`. */
function remedyOf({ extra, meant, folder }: ApiPath, rest: string): string {
  const write = `has ${extra} as paths of Vault's API do, and locators do not: write ${meant}${rest}`
  return folder === null
    ? write
    : `${write}. If ${folder} really is a folder of the mount, have it added to the connection's kv, as ${folder}: 2`
}

/** Why no locator is inside a boundary's pattern for `read`; null when one may be. */
export function ceilingFaultOf(field: string, pattern: string, { kv }: Pick<Connection, "kv">): string | null {
  const apiPath = field === "read" ? apiPathIn(pattern, kv) : null
  return apiPath === null ? null : `${pattern} ${remedyOf(apiPath, "")}`
}

function dynamicConflictOf(path: string, parameters: NonNullable<Grant["parameters"]>, allowed: Connection) {
  // A grant with parameters would write there.
  if (secretAt(path, allowed.kv) !== null) {
    return `${path} is in a KV mount of the connection, which keeps secrets and mints none; read it`
  }
  const fault = engineFault(path, allowed.dynamic)
  if (fault !== null) return fault
  const { ttl_parameter: ttlParameter } = engineAt(path, allowed.dynamic)
  return ttlParameter !== undefined && Object.hasOwn(parameters, ttlParameter)
    ? `the broker sets ${ttlParameter} to the granted lifetime, since the connection says that ${path} heeds it; take it out of parameters`
    : null
}

function matches(source: string, role: string): boolean {
  const pattern = compilePattern(source)
  return pattern.ok && matchPattern(pattern.value, role)
}
