import * as z from "zod"
import type { Secret } from "../../../core/secret.ts"
import type { HttpResponse } from "../../../ports/http.ts"
import { bytesOfBase64 } from "../../bytes.ts"
import { type Call, call, invalid, type OtherSide, readJson } from "../../call.ts"
import type { KeyRequest, KeyThrough, WrappedKey } from "../../key-service.ts"
import { withLogin } from "../../login.ts"
import type { ProviderIo } from "../../provider.ts"
import { retryTransient } from "../../retry.ts"
import type { Connection } from "../grant.ts"
import { impersonate, withFederatedToken } from "../login.ts"
import { readRefusal } from "../refusals.ts"
import { crc32c } from "../secret-manager/crc32c.ts"
import type { Entry } from "./key.ts"

/** A token that can be used for Cloud KMS alone. */
const SCOPES = ["https://www.googleapis.com/auth/cloudkms"]
/** In seconds. Short, because such a token cannot be revoked. */
const IMPERSONATION_SECONDS = 300

/** @throws {BrokerError} `provider_*` */
export async function decrypt(
  wrapped: WrappedKey,
  { entry, settings }: KeyThrough<Entry, Connection>,
  { connectionName, subject }: KeyRequest,
  io: ProviderIo,
): Promise<Uint8Array<ArrayBuffer>> {
  const side: OtherSide = { name: "Google Cloud KMS", connection: connectionName }
  const login = { settings, connectionName, subject, io }
  const use = (token: Secret<string>) =>
    retryTransient(io, async () =>
      readPlaintext(side, await call(side, buildDecrypt(entry, token, wrapped), io), entry),
    )
  const { service_account: account } = entry
  if (account === undefined) return await withFederatedToken(login, SCOPES, use)
  const wanted = { account, scopes: SCOPES, delegates: [], lifetimeSeconds: IMPERSONATION_SECONDS }
  return await withLogin(io, `impersonated ${account}`, () => impersonate(login, wanted), use)
}

/** Builds the request. Source: Cloud KMS REST reference, projects.locations.keyRings.cryptoKeys.decrypt. */
export function buildDecrypt(
  { key, endpoint = "https://cloudkms.googleapis.com" }: Entry,
  token: Secret<string>,
  { ciphertext }: Pick<WrappedKey, "ciphertext">,
): Call {
  return {
    method: "POST",
    url: `${endpoint}/v1/${key.split("/").map(encodeURIComponent).join("/")}:decrypt`,
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      authorization: `Bearer ${token.reveal()}`,
    },
    body: JSON.stringify({ ciphertext, ciphertextCrc32c: String(crc32c(bytesOfBase64(ciphertext))) }),
  }
}

const answer = z.object({
  plaintext: z.base64(),
  // An int64, which is a text of decimal digits in JSON. The API's discovery document says that it may be left out.
  plaintextCrc32c: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,9})$/)
    .optional(),
})

/** @throws {BrokerError} `provider_*` */
export function readPlaintext(side: OtherSide, response: HttpResponse, entry: Entry): Uint8Array<ArrayBuffer> {
  if (response.status !== 200) throw readRefusal(side, response, refusals(entry))
  const { plaintext, plaintextCrc32c } = readJson(side, response, answer, "a decrypted key")
  const bytes = bytesOfBase64(plaintext)
  if (plaintextCrc32c !== undefined && String(crc32c(bytes)) !== plaintextCrc32c)
    throw invalid(side, "was damaged on its way: the checksum differs")
  return bytes
}

const refusals = ({ key, service_account: account }: Entry): Readonly<Record<string, string>> => ({
  __proto__: null as never,
  PERMISSION_DENIED: `${account ?? "the job's principal in the pool"} may not decrypt with ${key}, or the key does not exist. Give it roles/cloudkms.cryptoKeyDecrypter on that key; a change takes some minutes`,
  NOT_FOUND: `the key ${key} does not exist`,
  INVALID_ARGUMENT: `the key ${key} did not encrypt this file's data key. Restore the file from Git, or run sops updatekeys on it`,
  FAILED_PRECONDITION: `the version of the key ${key} that encrypted this file's data key is disabled or destroyed`,
  UNAUTHENTICATED: "it did not accept Google's own token. Check whether the pool or its provider was just changed",
  SERVICE_DISABLED: "the Cloud KMS API is off. Enable cloudkms.googleapis.com in the key's project",
  SECURITY_POLICY_VIOLATED: "a VPC Service Controls perimeter keeps the broker out",
})
