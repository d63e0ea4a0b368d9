import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair } from "jose"
import { BrokerError } from "../core/errors.ts"
import { Secret } from "../core/secret.ts"
import type { Cryptography, SigningKey } from "../ports/cryptography.ts"
import type { StoredKey } from "../ports/key-ring.ts"
import type { Sealer } from "./sealer.ts"

/** RS256: the only algorithm that the OIDC federation of every cloud accepts. */
export const SIGNING_ALGORITHM = "RS256"
const MODULUS_BITS = 2048

/** Makes an RSA key and seals its private half immediately. The key is `next` until the ring activates it. */
export async function makeSigningKey(sealer: Sealer, now: Date): Promise<StoredKey> {
  const { publicKey, privateKey } = await generateKeyPair(SIGNING_ALGORITHM, {
    modulusLength: MODULUS_BITS,
    extractable: true,
  })
  const jwk = await exportJWK(publicKey)
  if (jwk.kty !== "RSA" || jwk.n === undefined || jwk.e === undefined) throw new TypeError("an RSA key was expected")
  const publicJwk = { kty: "RSA", n: jwk.n, e: jwk.e } as const
  const kid = await calculateJwkThumbprint(publicJwk)
  const sealedPrivateKey = await sealer.seal(new Secret(await exportPKCS8(privateKey)), sealedAs(kid))
  return { kid, publicJwk, sealedPrivateKey, createdAt: now.toISOString(), activatedAt: null, retiredAt: null }
}

/** Unseals a stored key for signing. @throws {BrokerError} `configuration_invalid` when it was sealed under another key. */
export async function openSigningKey(key: StoredKey, sealer: Sealer, cryptography: Cryptography): Promise<SigningKey> {
  const pem = await sealer.open(key.sealedPrivateKey, sealedAs(key.kid))
  const opened = await cryptography.signingKey(new Secret(derOf(pem.reveal())))
  if (opened !== null) return opened
  throw new BrokerError(
    "configuration_invalid",
    "The stored signing key is not an RSA private key. Restore the broker's storage from a backup.",
  )
}

/** The bytes of a key in PEM (RFC 7468); none when the text is another. */
function derOf(pem: string): Uint8Array {
  const body = /^-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END PRIVATE KEY-----\s*$/.exec(pem)?.[1] ?? ""
  try {
    return Uint8Array.from(atob(body), (character) => character.charCodeAt(0))
  } catch {
    return new Uint8Array()
  }
}

/** Where a key's private half is sealed for. */
export const sealedAs = (kid: string) => ({ kind: "signing-key", unit: "-", id: kid }) as const
