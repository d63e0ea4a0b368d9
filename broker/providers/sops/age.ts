import { armor, Decrypter, identityToRecipient } from "age-encryption"
import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import { nameOf, type SecretReference } from "../../core/secret-reference.ts"
import type { OtherSide } from "../call.ts"
import type { Recipient } from "./metadata.ts"

/** An age key of the connection's, of which nothing can be printed but its public half. */
export interface AgeKey {
  /** The public half: `age1...` */
  readonly recipient: string
  /** Opens an age file. Rejects when it is not for this key, or not as age wrote it. */
  open(file: Uint8Array): Promise<Uint8Array>
}

/** A team that replaces its key holds two for a while. */
const MAX_KEYS = 16
const DATA_KEY_BYTES = 32

/**
 * Reads what `age-keygen` writes: identities on lines, or parted by spaces where a setting has one line, and comments.
 *
 * @throws {BrokerError} `configuration_invalid` for anything else, of which nothing is repeated
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
      `The secret ${nameOf(key)} of connection ${side.connection} ${what}: it holds what age-keygen writes, 1 to ${MAX_KEYS} keys that begin with AGE-SECRET-KEY-1.`,
    )
  if (identities.length === 0) throw no("has no age key in it")
  if (identities.length > MAX_KEYS) throw no("has too many keys")
  if (identities.some((one) => one.startsWith("AGE-SECRET-KEY-PQ-")))
    throw no("has a post-quantum key, which is not read here")
  return await Promise.all(
    identities.map(async (identity) => {
      try {
        const decrypter = new Decrypter()
        if (!identity.startsWith("AGE-SECRET-KEY-1")) throw new TypeError("no X25519 identity")
        decrypter.addIdentity(identity)
        return { recipient: await identityToRecipient(identity), open: (file) => decrypter.decrypt(file) }
      } catch {
        throw no("has something in it that is no age key")
      }
    }),
  )
}

/**
 * The key of a file, as far as one of these keys opens it.
 *
 * `foreign`: it is encrypted for none of them. `damaged`: it says that it is, and does not open.
 */
export async function dataKeyFor(
  recipients: readonly Recipient[],
  keys: readonly AgeKey[],
): Promise<Uint8Array<ArrayBuffer> | "foreign" | "damaged"> {
  let outcome: "foreign" | "damaged" = "foreign"
  for (const { recipient, enc } of recipients) {
    const key = keys.find((one) => one.recipient === recipient)
    if (key === undefined) continue
    outcome = "damaged"
    try {
      const dataKey = await key.open(armor.decode(enc))
      if (dataKey.length === DATA_KEY_BYTES) return new Uint8Array(dataKey)
    } catch {
      // Whatever age stumbles over, the file is not as SOPS wrote it; another entry may be.
    }
  }
  return outcome
}
