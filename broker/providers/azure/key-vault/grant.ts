import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../../field.ts"
import { origin, uuid } from "../../service.ts"
import { storeSettings } from "../../store.ts"
import { entra } from "../grant.ts"
import { scopeOfVault } from "./vaults.ts"

/**
 * Names of secrets (Microsoft's "Azure Key Vault keys, secrets and certificates overview"), only in lower case. Key Vault
 * ignores case, but boundaries do not, and each secret must have only one spelling.
 */
const NAME = /^[0-9a-z-]{1,127}$/
const VERSION = /^[0-9a-f]{32}$/

/** A connection to one vault in the organisation file. */
export const connection = z
  .strictObject({
    ...entra,
    client_id: uuid("a client id").meta({
      description: "The application or managed identity that trusts the broker and that the vault knows.",
    }),
    vault: z
      .string()
      .regex(
        /^(?=.{3,24}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
        "a vault must be its name in lower case, such as acme-prod; for anything else use url",
      )
      .optional()
      .meta({ description: "The name of a vault in the public cloud." }),
    url: origin("a vault's URL", "https://acme-prod.vault.azure.cn")
      .optional()
      .meta({ description: "The URL of any other vault: in a sovereign cloud, or behind a private endpoint." }),
    ...storeSettings,
  })
  .refine(
    ({ vault, url }) => (vault === undefined) !== (url === undefined),
    "a connection must have exactly one of vault and url",
  )

export type Connection = z.infer<typeof connection>

/** The vault's URL. The ids of its secrets begin with it. */
export const vaultUrl = ({ vault, url }: Pick<Connection, "vault" | "url">): string =>
  url ?? `https://${vault}.vault.azure.net`

/** The scope of a token for the vault. */
export const scopeOf = (settings: Pick<Connection, "vault" | "url">): string => scopeOfVault(vaultUrl(settings))

/** A secret and its version. */
export interface Place {
  readonly name: string
  /** Null for the current version. */
  readonly version: string | null
}

/** Parses `NAME[@VERSION]`, with or without `#FIELD` after it. */
export function parseLocator(locator: string): Result<Place, string> {
  const { place, field } = splitField(locator)
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  if (isUrl(locator)) return fail(urlFault(place, field))
  const [name = "", version = null, ...more] = place.split("@")
  if (NAME.test(name.toLowerCase()) && !NAME.test(name))
    return fail("must be in lower case: Key Vault ignores case, so the name stays the same")
  if (!NAME.test(name) || more.length > 0)
    return fail("must have the form NAME[@VERSION]: only the secret's name, of lower-case letters, digits and -")
  if (version !== null && !VERSION.test(version))
    return fail("must have a version of Key Vault's form: 32 digits and lower-case letters from a to f")
  return ok({ name, version })
}

/** Key Vault names a secret by a URL, its identifier, which has the vault in it. */
function urlFault(url: string, field: string | null): string {
  const [, name, version] = /^[^/]+\/\/[^/]+\/secrets\/([^/]+)(?:\/([^/]+))?$/.exec(url) ?? []
  const meant = name === undefined ? "NAME[@VERSION]" : [name.toLowerCase(), version].filter(Boolean).join("@")
  return `is a URL; the vault is the connection's, so write ${meant}${field === null ? "" : `#${field}`}`
}
