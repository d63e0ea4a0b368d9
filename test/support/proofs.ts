import { base64url, type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose"
import type { PublicJwk } from "../../broker/wire/exchange.ts"

type Members = Readonly<Record<string, unknown>>

/** A key that signs proofs, in either runtime: not the client's own code, which runs on Node alone. */
export interface ProofMaker {
  readonly jwk: PublicJwk
  readonly privateJwk: Members
  readonly thumbprint: string
  /** A proof with these claims. Undefined leaves a member out; `raw` replaces the whole texts. */
  prove(
    claims: Members,
    header?: Members,
    raw?: { readonly header?: string; readonly payload?: string },
  ): Promise<string>
}

export async function makeProofMaker(): Promise<ProofMaker> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true })
  const { x = "", y = "" } = await exportJWK(publicKey)
  const jwk: PublicJwk = { kty: "EC", crv: "P-256", x, y }
  return {
    jwk,
    privateJwk: { ...(await exportJWK(privateKey)) },
    thumbprint: await calculateJwkThumbprint({ ...jwk }),
    async prove(claims, header = {}, raw = {}) {
      const parts = [
        raw.header ?? JSON.stringify({ typ: "dpop+jwt", alg: "ES256", jwk, ...header }),
        raw.payload ?? JSON.stringify(claims),
      ]
      const signed = parts.map((part) => base64url.encode(part)).join(".")
      return `${signed}.${await signatureOf(signed, privateKey)}`
    },
  }
}

/** ES256, base64url. Not by jose's signer, which refuses to sign the wrong headers that tests need. */
export async function signatureOf(text: string, key: CryptoKey): Promise<string> {
  const bytes = Uint8Array.from(new TextEncoder().encode(text))
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes)
  return base64url.encode(new Uint8Array(signature))
}

/** What a proof of one call claims. */
export async function proofClaims(
  call: { readonly method: string; readonly url: string; readonly token: string },
  seconds: number,
): Promise<Members> {
  const bytes = Uint8Array.from(new TextEncoder().encode(call.token))
  const ath = base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))
  return { jti: crypto.randomUUID(), htm: call.method, htu: call.url, iat: seconds, ath }
}
