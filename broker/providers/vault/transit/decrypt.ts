import * as z from "zod"
import type { HttpResponse } from "../../../ports/http.ts"
import { bytesOfBase64 } from "../../bytes.ts"
import { readJson } from "../../call.ts"
import type { KeyRequest, KeyThrough, WrappedKey } from "../../key-service.ts"
import { withLogin } from "../../login.ts"
import type { ProviderIo } from "../../provider.ts"
import { retryTransient } from "../../retry.ts"
import { type Asked, ask, refused, refuseWrapped, says, type Vault, vaultOf } from "../api.ts"
import type { Connection } from "../grant.ts"
import { after, logIn } from "../login.ts"
import { type Entry, keyParts } from "./key.ts"

/**
 * Decrypts at the connection's own URL: the address in a key's URI only names the key, because people may reach Vault
 * elsewhere than the broker does.
 *
 * @throws {BrokerError} `provider_*`
 */
export async function decrypt(
  wrapped: WrappedKey,
  { entry, settings }: KeyThrough<Entry, Connection>,
  request: KeyRequest,
  io: ProviderIo,
): Promise<Uint8Array<ArrayBuffer>> {
  const vault = vaultOf(request.connectionName, settings)
  const { role } = entry
  const make = async () => {
    const from = io.now()
    const login = await logIn(vault, { ...request, connection: settings, grant: { role } }, false, io)
    return { value: login.token, endsAt: after(from, login.seconds) }
  }
  return await withLogin(io, role, make, (token) =>
    retryTransient(io, async () =>
      readPlaintext(vault, await ask(vault, { ...buildDecrypt(entry, wrapped), token }, io), entry),
    ),
  )
}

/** Builds the request. Source: Vault's HTTP API, Transit, "Decrypt data". */
export function buildDecrypt({ key }: Entry, { ciphertext }: Pick<WrappedKey, "ciphertext">): Asked {
  const { mount, name } = keyParts(key)
  return { method: "POST", path: `${mount}/decrypt/${name}`, body: { ciphertext } }
}

const answer = z.object({ data: z.object({ plaintext: z.base64() }) })

/** Phrases of the transit engine, in Vault and OpenBao, with the end of a sentence that begins with the key. */
const REFUSALS: readonly (readonly [phrase: string, remedy: string])[] = [
  ["encryption key not found", "does not exist in that mount"],
  ["no handler for route", "is in a mount that does not exist, or is of another kind than transit"],
  ["unsupported path", "is in a mount of another kind than transit"],
  [
    "ciphertext or signature version is disallowed by policy",
    "no longer decrypts with the version that encrypted the file: it is too old. Run sops updatekeys on the file, or lower min_decryption_version",
  ],
  [
    "invalid ciphertext",
    "did not encrypt this file's data key. Restore the file from Git, or run sops updatekeys on it",
  ],
  [
    "message authentication failed",
    "did not encrypt this file's data key. Restore the file from Git, or run sops updatekeys on it",
  ],
]

/** @throws {BrokerError} `provider_*` */
export function readPlaintext(vault: Vault, response: HttpResponse, { key, role }: Entry): Uint8Array<ArrayBuffer> {
  if (response.status !== 200) {
    const known = REFUSALS.find(([phrase]) => says(response, phrase))?.[1]
    const { mount, name } = keyParts(key)
    const remedy =
      response.status === 403
        ? `may not be used with the role ${role}: its policy needs update on ${mount}/decrypt/${name}`
        : (known ?? "cannot be used. Vault's audit log has the reason")
    throw refused(vault, response, `the key ${key} ${remedy}`)
  }
  refuseWrapped(vault, response)
  return bytesOfBase64(readJson(vault.side, response, answer, "a decrypted key").data.plaintext)
}
