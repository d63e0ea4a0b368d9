import * as z from "zod"
import { parsePlainUrl } from "../../../core/url.ts"
import { uuid } from "../../service.ts"

/** The identifier of a key, with or without a version (Microsoft's "Azure Key Vault keys, secrets and certificates overview"). */
const KEY_ID = /^(https?:\/\/[^/?#\\@\s]+)\/keys\/([0-9A-Za-z-]{1,127})(?:\/([0-9a-f]{32}))?$/

export const entry = z.strictObject({
  key: z
    .string()
    .max(512)
    .refine(
      (id) => isKeyId(id),
      "must be the identifier of a key, as in .sops.yaml, with or without its version: https://acme-prod.vault.azure.net/keys/sops",
    ),
  client_id: uuid("a client id"),
})

export type Entry = z.output<typeof entry>

function isKeyId(id: string): boolean {
  const [, origin = ""] = KEY_ID.exec(id) ?? []
  return parsePlainUrl(origin)?.origin === origin
}

/** The parts of a key's identifier. Only for identifiers that passed the schema. */
export function keyParts(id: string) {
  const [, vault = "", name = "", version = null] = KEY_ID.exec(id) ?? []
  return { vault, name, version }
}
