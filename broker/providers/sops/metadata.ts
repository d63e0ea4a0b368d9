import { isPlainMap } from "../../core/policy/plain.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { entriesOf, isUsedGroup, type KeyEntry, othersOf } from "./key-entries.ts"
import { readSealed } from "./sealed-value.ts"

/** The part of SOPS's metadata in a file that is needed to decrypt it. None of it is secret. */
export interface Metadata {
  /**
   * The groups of keys that the file's key is split among, each with the keys of which any one opens it. A file without groups
   * has one, whose keys open the whole file.
   */
  readonly groups: readonly (readonly KeyEntry[])[]
  /** How many of the groups are needed. */
  readonly threshold: number
  /** Exactly as written, because the MAC is bound to it. */
  readonly lastModified: string
  readonly mac: string
  /** If true, the MAC covers only encrypted values. */
  readonly macOnlyEncrypted: boolean
  /** All settings, for the rule about keys. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** RFC 3339, in the form that SOPS writes. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/
/** Each group may cost a call of a vendor. Nobody splits a key among more people's groups. */
const MAX_GROUPS = 16

/** Reads SOPS's metadata in a file. The fault is the end of a sentence that begins with the file. */
export function readMetadata(settings: unknown): Result<Metadata, string> {
  if (!isPlainMap(settings)) return fail("has a key sops without SOPS's metadata")
  const stated = groupsOf(settings)
  const groups = stated.map(entriesOf)
  const threshold = thresholdOf(settings, groups.length)
  if (groups.length > MAX_GROUPS) return fail(`splits its key among more than ${MAX_GROUPS} key groups: use fewer`)
  if (threshold === null)
    return fail("has a shamir_threshold that does not fit its key groups: encrypt it with sops again")
  if (groups.filter((group) => group.length > 0).length < threshold) {
    const others = [...new Set(stated.flatMap(othersOf))]
    const instead = others.length === 0 ? "" : `, but for ${others.join(", ")}`
    const what = groups.length > 1 ? `in ${threshold} of its key groups ` : ""
    return fail(
      `is not encrypted ${what}for an age key (age1...), nor for a key of AWS KMS, Google Cloud KMS, Azure Key Vault or Vault${instead}: name a key of the connection in .sops.yaml, and run sops updatekeys on the file`,
    )
  }
  const { mac, lastmodified } = settings
  if (typeof mac !== "string" || readSealed(mac)?.type !== "str")
    return fail("has no MAC to verify it with: encrypt it with sops again")
  if (typeof lastmodified !== "string" || !MOMENT.test(lastmodified))
    return fail("has no time of its last change (lastmodified): encrypt it with sops again")
  const macOnlyEncrypted = [true, "true"].some((yes) => settings["mac_only_encrypted"] === yes)
  return ok({ groups, threshold, lastModified: lastmodified, mac, macOnlyEncrypted, settings })
}

type Part = Readonly<Record<string, unknown>>

/** As SOPS reads them: the keys of a file without groups count before any groups. */
function groupsOf(settings: Part): readonly Part[] {
  const { key_groups: groups } = settings
  if (isUsedGroup(settings) || !Array.isArray(groups) || groups.length === 0) return [settings]
  return groups.map((group) => (isPlainMap(group) ? group : {}))
}

/** Without a number, all groups are needed, as in SOPS. Null for a number that SOPS never writes. */
function thresholdOf({ shamir_threshold: stated }: Part, groups: number): number | null {
  if (groups === 1) return 1
  if (stated === undefined || stated === null) return groups
  // A dotenv file has texts alone.
  const threshold = typeof stated === "string" && /^\d{1,3}$/.test(stated) ? Number(stated) : stated
  const fits = typeof threshold === "number" && Number.isInteger(threshold) && threshold >= 2 && threshold <= groups
  return fits ? threshold : null
}
