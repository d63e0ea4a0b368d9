import { CAUTION_ROWS } from "./cautions.ts"
import { type ClaimFact, type ClaimTable, TOKEN_CLAIMS, type ValueFact } from "./claim-fact.ts"
import type { FamilyFacts } from "./family-facts.ts"

type More = Partial<ClaimFact>
type Row = [claim: string, fact: ClaimFact]
const about =
  (tells: ClaimFact["tells"], sent: ClaimFact["sent"]) =>
  (claim: string, summary: string, more: More = {}): Row => [claim, { summary, sent, tells, ...more }]

const token = about("token", "always")
/** What a provider knows of a person. Its administrators can change it, and which of it a token has is their choice. */
const person = about("setting", "by-some-issuers")
const login = about("job", "by-some-issuers")

const [AUD, EXP, IAT, JTI, NBF] = TOKEN_CLAIMS
const OPTIONAL: More = { registered: true, sent: "by-some-issuers" }
/** Many providers let people edit these themselves. */
const ANYBODY: More = { chosenBy: "outsider" }

/**
 * What ID tokens of people say. Sources: OpenID Connect Core 1.0, sections 2 and 5.1, and the pages of Google, Microsoft
 * Entra ID, Okta, Keycloak and Cloudflare Access about their own claims.
 *
 * `email_verified` is about the claim beside it and not about the person: it constrains no rule.
 */
const CLAIMS: ClaimTable = new Map<string, ClaimFact>([
  about("unit", "always")("iss", "the issuer's URL", { registered: true }),
  about("unit", "always")("sub", "the person's id at the issuer"),
  token(AUD, "the client that the person signed in to", { registered: true }),
  token(EXP, "when it expires", { registered: true }),
  token(NBF, "from when on it counts", OPTIONAL),
  token(IAT, "when it was issued", { registered: true }),
  token(JTI, "the token's own id", OPTIONAL),
  token("azp", "the client that asked for the token", { sent: "by-some-issuers" }),
  token("nonce", "the client's own mark", { sent: "by-some-issuers" }),
  token("auth_time", "when the person signed in", { sent: "by-some-issuers", type: "number" }),

  person("email", "the person's address; missing unless the issuer says that it is verified", {
    samples: ["person@example.com"],
  }),
  token("email_verified", "whether the issuer verified the address", {
    sent: "by-some-issuers",
    type: "any",
    values: new Map<string, ValueFact>([
      ["true", {}],
      ["false", {}],
    ]),
    samples: ["true"],
  }),
  person("groups", "the person's groups", { type: "texts", samples: ["engineering"] }),
  person("roles", "the person's roles", { type: "any" }),
  person("hd", "the Google Workspace domain that the account belongs to", { samples: ["example.com"] }),
  person("oid", "the person's object id in Entra ID, the same for every client"),
  person("tid", "the tenant's id in Entra ID"),
  person("preferred_username", "the name to sign in with", ANYBODY),
  person("name", "the person's whole name", ANYBODY),
  login("acr", "how strong the login was, by a name of the issuer's"),
  login("amr", "how the person signed in, by the names of RFC 8176", { type: "texts", samples: ["mfa"] }),
  ...CAUTION_ROWS,
])

/**
 * OpenID Connect Core 1.0, section 2: at most 255 characters of ASCII, and case matters. No provider makes one with a star,
 * which policies and trust documents read as a wildcard.
 */
const SUBJECT = /^[!-)+-~]{1,255}$/

/**
 * People, who sign in at the company's own provider. The issuer is the owner of them all, so one that serves several tenants
 * under one URL cannot be listed.
 */
export const OPENID: FamilyFacts<"openid"> = {
  name: "openid",
  title: "OpenID Connect",
  unit: "person",
  claims: CLAIMS,
  roles: { unitId: "sub", unit: "email", actor: "email", actorId: "sub" },
  unitId: {
    pattern: SUBJECT,
    words: "a person's id is the sub of the person's ID token: ASCII without spaces, at most 255 characters",
    // What providers make has 21 digits (Google), 36 characters (Keycloak), 43 (Entra ID): a longer one can be refused late.
    longest: "9".repeat(64),
  },
  patterns: false,
  findId: () => "daypass status, run by that person after daypass login",
  maxTokenLifetimeSeconds: 86_400,
  jti: "sometimes",
  audience: "issuer",
}
