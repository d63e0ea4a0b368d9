import { CompactEncrypt } from "jose"
import { MEDIA_TYPE_JOSE } from "../wire/exchange.ts"
import type { RecipientKey } from "./request.ts"

/**
 * Answers an exchange. A plain request gets JSON. A key-bound request gets that JSON inside a compact JWE (ECDH-ES,
 * A256GCM), which only the job's private key can decrypt.
 */
export async function exchangeResponse(answer: object, key: RecipientKey | undefined): Promise<Response> {
  if (!key) return Response.json(answer)
  const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(answer)))
    .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", cty: "json" })
    .encrypt(key.publicKey)
  return new Response(jwe, { headers: { "content-type": MEDIA_TYPE_JOSE } })
}
