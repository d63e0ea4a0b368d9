import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { denied, type OtherSide } from "../call.ts"
import { grouped } from "../grouped.ts"
import type { MintRequest, Provider, ProviderIo } from "../provider.ts"
import type { Members, StoreGrant } from "../read-all.ts"
import type { Located } from "../read-grant.ts"
import { storeProvider } from "../store.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import { readAgeKeys } from "./age.ts"
import { dataKeyOf, type Openers } from "./data-key.ts"
import { readDocument, readFile } from "./document.ts"
import { type Connection, connection, type Place, parseLocator, parseWhole, pathOf } from "./grant.ts"
import { isSaidPublic } from "./key-rule.ts"
import type { Metadata } from "./metadata.ts"
import { type OpenedValue, openDocument } from "./opened.ts"
import { audiencesOf, serviceOpeners, subjectLimitOf, withServices } from "./service-keys.ts"

/**
 * Decrypts SOPS files of the policy folder at the time of the exchange: with the connection's age key, or with keys of a
 * vendor's service, which decrypts the key of a file and sees none of its values.
 *
 * Each exchange decrypts a file as a whole and verifies its MAC before any value is handed out. Decrypted values are
 * neither cached nor written, so this store has no `cache`.
 */
export const sops = storeProvider<Connection, Place>({
  name: "sops",
  summary: "secrets in SOPS files beside the policies, encrypted for age keys or keys of AWS, Google, Azure or Vault",
  title: "SOPS",
  connection,
  parse: parseLocator,
  files: {
    read: readFile,
    named: (place, settings) => ({ path: pathOf(place, settings), part: place.keys.join("/") }),
  },
  join: withServices,
  audiences: audiencesOf,
  subjectLimit: subjectLimitOf,
  // It keeps nothing, so this decides nothing.
  asks: "job",
  worksOffline: true,
  isLocal: ({ keys }) => keys === undefined,
  whole: {
    parse: parseWhole,
    async read({ locator, place }, request, side, io) {
      const openers = await openersOf(request, side, io)
      const file = await openFile(pathOf(place, request.connection), locator, { request, side, openers })
      return membersBelow(side, locator, place, file)
    },
  },
  async read(wanted, request, side, io) {
    const openers = await openersOf(request, side, io)
    const files = [...grouped(wanted, ({ place }) => pathOf(place, request.connection))]
    const found = await atMost(CALLS_AT_ONCE, files, async ([path, itsOwn]) => {
      const file = await openFile(path, itsOwn[0]?.locator ?? path, { request, side, openers })
      return itsOwn.map((one) => [one.locator, storedValue(side, one, file)] as const)
    })
    return new Map(found.flat())
  },
})

/** The provider where only keys of age are at hand: whatever keys a connection names, its secret holds those of a person. */
export const withAgeKeys = (provider: typeof sops): Provider => ({
  ...(provider as Provider),
  local: () => true,
  mint(request, io) {
    const { folder } = request.connection as Connection
    const connection: Connection = { key: "env:SOPS_AGE_KEY", ...(folder === undefined ? {} : { folder }) }
    return provider.mint({ ...request, connection, grant: request.grant as StoreGrant }, io)
  },
})

type Request = MintRequest<Connection, StoreGrant>

/** The keys that the connection may use. The age key is read even when a file needs another: a wrong one is told at once. */
async function openersOf(request: Request, side: OtherSide, io: ProviderIo): Promise<Openers> {
  const { key } = request.connection
  const age = key === undefined ? [] : await readAgeKeys(side, key, await io.secret(key))
  return { age, services: serviceOpeners(request.connection, request, io) }
}

interface Scope {
  readonly request: Request
  readonly side: OtherSide
  readonly openers: Openers
}

interface OpenedFile {
  readonly values: readonly OpenedValue[]
  readonly metadata: Metadata
  readonly openedBy: readonly string[]
}

/** @throws {BrokerError} naming one of the locators that lead into the file */
async function openFile(path: string, locator: string, { request, side, openers }: Scope): Promise<OpenedFile> {
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
  const dataKey = await dataKeyOf(metadata, openers)
  if (dataKey === "foreign") {
    throw denied(
      side,
      metadata.groups.length > 1
        ? `its keys open fewer than ${metadata.threshold} of the key groups of the file of ${locator}. Name its keys in .sops.yaml, and run sops updatekeys on the file`
        : `none of its keys can decrypt the file of ${locator}. Name one of them in .sops.yaml, an age key by its public half (age-keygen -y), and run sops updatekeys on the file`,
    )
  }
  if (dataKey === "damaged") throw damaged(side, locator, "key-damaged")
  const opened = await openDocument(document.value, dataKey.bytes)
  if (opened.outcome !== "opened") throw damaged(side, locator, opened.outcome)
  return { values: opened.values, metadata, openedBy: dataKey.openedBy }
}

const damaged = (side: OtherSide, locator: string, how: keyof typeof DAMAGE) =>
  secretUnusable(
    side,
    locator,
    `names a file that was not changed with sops: ${DAMAGE[how]}. Restore it from Git, and change it only with sops edit or sops set`,
  )

const DAMAGE = {
  "key-damaged": "its data key for the connection cannot be decrypted",
  "value-damaged": "a value in it cannot be decrypted at its place",
  "mac-wrong": "its MAC does not match its values",
} as const

/** @throws {BrokerError} `secret_not_found`, `secret_unusable` */
function storedValue(side: OtherSide, { locator, place }: Located<Place>, file: OpenedFile): StoredValue {
  const { values } = file
  const name = place.keys.join("/")
  const found = values.find(({ leaf }) => leaf.name === name)
  if (found === undefined) {
    if (values.some(({ leaf }) => leaf.name?.startsWith(`${name}/`)))
      throw secretUnusable(side, locator, "names a map or a list, but must name a single value")
    throw secretNotFound(side, locator, "names a key that does not exist")
  }
  return storedOf(side, locator, found, file)
}

/** Every value below a key, or of the whole file, by the rest of its name. */
function membersBelow(side: OtherSide, locator: string, { keys }: Place, file: OpenedFile): Members {
  const { values } = file
  const above = keys.map((key) => `${key}/`).join("")
  // Where a value without a name is, is known only by its first key.
  const below = values.filter(({ leaf: { name, keys: its } }) =>
    name === null ? above === "" || its[0] === keys[0] : name.startsWith(above),
  )
  return below.map((one) => {
    if (one.leaf.name === null)
      throw secretUnusable(side, locator, "has a key with other characters than letters, digits and _ . -: rename it")
    const label = `${locator}, key ${one.leaf.name},`
    return [one.leaf.name.slice(above.length), storedOf(side, label, one, file)]
  })
}

function storedOf(
  side: OtherSide,
  locator: string,
  { leaf, value }: OpenedValue,
  { metadata, openedBy }: OpenedFile,
): StoredValue {
  if (value === null) throw secretUnusable(side, locator, "is null")
  if (leaf.sealed === null && metadata.macOnlyEncrypted && value.reveal().length > 0) {
    throw secretUnusable(
      side,
      locator,
      "is not encrypted in a file with mac_only_encrypted, so it cannot be verified: encrypt it too",
    )
  }
  const isPublic = leaf.sealed === null && isSaidPublic(leaf.keys, metadata.settings)
  return { value, isPublic, openedBy: openedBy.join(" ") }
}
