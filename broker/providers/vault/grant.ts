import * as z from "zod"
import { compilePattern, matchPattern } from "../../core/policy/pattern.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { readAllField, type StoreGrant } from "../read-all.ts"
import { located, locatorsOf, readField, wantedOf } from "../read-grant.ts"
import { audience, serviceUrl } from "../service.ts"
import { storeSettings } from "../store.ts"
import { engineAt, engineFault, engines, isSystemPath, parameterName } from "./engines.ts"
import { type ApiPath, apiPathIn, isPath, parseLocator, parseWhole, secretAt } from "./locator.ts"

/**
 * Long enough for a token to outlive its own minting. In Vault, mounts and roles have their own maximums (32 days by
 * default). No job needs a credential for longer than a day.
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
    .refine(
      isPath,
      `${what} must have parts of letters, digits and _ . ~ @ + = , : - with one / between them, and none at the ends`,
    )

/** The name of a role in Vault: letters, digits and _ . -, but . and - not at the ends. */
const ROLE = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$/

export const roleName = z.string().regex(ROLE, "a role's name may have letters, digits and _ . -, such as shop-deploy")

const rolePattern = z
  .string()
  .regex(/^[A-Za-z0-9_.*-]{1,128}$/, "a role's name may have letters, digits and _ . -; * stands for some of these")
  .refine((text) => compilePattern(text).ok, "three stars in a row are ambiguous: write * or **")

/** A connection to Vault in the organisation file. */
export const connection = z.strictObject({
  url: serviceUrl.meta({
    description: "Vault's URL, without a slash at the end. On loopback for an agent or a proxy beside the broker.",
  }),
  mount: path("a mount's path").default("jwt").meta({ description: "The mount path of the JWT auth method." }),
  namespace: path("a namespace").optional(),
  audience: audience
    .optional()
    .meta({ description: "The audience in the role's bound_audiences; the URL when left out." }),
  roles: z
    .array(rolePattern)
    .min(1)
    .max(MAX_ROLES)
    .meta({ description: "Roles of the JWT auth method that grants may log in with." }),
  kv: z
    .record(
      path("a mount's path").refine((text) => !isSystemPath(`${text}/`), "must not be a mount of Vault itself"),
      z.number().pipe(z.literal([1, 2])),
    )
    .refine((mounts) => Object.keys(mounts).length > 0, "name a mount, or leave the key out")
    .refine(
      (mounts) => Object.keys(mounts).length <= MAX_KV_MOUNTS,
      `a connection may have at most ${MAX_KV_MOUNTS} mounts`,
    )
    .default({ secret: 2 })
    .meta({ description: "Mounts of KV engines that grants may read, with the engine's version." }),
  dynamic: engines.optional(),
  ...storeSettings,
})

export type Connection = z.output<typeof connection>

const OF_DYNAMIC = ["env", "parameters"] as const

/** A grant for Vault: exactly one of stored secrets (`read`, `read_all`), `dynamic` and `token`. */
export const grant = z
  .strictObject({
    role: roleName.meta({ description: "The role of the JWT auth method that the broker logs in with." }),
    read: readField(parseLocator).optional(),
    read_all: readAllField(parseWhole).optional(),
    dynamic: path("a path of a secrets engine")
      .refine((text) => text.includes("/"), "must name a path in a mount, such as database/creds/shop-rw")
      .refine((text) => !isSystemPath(text), "must not be in a mount of Vault itself, which has no secrets engine")
      .optional()
      .meta({ description: "The path at which a secrets engine mints: database/creds/shop-rw." }),
    env: readField(parseFieldName)
      .optional()
      .meta({ description: "The job's variables, each with the minted field that it gets." }),
    parameters: z
      .record(parameterName, z.string().min(1).max(MAX_PARAMETER_CHARACTERS))
      .refine(
        (all) => Object.keys(all).length <= MAX_PARAMETERS,
        `a grant may have at most ${MAX_PARAMETERS} parameters`,
      )
      .optional()
      .meta({ description: "Parameters of the request to the engine." }),
    token: z.literal(true).optional().meta({ description: "Hands out the Vault token itself." }),
  })
  .superRefine((wanted, context) => {
    const fault = (message: string, at?: string) =>
      context.addIssue({ code: "custom", message, ...(at === undefined ? {} : { path: [at] }) })
    const kinds = [isReading(wanted), wanted.dynamic !== undefined, wanted.token !== undefined].filter(Boolean)
    if (kinds.length !== 1) fault("a grant must have exactly one of read, dynamic and token; read_all counts as read")
    if (wanted.dynamic !== undefined && wanted.env === undefined)
      fault("name the variables for the minted fields, such as env: { PGUSER: username, PGPASSWORD: password }")
    for (const key of OF_DYNAMIC) {
      if (wanted[key] !== undefined && wanted.dynamic === undefined)
        fault("is only allowed in a grant with dynamic", key)
    }
    const fields = wantedOf(wanted.env ?? {}).map(({ locator }) => locator)
    if (new Set(fields).size < fields.length) fault("two variables get the same field: name each field once", "env")
  })

export type Grant = z.output<typeof grant>

/** Whether a grant reads stored secrets, rather than letting Vault mint. */
export const isReading = ({ read, read_all: all }: StoreGrant): boolean => read !== undefined || all !== undefined

function parseFieldName(text: string): Result<string, string> {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text)
    ? ok(text)
    : fail("must be the name of a field, of letters, digits and _ . -, such as username")
}

/** Why a grant does not fit its connection; null when it fits. */
export function conflictOf(wanted: Grant, allowed: Connection): string | null {
  if (!allowed.roles.some((pattern) => matches(pattern, wanted.role))) {
    return `the role ${wanted.role} is not among the connection's roles (${allowed.roles.join(", ")}): use one of these, or add it to the connection`
  }
  const { read, read_all: all } = wanted
  const places = [...located(locatorsOf(read), parseLocator), ...located(all ? [all.from] : [], parseWhole)]
  for (const { locator, place } of places) {
    const apiPath = apiPathIn(place.secret, allowed.kv)
    if (apiPath !== null) return `${locator} ${remedyOf(apiPath, locator.slice(place.secret.length))}`
    const secret = secretAt(place.secret, allowed.kv)
    if (secret === null) {
      return `${locator} is not in a KV mount that the connection lists (${Object.keys(allowed.kv).join(", ")}): add the mount and its version to the connection's kv`
    }
    if (secret.kv === 1 && place.version !== null) {
      return `${locator} names a version, but the KV engine at ${secret.mount} is of version 1, which stores only one`
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

/** Why no locator is inside a boundary's pattern for `read` or `read_all`; null when one may be. */
export function ceilingFaultOf(field: string, pattern: string, { kv }: Pick<Connection, "kv">): string | null {
  const apiPath = field === "read" || field === "read_all" ? apiPathIn(pattern, kv) : null
  return apiPath === null ? null : `${pattern} ${remedyOf(apiPath, "")}`
}

function dynamicConflictOf(path: string, parameters: NonNullable<Grant["parameters"]>, allowed: Connection) {
  // A grant with parameters would write there.
  if (secretAt(path, allowed.kv) !== null) {
    return `${path} is in a KV mount of the connection, which stores secrets and does not mint: use read`
  }
  const fault = engineFault(path, allowed.dynamic)
  if (fault !== null) return fault
  const { ttl_parameter: ttlParameter } = engineAt(path, allowed.dynamic)
  return ttlParameter !== undefined && Object.hasOwn(parameters, ttlParameter)
    ? `the broker itself sets ${ttlParameter} to the granted lifetime, because the connection declares it as the ttl_parameter of ${path}: remove it from parameters`
    : null
}

function matches(source: string, role: string): boolean {
  const pattern = compilePattern(source)
  return pattern.ok && matchPattern(pattern.value, role)
}
