import { fieldFault, splitField } from "../field.ts"

/** Paths of at most this many characters. */
const MAX_PATH_CHARACTERS = 512
const PATH = /^[A-Za-z0-9_.~@+=,:-]+(?:\/[A-Za-z0-9_.~@+=,:-]+)*$/
const VERSION = /^version=[1-9][0-9]{0,8}$/

/**
 * Where a KV secrets engine keeps one field: `secret/shop/db#password`, `secret/shop/db?version=3#password`.
 * `place` is mount and path in one: which part is the mount, the connection's settings say.
 */
export interface Locator {
  readonly place: string
  readonly version: number | null
  readonly field: string
}

/**
 * Whether a text is a path of Vault's API as policies may write it: without empty parts and without parts of dots
 * alone, which would lead elsewhere, and without characters that could begin a query or an escape.
 */
export const isPath = (text: string): boolean =>
  text.length <= MAX_PATH_CHARACTERS && PATH.test(text) && !text.split("/").some((part) => /^\.+$/.test(part))

/** Why a locator names nothing; null when it does. The end of a sentence that begins with the locator. */
export function locatorFault(text: string): string | null {
  const { place, field } = splitField(text)
  if (field === null) return "names no field: write MOUNT/PATH#FIELD, as secret/shop/db#password"
  if (field === "") return fieldFault(field)
  const [path = "", query, ...rest] = place.split("?")
  if (rest.length > 0 || (query !== undefined && !VERSION.test(query)))
    return "may ask for a version behind its path, and for nothing else: write MOUNT/PATH?version=3#FIELD"
  if (!isPath(path))
    return "is no path of a secret: parts of letters, digits and _ . ~ @ + = , : - with one / between them, none of dots alone"
  return path.includes("/") ? null : "names a mount and no secret in it: write MOUNT/PATH#FIELD"
}

/** The parts of a locator that `locatorFault` has let through. */
export function parseLocator(text: string): Locator {
  const { place, field } = splitField(text)
  const [path = "", query] = place.split("?version=")
  return { place: path, version: query === undefined ? null : Number(query), field: field ?? "" }
}

/** KV mounts and their versions, as a connection lists them. */
export type KvMounts = Readonly<Record<string, 1 | 2>>

/** A secret of a KV engine: where it is mounted, which version of the engine that is, and the path there. */
export interface KvSecret {
  readonly mount: string
  readonly kv: 1 | 2
  readonly path: string
}

/** The secret at a place; null when no mount that the connection lists begins it. The longest mount counts. */
export function secretAt(place: string, mounts: KvMounts): KvSecret | null {
  const [mount, kv] =
    Object.entries(mounts)
      .filter(([name]) => place.startsWith(`${name}/`))
      .sort(([a], [b]) => b.length - a.length)[0] ?? []
  return mount === undefined || kv === undefined ? null : { mount, kv, path: place.slice(mount.length + 1) }
}

/** Where the engine's API, and so the policies of Vault, have a secret: version 2 keeps it below `data/`. */
export const apiPathOf = ({ mount, kv, path }: KvSecret): string =>
  kv === 2 ? `${mount}/data/${path}` : `${mount}/${path}`
