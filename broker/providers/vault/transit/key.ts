import * as z from "zod"
import { parsePlainUrl } from "../../../core/url.ts"
import { isSystemPath } from "../engines.ts"
import { roleName } from "../grant.ts"
import { isPath } from "../locator.ts"

/** What SOPS calls the key's URI: Vault's address, the mount of the transit engine, the name of the key. */
const KEY_URI = /^(https?:\/\/[^/?#\\@\s]+)\/v1\/([^?#\s]+)\/keys\/([A-Za-z0-9_.-]{1,128})$/

export const entry = z.strictObject({
  key: z
    .string()
    .max(512)
    .refine(
      (uri) => isKeyUri(uri),
      "must be the URI of a key, as in .sops.yaml: https://vault.example.com:8200/v1/sops/keys/shop",
    ),
  role: roleName,
})

export type Entry = z.output<typeof entry>

function isKeyUri(uri: string): boolean {
  const { address, mount, name } = keyParts(uri)
  return parsePlainUrl(address)?.origin === address && isPath(`${mount}/${name}`) && !isSystemPath(`${mount}/${name}`)
}

/** The parts of a key's URI; empty for any other text. */
export function keyParts(uri: string) {
  const [, address = "", mount = "", name = ""] = KEY_URI.exec(uri) ?? []
  return { address, mount, name }
}
