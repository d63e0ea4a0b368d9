import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"

/** AWS access key ids are no secrets, and recorded in clear. */
const AWS_KEY_ID = /A[SK]IA[A-Z2-7]{16}/g

/** Whether a text is an AWS access key id, and nothing else. */
export const isAwsKeyId = (text: string): boolean => text.length === 20 && text.search(AWS_KEY_ID) === 0

/**
 * The end of the reason of a leak that only a public id tells of. Presigned URLs have such ids, and whoever has read one can write
 * it where a scanner finds it: nothing is stopped because of that alone.
 */
export const BY_ID_ALONE = " (by its public id alone)"

/**
 * What the record may have of a value that was found: its SHA-256 in hex, and the AWS access key ids in it. A scanner can report
 * the parts of an AWS session as one text.
 */
export function fingerprintsOf(value: string): readonly string[] {
  const ids = new Set(value.match(AWS_KEY_ID) ?? [])
  return isAwsKeyId(value) ? [value] : [bytesToHex(sha256(utf8ToBytes(value))), ...ids]
}
