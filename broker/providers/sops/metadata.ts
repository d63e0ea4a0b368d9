import { isPlainMap } from "../../core/policy/plain.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { readSealed } from "./sealed-value.ts"

/** The part of SOPS's metadata in a file that is needed to decrypt it. None of it is secret. */
export interface Metadata {
  /** The file's data key, encrypted once for each X25519 key of age. */
  readonly recipients: readonly Recipient[]
  /** Exactly as written, because the MAC is bound to it. */
  readonly lastModified: string
  readonly mac: string
  /** If true, the MAC covers only encrypted values. */
  readonly macOnlyEncrypted: boolean
  /** All settings, for the rule about keys. */
  readonly settings: Readonly<Record<string, unknown>>
}

export interface Recipient {
  /** `age1...` */
  readonly recipient: string
  /** An armoured age file. */
  readonly enc: string
}

const X25519 = /^age1[ac-hj-np-z02-9]{58}$/
/** RFC 3339, in the form that SOPS writes. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/
/** Keys of other kinds than age, with their common names. */
const OTHER_KEYS: readonly (readonly [string, string])[] = [
  ["pgp", "PGP"],
  ["kms", "AWS KMS"],
  ["gcp_kms", "Google Cloud KMS"],
  ["azure_kv", "Azure Key Vault"],
  ["hc_vault", "HashiCorp Vault"],
  ["hckms", "Huawei Cloud KMS"],
]

/** Recipients of age other than X25519 keys (age, doc/age.1: "RECIPIENTS AND IDENTITIES"). */
const OTHER_RECIPIENTS: readonly (readonly [RegExp, string])[] = [
  [/^ssh-/, "an SSH key"],
  [/^age1pq1/, "a post-quantum key of age"],
  [/^age1[a-z0-9-]+1/, "a plugin of age"],
]

/** Reads SOPS's metadata in a file. The fault is the end of a sentence that begins with the file. */
export function readMetadata(settings: unknown): Result<Metadata, string> {
  if (!isPlainMap(settings)) return fail("has a key sops without SOPS's metadata")
  if (isUsed(settings["key_groups"]) || isUsed(settings["shamir_threshold"])) {
    return fail(
      "splits its key among key groups, but the broker has only one age key: encrypt it without key_groups and shamir_threshold",
    )
  }
  const stated: readonly unknown[] = Array.isArray(settings["age"]) ? settings["age"] : []
  const age = stated.filter(isRecipient)
  if (age.length === 0) {
    const others = [
      ...new Set(stated.map(kindOf).filter((kind) => kind !== null)),
      ...OTHER_KEYS.filter(([key]) => isUsed(settings[key])).map(([, name]) => name),
    ]
    const instead = others.length === 0 ? "" : ` but for ${others.join(", ")}`
    return fail(
      `is not encrypted for an age key (age1...)${instead}: name the broker's key in .sops.yaml, and run sops updatekeys on the file`,
    )
  }
  const { mac, lastmodified } = settings
  if (typeof mac !== "string" || readSealed(mac)?.type !== "str")
    return fail("has no MAC to verify it with: encrypt it with sops again")
  if (typeof lastmodified !== "string" || !MOMENT.test(lastmodified))
    return fail("has no time of its last change (lastmodified): encrypt it with sops again")
  const macOnlyEncrypted = [true, "true"].some((yes) => settings["mac_only_encrypted"] === yes)
  return ok({ recipients: age, lastModified: lastmodified, mac, macOnlyEncrypted, settings })
}

/** What kind of key an entry of age's is for, if the broker has no such keys. */
function kindOf(entry: unknown): string | null {
  const recipient = isPlainMap(entry) ? entry["recipient"] : null
  if (typeof recipient !== "string") return null
  return OTHER_RECIPIENTS.find(([form]) => form.test(recipient))?.[1] ?? null
}

/** Present, and not empty or zero. */
const isUsed = (setting: unknown) =>
  ![undefined, null, "", 0, "0"].some((nothing) => setting === nothing) &&
  !(Array.isArray(setting) && setting.length === 0)

function isRecipient(entry: unknown): entry is Recipient {
  return (
    isPlainMap(entry) &&
    typeof entry["recipient"] === "string" &&
    X25519.test(entry["recipient"]) &&
    typeof entry["enc"] === "string"
  )
}
