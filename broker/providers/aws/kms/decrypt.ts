import * as z from "zod"
import type { BrokerError } from "../../../core/errors.ts"
import type { HttpResponse } from "../../../ports/http.ts"
import { bytesOfBase64 } from "../../bytes.ts"
import { call, denied, invalid, type OtherSide, readJson, unavailable } from "../../call.ts"
import type { KeyRequest, KeyThrough, WrappedKey } from "../../key-service.ts"
import type { ProviderIo } from "../../provider.ts"
import { STORES_AUDIENCE } from "../../reserved-audiences.ts"
import { retryTransient } from "../../retry.ts"
import type { Connection } from "../grant.ts"
import { withSession } from "../login.ts"
import { errorCode, type Operation, refusedSession, signed, transientAwsFailure } from "../signed-call.ts"
import { type Entry, keyParts } from "./key.ts"

const DECRYPT: Operation = { service: "kms", target: "TrentService.Decrypt" }

/** @throws {BrokerError} `provider_*` */
export async function decrypt(
  wrapped: WrappedKey,
  { entry, settings }: KeyThrough<Entry, Connection>,
  request: KeyRequest,
  io: ProviderIo,
): Promise<Uint8Array<ArrayBuffer>> {
  const side: OtherSide = { name: "AWS KMS", connection: request.connectionName }
  const { region } = keyParts(entry.key)
  const { session_tags, endpoint: sts_endpoint } = settings
  const login = { role: entry.role, region: settings.region, audience: STORES_AUDIENCE, session_tags, sts_endpoint }
  return await withSession({ ...request, connection: login }, io, async (session) => {
    const at = { region, endpoint: entry.endpoint }
    const ask = await signed(DECRYPT, buildDecrypt(wrapped), at, session, io.now())
    return await retryTransient(io, async () => readPlaintext(side, await call(side, ask, io), entry.key))
  })
}

/**
 * Builds the input. Source: AWS KMS API Reference, Decrypt. The key is always named: without it, KMS takes the key that the
 * ciphertext names, and so a file could choose it.
 */
export const buildDecrypt = ({ key, ciphertext, context = {} }: WrappedKey): object => ({
  CiphertextBlob: ciphertext,
  KeyId: key,
  ...(Object.keys(context).length === 0 ? {} : { EncryptionContext: context }),
})

const answer = z.object({ KeyId: z.string(), Plaintext: z.base64() })

/** @throws {BrokerError} `provider_*` */
export function readPlaintext(side: OtherSide, response: HttpResponse, key: string): Uint8Array<ArrayBuffer> {
  if (response.status !== 200) throw readFailure(side, response, key)
  const { KeyId, Plaintext } = readJson(side, response, answer, "a decrypted key")
  // The answer names the key behind an alias.
  const { id } = keyParts(key)
  const isAsked = id.startsWith("alias/") ? KeyId.startsWith(`${key.slice(0, -id.length)}key/`) : KeyId === key
  if (!isAsked) throw invalid(side, "is for another key")
  return bytesOfBase64(Plaintext)
}

/** Codes of KMS (AWS KMS API Reference, Decrypt, Errors), with the end of a sentence that begins with the key. */
const REFUSALS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  AccessDeniedException:
    "may not be used: the role needs kms:Decrypt on it, in its own policy and in the key's. A condition on kms:EncryptionContext must fit the context that the file names",
  NotFoundException: "does not exist in its account and region",
  DisabledException: "is disabled. Enable it, or give the file another key with sops updatekeys",
  KMSInvalidStateException: "cannot be used in its state. Most often, it is scheduled for deletion",
  InvalidKeyUsageException: "is not a symmetric key for encryption",
  InvalidCiphertextException:
    "did not encrypt this file's data key, or the file's encryption context was changed. Restore the file from Git, or run sops updatekeys on it",
  IncorrectKeyException: "is not the key that the file's data key was encrypted with. Run sops updatekeys on the file",
}

/** Failures of KMS itself that pass. */
const FAILED: ReadonlySet<string> = new Set([
  "KMSInternalException",
  "DependencyTimeoutException",
  "KeyUnavailableException",
])

function readFailure(side: OtherSide, response: HttpResponse, key: string): BrokerError {
  const code = errorCode(response)
  if (FAILED.has(code)) return unavailable(side, `failed for connection ${side.connection} (${code})`)
  const transient = transientAwsFailure(side, response)
  if (transient !== null) return transient
  const refusal = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined
  return refusal === undefined ? refusedSession(side, code) : denied(side, `${code}: the key ${key} ${refusal}`)
}
