import { bytesToHex } from "@noble/hashes/utils.js"
import type { Learnt } from "../core/audit-record.ts"
import { decodeBase64url } from "../core/base64url.ts"
import { boundedMap } from "../core/bounded-map.ts"
import { visible } from "../core/policy/faults.ts"
import { Secret } from "../core/secret.ts"
import type { Cryptography } from "../ports/cryptography.ts"
import type { MintedValue } from "../providers/provider.ts"
import type { MintedGrant } from "./mint.ts"

/** The limit for the versions of all grants of a record, and for their keys, as canonical JSON: records have a limit, too. */
const MAX_VERSIONS_BYTES = 16 * 1024
/**
 * The shortest text that is hashed. Providers mark only what has much entropy; this also holds for a server that answers
 * with something else. The shortest tokens of Vault have 26 characters.
 */
const MIN_FINGERPRINTED_CHARACTERS = 24
/**
 * The form of an AWS access key id (AWS STS API reference, Credentials), in capital letters. A secret key has small letters,
 * so that an answer with its members exchanged does not get one into a record.
 */
const PUBLIC_ID = /^[A-Z0-9]{16,128}$/

/** What only the mints knew of their grants, for the record of the outcome. Contains no value of a credential. */
export function learntOf(
  minted: readonly MintedGrant[],
  { digest }: Pick<Cryptography, "digest">,
): ReadonlyMap<string, Learnt> {
  const bytes = Math.floor(MAX_VERSIONS_BYTES / Math.max(1, minted.length))
  return new Map(minted.map((one) => [one.granted.grant.name, learnt(one, bytes, digest)]))
}

const NONE = { map: {}, leftOut: 0 }

function learnt(
  { minted: { cache, count, versions, keys, values } }: MintedGrant,
  bytes: number,
  digest: Cryptography["digest"],
): Learnt {
  const named = Object.entries(versions ?? {}).map(([place, version]) => [visible(place), visible(version)] as const)
  const { map, leftOut } = named.length === 0 ? NONE : boundedMap<string>(named, bytes)
  const opened = Object.entries(keys ?? {}).map(([file, key]) => [visible(file), visible(key)] as const)
  const fingerprints = recorded(values, "fingerprint", (text) =>
    text.length < MIN_FINGERPRINTED_CHARACTERS ? null : hexOf(digest(text)),
  )
  const ids = recorded(values, "id", (text) => (PUBLIC_ID.test(text) ? text : null))
  return {
    ...(cache === undefined ? {} : { cache }),
    ...(count === undefined ? {} : { values: count }),
    ...(named.length === 0 ? {} : { versions: map }),
    ...(leftOut === 0 ? {} : { versions_left_out: leftOut }),
    ...(opened.length === 0 ? {} : { keys: boundedMap<string>(opened, bytes).map }),
    ...(fingerprints === null ? {} : { fingerprints }),
    ...(ids === null ? {} : { ids }),
  }
}

/** Records have hashes in hex. */
const hexOf = (digest: string): string => bytesToHex(decodeBase64url(digest) ?? new Uint8Array())

/** What is recorded of the values that are marked so, by their names; null when nothing is. */
function recorded(
  values: Readonly<Record<string, MintedValue>>,
  as: MintedValue["recorded"],
  form: (text: string) => string | null,
): Readonly<Record<string, string>> | null {
  const entries = Object.entries(values).flatMap(([name, { value, recorded }]) => {
    const said = recorded === as ? form(value instanceof Secret ? value.reveal() : value) : null
    return said === null ? [] : [[name, said] as const]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
