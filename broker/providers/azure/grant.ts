import * as z from "zod"
import { origin, uuid } from "../service.ts"
import { variable } from "../variable.ts"

/**
 * Entra chooses how long a token lives, and a client cannot ask for less: 60 to 90 minutes for an application, one day for
 * a managed identity, and 10 minutes to one day with a token lifetime policy (Microsoft's "Access tokens in the Microsoft
 * identity platform", "Configurable token lifetimes", and the FAQ on managed identities). So a grant must say 90 minutes or
 * more, and readers of the policy see the real lifetime.
 */
export const MIN_TTL_SECONDS = 5_400
export const MAX_TTL_SECONDS = 86_400

/** The keys of every connection to Entra, also for the vendor's other kinds. */
export const entra = {
  /** The tenant's id, not a domain: a domain can be given up and then verified by another tenant. */
  tenant: uuid("a tenant").meta({ description: "The tenant's id." }),
  /**
   * The audience that the federated credential names. Only this family is allowed: a token for another audience might be
   * accepted elsewhere. For this family, `identity-token` hands out no tokens.
   */
  audience: z
    .string()
    .regex(
      /^api:\/\/AzureADTokenExchange[A-Za-z]{0,20}$/,
      "the audience must be api://AzureADTokenExchange, or that of a sovereign cloud, such as api://AzureADTokenExchangeUSGov",
    )
    .default("api://AzureADTokenExchange")
    .meta({ description: "The audience that the federated credential names." }),
  authority: origin("an authority", "https://login.microsoftonline.us")
    .default("https://login.microsoftonline.com")
    .meta({ description: "Another URL of Entra: of a sovereign cloud, or a private endpoint." }),
}

/** The parsed form of `entra`. */
export type Entra = z.infer<z.ZodObject<typeof entra>>

/** A connection to Entra in the organisation file. */
export const connection = z.strictObject({
  ...entra,
  client_ids: z
    .array(uuid("a client id"))
    .min(1)
    .meta({ description: "Applications and managed identities that grants may name." }),
  federated_tokens: z.boolean().default(false).meta({
    description: "Allows grants to hand out the broker's own token, which is valid for any scope of its client.",
  }),
  subscription: uuid("a subscription").optional().meta({
    description: "The subscription for the job's tools, unless the grant names one. It gives no access.",
  }),
})

export type Connection = z.infer<typeof connection>

const MAX_RESOURCE_LENGTH = 256

/**
 * The name of an application in Entra: an https URL, an `api:` URI or a client id. Without characters that end a form
 * field.
 */
const RESOURCE =
  "(?:https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:/[A-Za-z0-9._~-]+)*/?|api://[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

/** A grant for Entra: an access token for one resource, or the broker's own token for any of them. */
export const grant = z.strictObject({
  client_id: uuid("a client id").meta({ description: "One of the connection's client_ids." }),
  scope: z
    .string()
    .max(MAX_RESOURCE_LENGTH + "/.default".length)
    .regex(
      new RegExp(`^${RESOURCE}/\\.default$`),
      "a scope must be one resource and /.default, such as https://management.azure.com/.default",
    )
    .optional()
    .meta({ description: "The resource and /.default: everything that the client may do there." }),
  resource: z
    .string()
    .max(MAX_RESOURCE_LENGTH)
    .regex(new RegExp(`^${RESOURCE}$`), "a resource must be a URL or a client id, such as https://vault.azure.net")
    .optional()
    .meta({ description: "The scope without /.default." }),
  hand_over: z.literal("federated-token").optional().meta({
    description: "Hands out the broker's own token instead of an access token, for tools that log in themselves.",
  }),
  env: variable.optional().meta({ description: "The job's variable for the access token." }),
  subscription: uuid("a subscription").optional(),
})

export type Grant = z.infer<typeof grant>

/** The scope of a grant; null for a grant of the broker's own token, which has no scope. */
export function scopeOf({ scope, resource }: Pick<Grant, "scope" | "resource">): string | null {
  if (scope !== undefined) return scope
  return resource === undefined ? null : `${resource}/.default`
}

/**
 * The form of a grant that boundaries check: it has both `scope` and `resource`, whichever the grant says, so that a
 * ceiling over one also limits the other. A grant of the broker's own token has neither, so it is outside of every ceiling
 * over them.
 */
export function reachOf(grant: unknown): unknown {
  if (typeof grant !== "object" || grant === null) return grant
  const { scope, resource } = grant as { readonly scope?: unknown; readonly resource?: unknown }
  if (typeof scope === "string") return { ...grant, resource: scope.replace(/\/\.default$/, "") }
  if (typeof resource === "string") return { ...grant, scope: `${resource}/.default` }
  return grant
}
