import * as z from "zod"
import { origin, uuid } from "../service.ts"
import { variable } from "../variable.ts"

/**
 * Entra chooses how long a token lives, and nobody can ask for less: 60 to 90 minutes for an application, a day for a
 * managed identity, and 10 minutes to a day where a token lifetime policy says so (Microsoft's "Access tokens in the
 * Microsoft identity platform", "Configurable token lifetimes", and the FAQ on managed identities). So a grant says 90
 * minutes or more, and whoever reads the policy sees what a job gets.
 */
export const MIN_TTL_SECONDS = 5_400
export const MAX_TTL_SECONDS = 86_400

/** What every connection to Entra says. Its keys are those of the vendor's further kinds, too. */
export const entra = {
  /** By its id, and not by a domain: a domain can be given up, and be verified by another tenant. */
  tenant: uuid("a tenant").meta({ description: "The tenant's id." }),
  /**
   * The audience that the federated credential names. Of this family only: a token for another audience might be good
   * somewhere else, and for this family `identity-token` hands out none.
   */
  audience: z
    .string()
    .regex(
      /^api:\/\/AzureADTokenExchange[A-Za-z]{0,20}$/,
      "the audience is api://AzureADTokenExchange, or that of a sovereign cloud, such as api://AzureADTokenExchangeUSGov",
    )
    .default("api://AzureADTokenExchange")
    .meta({ description: "The audience that the federated credential names." }),
  authority: origin("an authority", "https://login.microsoftonline.us")
    .default("https://login.microsoftonline.com")
    .meta({ description: "Entra elsewhere: a sovereign cloud's, or a private endpoint that leads there." }),
}

/** What `entra` makes of a connection's text. */
export type Entra = z.infer<z.ZodObject<typeof entra>>

/** What the organisation file says of a way to Entra. */
export const connection = z.strictObject({
  ...entra,
  client_ids: z
    .array(uuid("a client id"))
    .min(1)
    .meta({ description: "Applications and managed identities that grants may name." }),
  federated_tokens: z.boolean().default(false).meta({
    description: "Grants may hand the job the broker's own token, which is good for any scope of its client.",
  }),
  subscription: uuid("a subscription").optional().meta({
    description: "What the job's tools take for their subscription, unless the grant names one. It gives no access.",
  }),
})

export type Connection = z.infer<typeof connection>

const MAX_RESOURCE_LENGTH = 256

/** An https URL, an `api:` URI or a client id: how applications in Entra are called. Nothing that ends a form's field. */
const RESOURCE =
  "(?:https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:/[A-Za-z0-9._~-]+)*/?|api://[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

/** What a policy offers of Entra: an access token for one resource, or the broker's own token for any of them. */
export const grant = z.strictObject({
  client_id: uuid("a client id").meta({ description: "One of the connection's client_ids." }),
  scope: z
    .string()
    .max(MAX_RESOURCE_LENGTH + "/.default".length)
    .regex(
      new RegExp(`^${RESOURCE}/\\.default$`),
      "a scope is one resource and /.default, such as https://management.azure.com/.default",
    )
    .optional()
    .meta({ description: "The resource and /.default, which is all that the client may do there." }),
  resource: z
    .string()
    .max(MAX_RESOURCE_LENGTH)
    .regex(new RegExp(`^${RESOURCE}$`), "a resource is a URL or a client id, such as https://vault.azure.net")
    .optional()
    .meta({ description: "The scope without its end." }),
  federated_token: z
    .literal(true)
    .optional()
    .meta({ description: "The broker's own token in place of an access token, for tools that log in themselves." }),
  env: variable.optional().meta({ description: "The variable that the job finds the access token in." }),
  subscription: uuid("a subscription").optional(),
})

export type Grant = z.infer<typeof grant>

/** The one scope of a grant; null for one that gives the broker's own token, which has none. */
export function scopeOf({ scope, resource }: Pick<Grant, "scope" | "resource">): string | null {
  if (scope !== undefined) return scope
  return resource === undefined ? null : `${resource}/.default`
}

/**
 * A grant as boundaries see it: `scope` and `resource` both, whichever it says, so that a ceiling over one is a ceiling
 * over the other. One that gives the broker's own token has neither, and is outside of every ceiling over them.
 */
export function reachOf(grant: unknown): unknown {
  if (typeof grant !== "object" || grant === null) return grant
  const { scope, resource } = grant as { readonly scope?: unknown; readonly resource?: unknown }
  if (typeof scope === "string") return { ...grant, resource: scope.replace(/\/\.default$/, "") }
  if (typeof resource === "string") return { ...grant, scope: `${resource}/.default` }
  return grant
}
