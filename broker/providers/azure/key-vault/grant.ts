import * as z from "zod"
import { fail, ok, type Result } from "../../../core/result.ts"
import { fieldFault, isUrl, splitField } from "../../field.ts"
import { origin, uuid } from "../../service.ts"
import { storeSettings } from "../../store.ts"
import { entra } from "../grant.ts"

/**
 * Names of secrets (Microsoft's "Azure Key Vault keys, secrets and certificates overview"), in small letters alone: to
 * Key Vault case does not count, to a ceiling it does, and one thing must have one spelling.
 */
const NAME = /^[0-9a-z-]{1,127}$/
const VERSION = /^[0-9a-f]{32}$/

/** What the organisation file says of a way to one vault. */
export const connection = z
  .strictObject({
    ...entra,
    client_id: uuid("a client id").meta({
      description: "Whom the vault knows: an application or a managed identity that trusts the broker.",
    }),
    vault: z
      .string()
      .regex(
        /^(?=.{3,24}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
        "a vault is its name in small letters, such as acme-prod; anything else goes into url",
      )
      .optional()
      .meta({ description: "A vault of the public cloud." }),
    url: origin("a vault's URL", "https://acme-prod.vault.azure.cn")
      .optional()
      .meta({ description: "Any other: a sovereign cloud's, or a private way to one." }),
    ...storeSettings,
  })
  .refine(
    ({ vault, url }) => (vault === undefined) !== (url === undefined),
    "a connection has exactly one of vault and url",
  )

export type Connection = z.infer<typeof connection>

/** The vault's own URL, with which the ids of its secrets begin. */
export const vaultUrl = ({ vault, url }: Pick<Connection, "vault" | "url">): string =>
  url ?? `https://${vault}.vault.azure.net`

/** The sovereign clouds' vaults: each cloud's Entra gives tokens for its own. */
const SOVEREIGN = ["vault.azure.cn", "vault.usgovcloudapi.net"]

/** What a token for the vault is asked for. What is none of a sovereign cloud's counts as the public cloud's. */
export function scopeOf(settings: Pick<Connection, "vault" | "url">): string {
  const { hostname } = new URL(vaultUrl(settings))
  return `https://${SOVEREIGN.find((domain) => hostname.endsWith(`.${domain}`)) ?? "vault.azure.net"}/.default`
}

/** Which version of which secret. */
export interface Place {
  readonly name: string
  /** Null for the current one. */
  readonly version: string | null
}

/** Parses `NAME[@VERSION]`, with `#FIELD` behind it or not. */
export function parseLocator(locator: string): Result<Place, string> {
  const { place, field } = splitField(locator)
  const fault = fieldFault(field)
  if (fault !== null) return fail(fault)
  if (isUrl(locator)) return fail(urlFault(place, field))
  const [name = "", version = null, ...more] = place.split("@")
  if (NAME.test(name.toLowerCase()) && !NAME.test(name))
    return fail("has capital letters: write the name in small ones, which is the same to Key Vault")
  if (!NAME.test(name) || more.length > 0)
    return fail("is not of the form NAME[@VERSION]: a secret's name alone, of small letters, digits and -")
  if (version !== null && !VERSION.test(version))
    return fail("has a version that is none of Key Vault's: 32 digits and small letters from a to f")
  return ok({ name, version })
}

/** Key Vault names a secret by a URL, its identifier, which has the vault in it. */
function urlFault(url: string, field: string | null): string {
  const [, name, version] = /^[^/]+\/\/[^/]+\/secrets\/([^/]+)(?:\/([^/]+))?$/.exec(url) ?? []
  const meant = name === undefined ? "NAME[@VERSION]" : [name.toLowerCase(), version].filter(Boolean).join("@")
  return `is a URL; the vault is the connection's, so write ${meant}${field === null ? "" : `#${field}`}`
}
