import { fail, ok, type Result } from "../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../field.ts"
import { wholeIn } from "../read-all.ts"

const MAX_PATH_CHARACTERS = 512
const PATH = /^[A-Za-z0-9_.~@+=,:-]+(?:\/[A-Za-z0-9_.~@+=,:-]+)*$/
const VERSION_IS = "version="
const VERSION = /^version=[1-9][0-9]{0,8}$/

/**
 * The place of one field in a KV secrets engine: `secret/shop/db#password`, `secret/shop/db?version=3#password`.
 * `secret` contains mount and path. The connection's settings determine which part is the mount.
 */
export interface Place {
  readonly secret: string
  readonly version: number | null
  readonly field: string
}

/**
 * Whether a policy may use this text as a path of Vault's API. Parts that are empty or only dots would lead to another path,
 * and some characters could begin a query or an escape. So both are refused.
 */
export const isPath = (text: string): boolean =>
  text.length <= MAX_PATH_CHARACTERS && PATH.test(text) && !text.split("/").some((part) => /^\.+$/.test(part))

/** Parses `MOUNT/PATH[?version=NUMBER]#FIELD`. */
export function parseLocator(locator: string): Result<Place, string> {
  if (isUrl(locator)) return fail("is a URL: write MOUNT/PATH#FIELD, such as secret/shop/db#password")
  const { place: text, field } = splitField(locator)
  if (field === null) return fail("must name a field: write MOUNT/PATH#FIELD, such as secret/shop/db#password")
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  const [secret = "", query, ...rest] = text.split("?")
  if (rest.length > 0 || (query !== undefined && !VERSION.test(query)))
    return fail("may only have a version after the ?: write MOUNT/PATH?version=3#FIELD")
  if (!isPath(secret))
    return fail(
      "must have a path whose parts consist of letters, digits and _ . ~ @ + = , : - with one / between them. A part cannot be only dots",
    )
  if (!secret.includes("/")) return fail("must name a secret in the mount: write MOUNT/PATH#FIELD")
  return ok({ secret, version: query === undefined ? null : Number(query.slice(VERSION_IS.length)), field })
}

/** Parses `MOUNT/PATH[?version=NUMBER]`, a secret with all its fields. The place names a field that is not read. */
export const parseWhole = wholeIn((text) => parseLocator(`${text}#X`), false)

/** A connection's KV mounts and their versions. */
export type KvMounts = Readonly<Record<string, 1 | 2>>

/** A secret of a KV engine: the mount, the engine's version, and the path in the mount. */
export interface KvSecret {
  readonly mount: string
  readonly kv: 1 | 2
  readonly path: string
}

/** The secret at a path that includes the mount; null when it is not in a mount of the connection. The longest mount counts. */
export function secretAt(whole: string, mounts: KvMounts): KvSecret | null {
  const [mount, kv] =
    Object.entries(mounts)
      .filter(([name]) => whole.startsWith(`${name}/`) && !isFolder(name, mounts))
      .sort(([a], [b]) => b.length - a.length)[0] ?? []
  return mount === undefined || kv === undefined ? null : { mount, kv, path: whole.slice(mount.length + 1) }
}

/** The path of a secret in the engine's API and in Vault's policies: version 2 has it below `data/`. */
export const apiPathOf = ({ mount, kv, path }: KvSecret): string =>
  kv === 2 ? `${mount}/data/${path}` : `${mount}/${path}`

/**
 * Whether an entry of the connection's mounts is a folder with the name of an API part: `secret/data: 2` in addition to
 * `secret: 2`. It cannot be a mount, because Vault does not allow a mount inside another.
 */
function isFolder(name: string, mounts: KvMounts): boolean {
  const mount = /^(.+)\/(?:data|metadata)$/.exec(name)?.[1]
  return mount !== undefined && mounts[mount] === 2 && mounts[name] === 2
}

/** A path of Vault's API or policies in the place of a locator. */
export interface ApiPath {
  /** The part that a locator does not have: `data/`. */
  readonly extra: string
  /** The correct path, without version and field. */
  readonly meant: string
  /** The entry for a connection whose mount really has such a folder; null when no such folder is possible. */
  readonly folder: string | null
}

/**
 * Recognises a path that was copied from Vault's API, such as `secret/data/shop` or `v1/secret/shop`; null when the
 * connection's mounts do not show that. As a locator, `secret/data/shop` would be read at `secret/data/data/shop`.
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
