import { denied, type OtherSide } from "../call.ts"
import { grouped } from "../grouped.ts"
import type { MintRequest } from "../provider.ts"
import type { Located } from "../read-grant.ts"
import { type StoreGrant, storeProvider } from "../store.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import { type AgeKey, dataKeyFor, readAgeKeys } from "./age.ts"
import { readDocument, readFile } from "./document.ts"
import { type Connection, connection, type Place, parseLocator, pathOf } from "./grant.ts"
import { isSaidPublic } from "./key-rule.ts"
import type { Metadata } from "./metadata.ts"
import { type OpenedValue, openDocument } from "./opened.ts"

/**
 * Opens files of SOPS's that lie in the policy folder, with the connection's age key, at the moment of the exchange.
 *
 * A file is opened as a whole and its MAC checked before any of it is handed out, every time anew: what was opened is
 * neither kept nor written, so that this store has no `cache`.
 */
export const sops = storeProvider<Connection, Place>({
  name: "sops",
  summary: "secrets in SOPS files beside the policies, encrypted for an age key",
  title: "SOPS",
  connection,
  parse: parseLocator,
  files: {
    read: readFile,
    named: (place, settings) => ({ path: pathOf(place, settings), part: place.keys.join("/") }),
  },
  asks: "connection",
  async read(wanted, request, side, io) {
    const keys = await readAgeKeys(side, request.connection.key, await io.secret(request.connection.key))
    const found = new Map<string, StoredValue>()
    const files = grouped(wanted, ({ place }) => pathOf(place, request.connection))
    for (const [path, itsOwn] of files) {
      const file = await openFile(path, itsOwn[0]?.locator ?? path, { request, side, keys })
      for (const one of itsOwn) found.set(one.locator, storedValue(side, one, file))
    }
    return found
  },
})

interface Scope {
  readonly request: MintRequest<Connection, StoreGrant>
  readonly side: OtherSide
  readonly keys: readonly AgeKey[]
}

interface OpenedFile {
  readonly values: readonly OpenedValue[]
  readonly metadata: Metadata
}

/** @throws {BrokerError} naming one of the locators that lead into the file */
async function openFile(path: string, locator: string, { request, side, keys }: Scope): Promise<OpenedFile> {
  const text = request.files?.get(path)
  if (text === undefined) throw secretNotFound(side, locator, "names a file that is not in the policy folder")
  const document = readDocument(path, new TextEncoder().encode(text))
  // Policies with such a file do not load.
  if (!document.ok)
    throw secretUnusable(
      side,
      locator,
      "names a file that is not one of SOPS's: check the policy folder with daypass check",
    )
  const { metadata } = document.value
  const dataKey = await dataKeyFor(metadata.recipients, keys)
  if (dataKey === "foreign") {
    throw denied(
      side,
      `none of the age keys in its secret opens the file of ${locator}. Name one of theirs (age-keygen -y) in .sops.yaml, and run sops updatekeys on the file`,
    )
  }
  const opened =
    dataKey === "damaged" ? { outcome: "key-damaged" as const } : await openDocument(document.value, dataKey)
  if (opened.outcome === "opened") return { values: opened.values, metadata }
  throw secretUnusable(
    side,
    locator,
    `names a file that was changed by something else than sops: ${DAMAGE[opened.outcome]}. Restore it from Git, and change it with sops edit or sops set`,
  )
}

const DAMAGE = {
  "key-damaged": "its key for the connection does not open",
  "value-damaged": "a value in it does not open in the place where it stands",
  "mac-wrong": "its values together are not those that its MAC was made of",
} as const

/** @throws {BrokerError} `secret_not_found`, `secret_unusable` */
function storedValue(
  side: OtherSide,
  { locator, place }: Located<Place>,
  { values, metadata }: OpenedFile,
): StoredValue {
  const name = place.keys.join("/")
  const found = values.find(({ leaf }) => leaf.name === name)
  if (found === undefined) {
    if (values.some(({ leaf }) => leaf.name?.startsWith(`${name}/`)))
      throw secretUnusable(side, locator, "names a map or a list, and no single value in it")
    throw secretNotFound(side, locator, "names a key that is not there")
  }
  const { leaf, value } = found
  if (value === null) throw secretUnusable(side, locator, "is null")
  if (leaf.sealed === null && metadata.macOnlyEncrypted && value.reveal().length > 0) {
    throw secretUnusable(
      side,
      locator,
      "lies in the clear in a file with mac_only_encrypted, so that nothing vouches for it: encrypt it too",
    )
  }
  return { value, isPublic: leaf.sealed === null && isSaidPublic(leaf.keys, metadata.settings) }
}
