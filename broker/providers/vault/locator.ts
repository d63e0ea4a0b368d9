import { fail, ok, type Result } from "../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../field.ts"

/** Paths of at most this many characters. */
const MAX_PATH_CHARACTERS = 512
const PATH = /^[A-Za-z0-9_.~@+=,:-]+(?:\/[A-Za-z0-9_.~@+=,:-]+)*$/
const VERSION_IS = "version="
const VERSION = /^version=[1-9][0-9]{0,8}$/

/**
 * Where a KV secrets engine keeps one field: `secret/shop/db#password`, `secret/shop/db?version=3#password`.
 * `secret` is mount and path in one: which part is the mount, the connection's settings say.
 */
export interface Place {
  readonly secret: string
  readonly version: number | null
  readonly field: string
}

/**
 * Whether a text is a path of Vault's API as policies may write it: without empty parts and without parts of dots
 * alone, which would lead elsewhere, and without characters that could begin a query or an escape.
 */
export const isPath = (text: string): boolean =>
  text.length <= MAX_PATH_CHARACTERS && PATH.test(text) && !text.split("/").some((part) => /^\.+$/.test(part))

/** Parses `MOUNT/PATH[?version=NUMBER]#FIELD`. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL: write MOUNT/PATH#FIELD, as secret/shop/db#password")
  const { place: text, field } = splitField(locator)
  if (field === null) return fail("names no field: write MOUNT/PATH#FIELD, as secret/shop/db#password")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const [secret = "", query, ...rest] = text.split("?")
  if (rest.length > 0 || (query !== undefined && !VERSION.test(query)))
    return fail("may ask for a version behind its path, and for nothing else: write MOUNT/PATH?version=3#FIELD")
  if (!isPath(secret))
    return fail(
      "is no path of a secret: parts of letters, digits and _ . ~ @ + = , : - with one / between them, none of dots alone",
    )
  if (!secret.includes("/")) return fail("names a mount and no secret in it: write MOUNT/PATH#FIELD")
  return ok({ secret, version: query === undefined ? null : Number(query.slice(VERSION_IS.length)), field })
}

/** KV mounts and their versions, as a connection lists them. */
export type KvMounts = Readonly<Record<string, 1 | 2>>

/** A secret of a KV engine: where it is mounted, which version of the engine that is, and the path there. */
export interface KvSecret {
  readonly mount: string
  readonly kv: 1 | 2
  readonly path: string
}

/** The secret at a path with its mount; null when no mount that the connection lists begins it. The longest mount counts. */
export function secretAt(whole: string, mounts: KvMounts): KvSecret | null {
  const [mount, kv] =
    Object.entries(mounts)
      .filter(([name]) => whole.startsWith(`${name}/`) && !isFolder(name, mounts))
      .sort(([a], [b]) => b.length - a.length)[0] ?? []
  return mount === undefined || kv === undefined ? null : { mount, kv, path: whole.slice(mount.length + 1) }
}

/** Where the engine's API, and so the policies of Vault, have a secret: version 2 keeps it below `data/`. */
export const apiPathOf = ({ mount, kv, path }: KvSecret): string =>
  kv === 2 ? `${mount}/data/${path}` : `${mount}/${path}`

/**
 * Whether an entry of the connection's mounts is a folder that is named like a part of the API: `secret/data: 2` beside
 * `secret: 2`. It cannot be a mount, since Vault has none inside of another.
 */
function isFolder(name: string, mounts: KvMounts): boolean {
  const mount = /^(.+)\/(?:data|metadata)$/.exec(name)?.[1]
  return mount !== undefined && mounts[mount] === 2 && mounts[name] === 2
}

/** A path of Vault's API or policies where a locator was meant. */
export interface ApiPath {
  /** What it has and locators have not: `data/`. */
  readonly extra: string
  /** What to write instead, without version and field. */
  readonly meant: string
  /** The entry with which a connection says that the mount really has such a folder; null where there can be none. */
  readonly folder: string | null
}

/**
 * Whether a path was copied from Vault's API, as `secret/data/shop` or `v1/secret/shop`; null when it was not, as far as the
 * connection lets anybody say. As a locator it would be read at `secret/data/data/shop`.
 */
export function apiPathIn(whole: string, mounts: KvMounts): ApiPath | null {
  const secret = secretAt(whole, mounts)
  if (secret === null) {
    const rest = /^v1\/(.+)$/.exec(whole)?.[1]
    if (rest === undefined || secretAt(rest, mounts) === null) return null
    return { extra: "v1/", meant: apiPathIn(rest, mounts)?.meant ?? rest, folder: null }
  }
  const { mount, kv, path } = secret
  const [, folder, rest] = /^(data|metadata)\/(.+)$/.exec(path) ?? []
  if (kv === 1 || folder === undefined || mounts[`${mount}/${folder}`] === 2) return null
  return { extra: `${folder}/`, meant: `${mount}/${rest}`, folder: `${mount}/${folder}` }
}
