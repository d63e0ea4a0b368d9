import { compactDecrypt, exportJWK, generateKeyPair } from "jose"
import type { Capture } from "./wiretap.ts"

/** What the broker answered to somebody who is not the job. */
export interface Attempt {
  readonly status: number
  /** The problem document's code; null when the answer is none. */
  readonly code: string | null
  readonly body: string
}

/** A thief with a key of the same kind as the job's, but not the job's. */
export async function makeThief(broker: string) {
  const keys = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true })
  const { kty, crv, x, y } = await exportJWK(keys.publicKey)

  const send = async (token: string, body: unknown): Promise<Attempt> => {
    const response = await fetch(`${broker}/v1/exchange`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true
    return { status: response.status, code: isProblem ? String(JSON.parse(text).code) : null, body: text }
  }

  return {
    /** Sends what the job sent, as the job sent it. */
    replay: ({ token, body }: Capture) => send(token, JSON.parse(body)),
    /** Sends the job's token with the thief's own key, whose answer the thief could open. */
    withOwnKey: ({ token, body }: Capture) => send(token, { ...JSON.parse(body), key: { kty, crv, x, y } }),
    /** Asks for the answer in the clear. */
    withoutKey: ({ token, body }: Capture) => send(token, { grants: JSON.parse(body).grants }),
    /** Tries to open a JWE with the thief's key. */
    opens: (jwe: string) =>
      compactDecrypt(jwe, keys.privateKey).then(
        () => true,
        () => false,
      ),
  }
}
