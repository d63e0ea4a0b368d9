import * as z from "zod"
import { FAMILY_FACTS } from "../families/families.ts"
import { KEY_TYPES, MAX_KID_CHARACTERS } from "../public-key.ts"
import { claimName, nonEmpty, plainUrl } from "./schema-words.ts"

const WITHOUT_SERVER = [...FAMILY_FACTS.values()].flatMap(({ name, fixedUrl }) =>
  fixedUrl === undefined ? [] : [name],
)

/** The loader, which knows the family, demands it. */
export const issuerUrl = plainUrl("an issuer's URL")
  .optional()
  .meta({
    description: `The iss of its tokens. Left out only where the issuer is no server: ${WITHOUT_SERVER.join(", ")}.`,
  })

/** Editors demand the URL as the loader does. */
export const issuerForms: z.core.JSONSchema.BaseSchema[] = [
  { required: ["url"] },
  { properties: { family: { enum: WITHOUT_SERVER } } },
]

/**
 * One key of a JWK set (RFC 7517). The other members depend on its type: `readPublicKey` checks them. Unknown ones are
 * ignored.
 */
export const publicJwk = z.looseObject({ kty: z.enum(KEY_TYPES), kid: z.string().min(1).max(MAX_KID_CHARACTERS) })

/** The keys of an issuer that say how its tokens are read: by which public keys, and which claims say what. */
export const issuerKeys = {
  jwks: z
    .strictObject({ keys: z.array(publicJwk).min(1) })
    .optional()
    .meta({
      description: "Its public keys, for an issuer that the broker cannot reach: a JWK set. Nothing is fetched.",
    }),
  jwks_url: plainUrl("jwks_url").optional().meta({
    description: "Where its JWK set is, if its discovery document does not say so or cannot be reached.",
  }),
  claims: nonEmpty(z.record(z.string(), claimName))
    .meta({
      description: "Which of the token's claims say what, for families whose administrators choose the names.",
      minProperties: 1,
    })
    .optional(),
}
