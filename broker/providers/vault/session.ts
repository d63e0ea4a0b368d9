import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { denied, invalid, jsonOf, readJson } from "../call.ts"
import { type Asked, refused, refuseWrapped, says, type Vault } from "./api.ts"

/** Vault's description of a token that it issued for the broker's identity token. */
export interface Login {
  readonly token: Secret<string>
  readonly seconds: number
  readonly isRenewable: boolean
  readonly type: string
  readonly policies: readonly string[]
  /** 0: unlimited. */
  readonly uses: number
  /** The role of the login, if Vault names it. */
  readonly role: string | null
}

export const buildLogin = (mount: string, role: string, jwt: Secret<string>): Asked => ({
  method: "POST",
  path: `auth/${mount}/login`,
  body: { role, jwt: jwt.reveal() },
})

export const seconds = z
  .int()
  .min(1)
  .max(10 * 366 * 86_400)

const clientToken = z.string().regex(/^[!-~]{1,8192}$/)
const auth = z.object({
  auth: z.object({
    client_token: clientToken,
    lease_duration: seconds,
    renewable: z.boolean(),
    token_type: z.enum(["service", "batch"]),
    policies: z.array(z.string()),
    num_uses: z.int().min(0).default(0),
    metadata: z.record(z.string(), z.string()).nullish(),
  }),
})

/** @throws {BrokerError} `provider_denied` with what to change, `provider_response_invalid` */
export function readLogin(
  vault: Vault,
  response: HttpResponse,
  { role, subject }: { readonly role: string; readonly subject: string },
): Login {
  if (response.status !== 200) throw refusedLogin(vault, response, role, subject)
  refuseWrapped(vault, response)
  const answer = memberOf(jsonOf(response), "auth")
  if ((memberOf(answer, "mfa_requirement") ?? null) !== null) {
    const remedy =
      "Vault requires a second factor for this login, which a job does not have. Exclude the JWT auth method from the login enforcement"
    throw denied(vault.side, remedy)
  }
  const { auth: got } = readJson(vault.side, response, auth, "a login")
  return {
    token: new Secret(got.client_token),
    seconds: got.lease_duration,
    isRenewable: got.renewable,
    type: got.token_type,
    policies: got.policies,
    uses: got.num_uses,
    role: got.metadata?.["role"] ?? null,
  }
}

/**
 * The token of an answer, even if the answer is refused for another reason: the token is valid anyway. Null when there is
 * no token, or when it cannot be revoked.
 */
export function revocableTokenOf(response: HttpResponse): Secret<string> | null {
  const answer = response.status === 200 ? memberOf(jsonOf(response), "auth") : undefined
  const token = clientToken.safeParse(memberOf(answer, "client_token"))
  return token.success && memberOf(answer, "token_type") !== "batch" ? new Secret(token.data) : null
}

/** Phrases of the JWT auth method's refusals, in Vault and OpenBao, and what to change for a token with this `sub`. */
const refusalsOf = (subject: string): readonly (readonly [phrase: string, remedy: string])[] => [
  ["invalid audience (aud) claim", "the role's bound_audiences do not name the connection's audience"],
  [
    "no audiences bound to the role",
    "the role has no bound_audiences, and the broker's token always has an audience. Set the role's bound_audiences to the connection's audience",
  ],
  ["invalid subject (sub) claim", `the role's bound_subject must be exactly the grant's subject, ${subject}`],
  ["error validating claims", "the role's bound_claims do not allow this job"],
  ["invalid issuer (iss) claim", "the auth method's bound_issuer must be the broker's URL"],
  [
    "error verifying token signature",
    "Vault could not verify the broker's token. Check that the auth method's oidc_discovery_url is the broker's URL, and that Vault can reach it",
  ],
  [
    "invalid expiration time (exp) claim",
    "for Vault, the broker's token has expired. Check the clocks of Vault and the broker",
  ],
  [
    "invalid issued at (iat) claim",
    "for Vault, the broker's token was issued in the future. Check the clocks of Vault and the broker",
  ],
  [
    "invalid not before (nbf) claim",
    "for Vault, the broker's token is not valid yet. Check the clocks of Vault and the broker",
  ],
  [
    "error configuring token validator",
    "Vault could not get the broker's keys. Check that the auth method's oidc_discovery_url is the broker's URL, that Vault can reach it, and that oidc_discovery_ca_pem fits its certificate",
  ],
  [
    "role with oidc role_type is not allowed",
    "the role is for people who log in with a browser. Set its role_type to jwt",
  ],
  ["could not be found", "the auth method has no such role. Check the grant's role, and the connection's mount"],
  ["could not load configuration", "the auth method at the connection's mount is not configured"],
  ["cannot create root tokens", "the role has the policy root, which a login cannot have. Remove it from the role"],
]

const ELSEWHERE =
  "there is no JWT auth method at the connection's mount and namespace, or the role is bound to addresses (token_bound_cidrs) that do not include the broker's"

function refusedLogin(vault: Vault, response: HttpResponse, role: string, subject: string) {
  const known = refusalsOf(subject).find(([phrase]) => says(response, phrase))?.[1]
  const { status } = response
  const remedy = known ?? (status === 403 || status === 404 ? ELSEWHERE : "Vault's log and audit log have the reason")
  return refused(vault, response, `the login with the role ${role} failed: ${remedy}`)
}

/**
 * Refuses a token that differs from the request, or that the broker could not revoke or use as needed.
 *
 * @param isHeld the token is kept, because the job's credential ends with it
 * @throws {BrokerError}
 */
export function accept({ side }: Vault, role: string, login: Login, isHeld: boolean): void {
  if (login.role !== null && login.role !== role) throw invalid(side, "is a login with another role")
  if (login.policies.includes("root")) throw invalid(side, "is a token with the policy root")
  if (login.uses > 0) {
    throw denied(
      side,
      `tokens of the role ${role} end after a limited number of uses, which the broker may exceed. Set its token_num_uses to 0`,
    )
  }
  if (isHeld && login.type === "batch") {
    throw denied(side, `the role ${role} issues batch tokens, which cannot be revoked. Set its token_type to service`)
  }
}
