import { BrokerError } from "../core/errors.ts"
import type { Claims } from "../core/identity.ts"
import { Secret } from "../core/secret.ts"
import type { Clock } from "../ports/clock.ts"
import type { Cryptography, SigningKey } from "../ports/cryptography.ts"
import type { KeyRing, StoredKey } from "../ports/key-ring.ts"
import { activeKey, first, KEYS_FRESH_SECONDS, publishedKeys } from "./key-states.ts"
import type { Sealer } from "./sealer.ts"
import { makeSigningKey, openSigningKey, SIGNING_ALGORITHM } from "./signing-key.ts"

/** A public key in the form of the JWKS. */
export interface PublishedKey {
  readonly kty: "RSA"
  readonly n: string
  readonly e: string
  readonly kid: string
  readonly use: "sig"
  readonly alg: typeof SIGNING_ALGORITHM
}

/** Signs with the active key, and publishes the public keys. */
export interface Signer {
  /** Signs `claims` unchanged. @throws {BrokerError} `ledger_unavailable`, `configuration_invalid` */
  sign(claims: Claims): Promise<Secret<string>>
  publicKeys(): Promise<readonly PublishedKey[]>
  /** Reads the ring again with the next call: this instance has changed it. Others read it within a minute. */
  forget(): void
}

/** How often an instance retries after another one was first to store the first key. */
const FIRST_KEY_ATTEMPTS = 3

interface LoadedKeys {
  /** By the monotonic clock. */
  readonly at: number
  readonly keys: readonly StoredKey[]
  readonly active: { readonly kid: string; readonly key: SigningKey }
}

export interface SignerPorts {
  readonly keyRing: KeyRing
  readonly sealer: Sealer
  readonly cryptography: Cryptography
  readonly clock: Clock
}

/** Makes the signer of one instance. It reads the ring at its first use, and makes the first key when the ring is empty. */
export function createSigner(ports: SignerPorts): Signer {
  // Holds values, never a promise: on workerd one request must not await the I/O of another.
  let loaded: LoadedKeys | undefined

  async function current(): Promise<LoadedKeys> {
    const now = ports.clock.now()
    const elapsed = ports.clock.elapsed()
    if (loaded && elapsed - loaded.at < KEYS_FRESH_SECONDS * 1000) return loaded
    const { keys, active } = await keysWithActive(ports, now)
    const key =
      loaded?.active.kid === active.kid
        ? loaded.active.key
        : await openSigningKey(active, ports.sealer, ports.cryptography)
    loaded = { at: elapsed, keys, active: { kid: active.kid, key } }
    return loaded
  }

  return {
    async sign(claims) {
      const { active } = await current()
      return new Secret(await active.key.sign(claims, active.kid))
    },

    forget() {
      loaded = undefined
    },

    async publicKeys() {
      const { keys } = await current()
      return publishedKeys(keys, ports.clock.now()).map((key) => ({
        ...key.publicJwk,
        kid: key.kid,
        use: "sig",
        alg: SIGNING_ALGORITHM,
      }))
    },
  }
}

/**
 * The ring's keys. Makes the first key when the ring is empty.
 *
 * Several instances may find the ring empty at the same time. Each makes a key and tries to store it, and the ring accepts
 * one. The others drop their keys and read again, so that an unpublished key never signs a token.
 */
async function keysWithActive(ports: { keyRing: KeyRing; sealer: Sealer }, now: Date) {
  for (let attempt = 0; attempt < FIRST_KEY_ATTEMPTS; attempt++) {
    const stored = await ports.keyRing.read()
    const active = activeKey(stored.keys, now)
    if (active) return { keys: stored.keys, active }
    const keys = first(await makeSigningKey(ports.sealer, now), now)
    const made = keys[0]
    if (made && (await ports.keyRing.replace(stored.version, [...stored.keys, ...keys]))) {
      return { keys: [...stored.keys, ...keys], active: made }
    }
  }
  throw new BrokerError(
    "ledger_unavailable",
    "The key ring changed repeatedly while the first signing key was made. Try again.",
  )
}
