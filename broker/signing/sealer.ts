import { decodeBase64url } from "../core/base64url.ts"
import { BrokerError } from "../core/errors.ts"
import { Secret } from "../core/secret.ts"
import { jsonOfUtf8 } from "../core/utf8.ts"
import type { Cryptography } from "../ports/cryptography.ts"
import type { SealedUnder } from "../wire/keys.ts"

/**
 * The place that a value is sealed for. It can be unsealed only there: a row that is copied to another place stays sealed.
 */
export interface SealContext {
  readonly kind:
    | "signing-key"
    | "log-key"
    | "revocation-handle"
    | "app-key"
    | "connection-secret"
    | "console-sign-in"
    | "console-session"
  /** `<issuer> <unit id>` of the ledger, or `-` for values of the deployment. */
  readonly unit: string
  /** The key id, `<lease>/<grant>`, or the secret's name. */
  readonly id: string
}

export interface Sealer {
  /** Whether there is a previous key, so that values may have to be sealed anew. */
  readonly hasPrevious: boolean
  /** Seals under the current key. */
  seal(value: Secret<string>, context: SealContext): Promise<string>
  /**
   * Opens a value that was sealed under the current or the previous key.
   * @throws {BrokerError} `configuration_invalid` when it was sealed under another key or for another place
   */
  open(sealed: string, context: SealContext): Promise<Secret<string>>
  /** Read from the header alone: only `open` proves it. */
  sealedUnder(sealed: string): SealedUnder
}

/**
 * The value under the current key; null when it is already, and nothing must be stored.
 * @throws {BrokerError} as `open`
 */
export async function sealedAnew(sealed: string, context: SealContext, sealer: Sealer): Promise<string | null> {
  if (sealer.sealedUnder(sealed) === "current") return null
  return await sealer.seal(await sealer.open(sealed, context), context)
}

const KEK_BYTES = 32

/**
 * Seals values for storage. Each value is encrypted with AES-256-GCM under its own data key, which is wrapped (A256GCMKW)
 * under the deployment's key. The form is a compact JWE (RFC 7516). Its protected header, which the cipher authenticates,
 * names the key, the deployment, the kind, the unit and the id.
 *
 * @param kek 32 bytes, `DAYPASS_KEK`
 * @param previous 32 bytes, `DAYPASS_KEK_PREVIOUS`: opens what was sealed before the key was changed, and seals nothing
 */
export async function createSealer(
  kek: Secret<Uint8Array>,
  deployment: string,
  cryptography: Cryptography,
  previous?: Secret<Uint8Array>,
): Promise<Sealer> {
  const current = await keyOf(kek, cryptography)
  const older = previous && (await keyOf(previous, cryptography))
  const keyNamed = (kid: unknown) => [current, older].find((key) => key?.kid === kid)
  const place = (context: SealContext) => JSON.stringify([deployment, context.kind, context.unit, context.id])

  return {
    hasPrevious: older !== undefined,

    sealedUnder(sealed) {
      const key = keyNamed(readHeader(sealed).kid)
      if (key === undefined) return "other"
      return key === current ? "current" : "previous"
    },

    async seal(value, context) {
      return await current.wrapping.seal(value.reveal(), { kid: current.kid, place: place(context) })
    },

    async open(sealed, context) {
      const header = readHeader(sealed)
      const key = keyNamed(header.kid)
      if (key === undefined) {
        throw new BrokerError(
          "configuration_invalid",
          `A stored ${context.kind} was sealed under another DAYPASS_KEK${older ? ", and not under DAYPASS_KEK_PREVIOUS either" : ""}. Start the broker with the key that it was sealed under, as DAYPASS_KEK, or as DAYPASS_KEK_PREVIOUS if you have changed the key.`,
        )
      }
      if (header.place !== place(context) && deploymentIn(header.place) !== deployment) {
        throw new BrokerError(
          "configuration_invalid",
          `A stored ${context.kind} was sealed for another deployment. If DAYPASS_URL or DAYPASS_DEPLOYMENT was changed, set DAYPASS_DEPLOYMENT to the value of before: by default it is the URL.`,
        )
      }
      if (header.place !== place(context)) {
        throw new BrokerError(
          "configuration_invalid",
          `A stored ${context.kind} was sealed for another place than this one. Restore the broker's storage from a backup.`,
        )
      }
      const text = await key.wrapping.open(sealed)
      if (text === null) {
        throw new BrokerError(
          "configuration_invalid",
          `A stored ${context.kind} was changed after it was sealed. Restore the broker's storage from a backup.`,
        )
      }
      return new Secret(text)
    },
  }
}

function readHeader(sealed: string): { kid?: unknown; place?: unknown } {
  const header = jsonOfUtf8(decodeBase64url(sealed.split(".", 1)[0] ?? "") ?? new Uint8Array())
  return typeof header === "object" && header !== null ? header : {}
}

function deploymentIn(place: unknown): unknown {
  try {
    const parts: unknown = JSON.parse(String(place))
    return Array.isArray(parts) ? parts[0] : undefined
  } catch {
    return undefined
  }
}

async function keyOf(kek: Secret<Uint8Array>, cryptography: Cryptography) {
  if (kek.reveal().length !== KEK_BYTES) throw new TypeError("the deployment's key must be 32 bytes")
  return { kid: await keyId(kek), wrapping: cryptography.wrappingKey(kek) }
}

/** An id for the key that reveals nothing of it: the first 96 bits of a digest with a label that is used only here. */
async function keyId(kek: Secret<Uint8Array>): Promise<string> {
  const label = new TextEncoder().encode("daypass key id\0")
  const bytes = new Uint8Array(label.length + KEK_BYTES)
  bytes.set(label)
  bytes.set(kek.reveal(), label.length)
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
  return Array.from(digest.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
