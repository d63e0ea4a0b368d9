import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import { nameOf, type SecretReference } from "../../core/secret-reference.ts"
import type { OtherSide } from "../call.ts"
import type { Recipient } from "./metadata.ts"

/** An age key of the connection. Only its public half can be printed. */
export interface AgeKey {
  /** The public half: `age1...` */
  readonly recipient: string
  /** Decrypts an age file. Rejects when the file is not for this key, or is damaged. */
  open(file: Uint8Array): Promise<Uint8Array>
}

/** Loaded with the first key: the command line reads policies without it. */
const loadAge = () => import("./age-library.ts")

/** More than one key is needed for a while when a team replaces its key. */
const MAX_KEYS = 16
const DATA_KEY_BYTES = 32

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
      `The secret ${nameOf(key)} of connection ${side.connection} ${what}: set it to the output of age-keygen, 1 to ${MAX_KEYS} keys that begin with AGE-SECRET-KEY-1.`,
    )
  if (identities.length === 0) throw no("contains no age key")
  if (identities.length > MAX_KEYS) throw no("has too many keys")
  if (identities.some((one) => one.startsWith("AGE-SECRET-KEY-PQ-")))
    throw no("contains a post-quantum key, which is not supported")
  return await Promise.all(
    identities.map(async (identity) => {
      const known = await ageKeyOf(identity)
      if (known === null) throw no("contains text that is not an age key")
      return known
    }),
  )
}

/** The X25519 key with this private half, `AGE-SECRET-KEY-1...`; null for any other text. */
export async function ageKeyOf(identity: string): Promise<AgeKey | null> {
  if (!identity.startsWith("AGE-SECRET-KEY-1")) return null
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

/**
 * Decrypts the data key of a file with one of these keys.
 *
 * `foreign`: it is not encrypted for any of these keys. `damaged`: it names one of them, but cannot be decrypted.
 */
export async function dataKeyFor(
  recipients: readonly Recipient[],
  keys: readonly AgeKey[],
): Promise<Uint8Array<ArrayBuffer> | "foreign" | "damaged"> {
  const { armor } = await loadAge()
  let outcome: "foreign" | "damaged" = "foreign"
  for (const { recipient, enc } of recipients) {
    const key = keys.find((one) => one.recipient === recipient)
    if (key === undefined) continue
    outcome = "damaged"
    try {
      const dataKey = await key.open(armor.decode(enc))
      if (dataKey.length === DATA_KEY_BYTES) return new Uint8Array(dataKey)
    } catch {
      // Any error of age means that this entry is damaged. Another entry may be valid.
    }
  }
  return outcome
}
