import * as base64url from "jose/base64url"
import { thumbprintText } from "../core/thumbprint.ts"
import type { PresentedProof } from "../exchange/call.ts"
import type { Clock } from "../ports/clock.ts"
import type { Cryptography } from "../ports/cryptography.ts"

/** A key on P-256 that lives as long as one sign-in, in this process alone. */
export interface OwnKey {
  readonly thumbprint: string
  /** A DPoP proof (RFC 9449) for one call with a token. */
  prove(call: Omit<PresentedProof, "text">, token: string): Promise<PresentedProof>
}

/**
 * Makes the key to which an operator token is bound. Browsers hold no such key: the token never leaves this process, and the
 * session's cookie is sealed instead.
 */
export async function createOwnKey({
  url,
  cryptography,
  clock,
}: {
  readonly url: string
  readonly cryptography: Cryptography
  readonly clock: Clock
}): Promise<OwnKey> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" }
  const pair = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"])
  if (!("privateKey" in pair)) throw new TypeError("WebCrypto made no pair of keys")
  const { kty, crv, x, y } = (await crypto.subtle.exportKey("jwk", pair.publicKey)) as {
    kty: "EC"
    crv: "P-256"
    x: string
    y: string
  }
  const jwk = { kty, crv, x, y }
  const part = (value: object) => base64url.encode(JSON.stringify(value))
  return {
    thumbprint: cryptography.digest(thumbprintText(jwk)),
    async prove({ method, path }, token) {
      const iat = Math.floor(clock.now().getTime() / 1000)
      const claims = {
        jti: crypto.randomUUID(),
        htm: method,
        htu: `${url}${path}`,
        iat,
        ath: cryptography.digest(token),
      }
      const signed = `${part({ typ: "dpop+jwt", alg: "ES256", jwk })}.${part(claims)}`
      const bytes = new TextEncoder().encode(signed)
      const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, bytes)
      return { method, path, text: `${signed}.${base64url.encode(new Uint8Array(signature))}` }
    },
  }
}
