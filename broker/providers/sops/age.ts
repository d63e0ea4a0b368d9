import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import { nameOf, type SecretReference } from "../../core/secret-reference.ts"
import type { OtherSide } from "../call.ts"

/** An age key of the connection. Only its public half can be printed. */
export interface AgeKey {
  /** The public half: `age1...`, or `age1pq1...` */
  readonly recipient: string
  /** Decrypts an age file. Rejects when the file is not for this key, or is damaged. */
  open(file: Uint8Array): Promise<Uint8Array>
}

/** Loaded with the first key: the command line reads policies without it. */
const loadAge = () => import("./age-library.ts")

/** More than one key is needed for a while when a team replaces its key. */
const MAX_KEYS = 16

/**
 * Reads the output of `age-keygen`: identities on separate lines, or separated by spaces in a setting of one line, and
 * comments.
 *
 * @throws {BrokerError} `configuration_invalid` for any other text, which is not quoted
 */
export async function readAgeKeys(side: OtherSide, key: SecretReference, secret: Secret<string>): Promise<AgeKey[]> {
  const identities = secret
    .reveal()
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => line.split(/\s+/))
    .filter((part) => part !== "")
  const no = (what: string) =>
    new BrokerError(
      "configuration_invalid",
      `The secret ${nameOf(key)} of connection ${side.connection} ${what}: set it to the output of age-keygen, 1 to ${MAX_KEYS} keys that begin with AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1.`,
    )
  if (identities.length === 0) throw no("contains no age key")
  if (identities.length > MAX_KEYS) throw no("has too many keys")
  return await Promise.all(
    identities.map(async (identity) => {
      const known = await ageKeyOf(identity)
      if (known === null) throw no("contains text that is not an age key")
      return known
    }),
  )
}

/**
 * The key with this private half, null for any other text: `AGE-SECRET-KEY-1...` of X25519, or `AGE-SECRET-KEY-PQ-1...` of
 * X25519 and ML-KEM-768 together.
 */
export async function ageKeyOf(identity: string): Promise<AgeKey | null> {
  if (!/^AGE-SECRET-KEY-(?:PQ-)?1/.test(identity)) return null
  const { Decrypter, identityToRecipient } = await loadAge()
  try {
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity)
    return { recipient: await identityToRecipient(identity), open: (file) => decrypter.decrypt(file) }
  } catch {
    // Its errors may quote the text.
    return null
  }
}

/** What an armoured age file holds; null when it is damaged. */
export async function openWithAge(key: AgeKey, armoured: string): Promise<Uint8Array | null> {
  const { armor } = await loadAge()
  try {
    return await key.open(armor.decode(armoured))
  } catch {
    // Any error of age means that this entry is damaged. Another entry may be valid.
    return null
  }
}
