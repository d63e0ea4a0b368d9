import { isPlainMap } from "../../core/policy/plain.ts"
import type { WrappedKey } from "../key-service.ts"

/** One of the ways in which a file, or a group of its keys, can be opened. None of it is secret. */
export type KeyEntry =
  | {
      readonly of: "age"
      /** `age1...`, or `age1pq1...` for a post-quantum key. */
      readonly recipient: string
      /** An armoured age file. */
      readonly enc: string
    }
  | {
      /** The provider of connections to the key's service. */
      readonly of: "aws" | "google" | "azure" | "vault"
      readonly wrapped: WrappedKey
    }

/** X25519 keys, and hybrids of X25519 and ML-KEM-768 (age, doc/age.1: "RECIPIENTS AND IDENTITIES"). */
const RECIPIENT = /^age1(?:[ac-hj-np-z02-9]{58}|pq1[ac-hj-np-z02-9]{1952})$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2,3}={1,2}$/
const BASE64URL = /^[A-Za-z0-9_-]+$/
const VAULT_CIPHERTEXT = /^vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]+={0,2}$/
/** Azure names a version by 32 digits and letters from a to f. */
const KEY_VERSION = /^[0-9a-f]{32}$/

type Part = Readonly<Record<string, unknown>>

/** How SOPS writes each kind of key. An entry of another form is not used, and counts as one of another kind. */
const READERS: Readonly<Record<string, (entry: Part) => KeyEntry | null>> = {
  age({ recipient, enc }) {
    const isUsable = typeof recipient === "string" && RECIPIENT.test(recipient) && typeof enc === "string"
    return isUsable ? { of: "age", recipient, enc } : null
  },
  kms({ arn, enc, context }) {
    if (typeof arn !== "string" || !isText(enc, BASE64)) return null
    const pairs = isPlainMap(context) ? Object.entries(context) : []
    const texts = pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string")
    if (texts.length < pairs.length) return null
    return { of: "aws", wrapped: { key: arn, ciphertext: enc, context: Object.fromEntries(texts) } }
  },
  gcp_kms({ resource_id: key, enc }) {
    return typeof key === "string" && isText(enc, BASE64) ? { of: "google", wrapped: { key, ciphertext: enc } } : null
  },
  azure_kv({ vault_url: vault, name, version, enc }) {
    if (typeof vault !== "string" || typeof name !== "string") return null
    if (!isText(version, KEY_VERSION) || !isText(enc, BASE64URL)) return null
    const key = `${vault.replace(/\/$/, "")}/keys/${name}`
    return { of: "azure", wrapped: { key, version, ciphertext: enc } }
  },
  hc_vault({ vault_address: address, engine_path: mount, key_name: name, enc }) {
    if (typeof address !== "string" || typeof mount !== "string" || typeof name !== "string") return null
    if (!isText(enc, VAULT_CIPHERTEXT)) return null
    return { of: "vault", wrapped: { key: `${address.replace(/\/$/, "")}/v1/${mount}/keys/${name}`, ciphertext: enc } }
  },
}

const isText = (value: unknown, form: RegExp): value is string => typeof value === "string" && form.test(value)

/** Recipients of age that the broker has no keys for. */
const OTHER_RECIPIENTS: readonly (readonly [RegExp, string])[] = [
  [/^ssh-/, "an SSH key"],
  [/^age1(?!pq1)[a-z0-9-]+1/, "a plugin of age"],
]

/** Keys of other kinds, with their common names. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  pgp: "PGP",
  hckms: "Huawei Cloud KMS",
}

/** The entries of a group, or of a file without groups, that the broker may be able to open. */
export const entriesOf = (group: Part): readonly KeyEntry[] =>
  Object.entries(READERS).flatMap(([kind, read]) => listIn(group, kind).flatMap((entry) => read(entry) ?? []))

/** What else a group is encrypted for, in words. */
export function othersOf(group: Part): readonly string[] {
  const kinds = Object.entries(OTHER_KINDS).flatMap(([kind, name]) => (listIn(group, kind).length > 0 ? [name] : []))
  const recipients = listIn(group, "age").flatMap((entry) => otherRecipientOf(entry) ?? [])
  const damaged = Object.entries(READERS).flatMap(([kind, read]) =>
    listIn(group, kind).some((entry) => read(entry) === null && otherRecipientOf(entry) === undefined)
      ? [`a damaged entry in ${kind}`]
      : [],
  )
  return [...new Set([...recipients, ...kinds, ...damaged])]
}

const otherRecipientOf = ({ recipient }: Part): string | undefined =>
  OTHER_RECIPIENTS.find(([form]) => typeof recipient === "string" && form.test(recipient))?.[1]

/** Whether a group names any key at all. */
export const isUsedGroup = (group: Part): boolean =>
  [...Object.keys(READERS), ...Object.keys(OTHER_KINDS)].some((kind) => listIn(group, kind).length > 0)

function listIn(group: Part, kind: string): readonly Part[] {
  const list = Object.hasOwn(group, kind) ? group[kind] : undefined
  return Array.isArray(list) ? list.filter(isPlainMap) : []
}
