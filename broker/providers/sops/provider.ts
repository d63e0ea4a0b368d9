import { denied, type OtherSide } from "../call.ts"
import { grouped } from "../grouped.ts"
import type { MintRequest } from "../provider.ts"
import type { Members, StoreGrant } from "../read-all.ts"
import type { Located } from "../read-grant.ts"
import { storeProvider } from "../store.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import { type AgeKey, dataKeyFor, readAgeKeys } from "./age.ts"
import { readDocument, readFile } from "./document.ts"
import { type Connection, connection, type Place, parseLocator, parseWhole, pathOf } from "./grant.ts"
import { isSaidPublic } from "./key-rule.ts"
import type { Metadata } from "./metadata.ts"
import { type OpenedValue, openDocument } from "./opened.ts"

/**
 * Decrypts SOPS files of the policy folder, with the connection's age key, at the time of the exchange.
 *
 * Each exchange decrypts a file as a whole and verifies its MAC before any value is handed out. Decrypted values are
 * neither cached nor written, so this store has no `cache`.
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
  worksOffline: true,
  whole: {
    parse: parseWhole,
    async read({ locator, place }, request, side, io) {
      const keys = await readAgeKeys(side, request.connection.key, await io.secret(request.connection.key))
      const file = await openFile(pathOf(place, request.connection), locator, { request, side, keys })
      return membersBelow(side, locator, place, file)
    },
  },
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
      "names a file that SOPS did not write: check the policy folder with daypass check",
    )
  const { metadata } = document.value
  const dataKey = await dataKeyFor(metadata.recipients, keys)
  if (dataKey === "foreign") {
    throw denied(
      side,
      `the age keys in its secret cannot decrypt the file of ${locator}. Name the public half of one of them (age-keygen -y) in .sops.yaml, and run sops updatekeys on the file`,
    )
  }
  const opened =
    dataKey === "damaged" ? { outcome: "key-damaged" as const } : await openDocument(document.value, dataKey)
  if (opened.outcome === "opened") return { values: opened.values, metadata }
  throw secretUnusable(
    side,
    locator,
    `names a file that was not changed with sops: ${DAMAGE[opened.outcome]}. Restore it from Git, and change it only with sops edit or sops set`,
  )
}

const DAMAGE = {
  "key-damaged": "its data key for the connection cannot be decrypted",
  "value-damaged": "a value in it cannot be decrypted at its place",
  "mac-wrong": "its MAC does not match its values",
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
      throw secretUnusable(side, locator, "names a map or a list, but must name a single value")
    throw secretNotFound(side, locator, "names a key that does not exist")
  }
  return storedOf(side, locator, found, metadata)
}

/** Every value below a key, or of the whole file, by the rest of its name. */
function membersBelow(side: OtherSide, locator: string, { keys }: Place, { values, metadata }: OpenedFile): Members {
  const above = keys.map((key) => `${key}/`).join("")
  // Where a value without a name is, is known only by its first key.
  const below = values.filter(({ leaf: { name, keys: its } }) =>
    name === null ? above === "" || its[0] === keys[0] : name.startsWith(above),
  )
  return below.map((one) => {
    if (one.leaf.name === null)
      throw secretUnusable(side, locator, "has a key with other characters than letters, digits and _ . -: rename it")
    const label = `${locator}, key ${one.leaf.name},`
    return [one.leaf.name.slice(above.length), storedOf(side, label, one, metadata)]
  })
}

function storedOf(side: OtherSide, locator: string, { leaf, value }: OpenedValue, metadata: Metadata): StoredValue {
  if (value === null) throw secretUnusable(side, locator, "is null")
  if (leaf.sealed === null && metadata.macOnlyEncrypted && value.reveal().length > 0) {
    throw secretUnusable(
      side,
      locator,
      "is not encrypted in a file with mac_only_encrypted, so it cannot be verified: encrypt it too",
    )
  }
  return { value, isPublic: leaf.sealed === null && isSaidPublic(leaf.keys, metadata.settings) }
}
