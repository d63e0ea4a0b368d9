import { decodeBase64url } from "../core/base64url.ts"
import { BrokerError } from "../core/errors.ts"
import { Secret } from "../core/secret.ts"
import { jsonOfUtf8 } from "../core/utf8.ts"
import type { Cryptography } from "../ports/cryptography.ts"

/**
 * The place that a value is sealed for. It can be unsealed only there: a row that is copied to another place stays sealed.
 */
export interface SealContext {
  readonly kind: "signing-key" | "revocation-handle" | "app-key" | "connection-secret"
  /** `<issuer> <unit id>` of the ledger, or `-` for values of the deployment. */
  readonly unit: string
  /** The key id, `<lease>/<grant>`, or the secret's name. */
  readonly id: string
}

export interface Sealer {
  seal(value: Secret<string>, context: SealContext): Promise<string>
  /** @throws {BrokerError} `configuration_invalid` when the value was sealed under another key or for another place. */
  open(sealed: string, context: SealContext): Promise<Secret<string>>
}

const KEK_BYTES = 32

/**
 * Seals values for storage. Each value is encrypted with AES-256-GCM under its own data key, which is wrapped (A256GCMKW)
 * under the deployment's key. The form is a compact JWE (RFC 7516). Its protected header, which the cipher authenticates,
 * names the key, the deployment, the kind, the unit and the id.
 *
 * @param kek 32 bytes, `DAYPASS_KEK`
 */
export async function createSealer(
  kek: Secret<Uint8Array>,
  deployment: string,
  cryptography: Cryptography,
): Promise<Sealer> {
  if (kek.reveal().length !== KEK_BYTES) throw new TypeError("the deployment's key must be 32 bytes")
  const kid = await keyId(kek)
  const wrapping = cryptography.wrappingKey(kek)
  const place = (context: SealContext) => JSON.stringify([deployment, context.kind, context.unit, context.id])

  return {
    async seal(value, context) {
      return await wrapping.seal(value.reveal(), { kid, place: place(context) })
    },

    async open(sealed, context) {
      const header = readHeader(sealed)
      if (header.kid !== kid) {
        throw new BrokerError(
          "configuration_invalid",
          `A stored ${context.kind} was sealed under another DAYPASS_KEK. Start the broker with the original key of this deployment.`,
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
      const text = await wrapping.open(sealed)
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

/** An id for the key that reveals nothing of it: the first 96 bits of a digest with a label that is used only here. */
async function keyId(kek: Secret<Uint8Array>): Promise<string> {
  const label = new TextEncoder().encode("daypass key id\0")
  const bytes = new Uint8Array(label.length + KEK_BYTES)
  bytes.set(label)
  bytes.set(kek.reveal(), label.length)
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
  return Array.from(digest.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
