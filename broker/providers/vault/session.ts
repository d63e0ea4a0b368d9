import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { denied, invalid, jsonOf, readJson } from "../call.ts"
import { type Asked, refused, refuseWrapped, says, type Vault } from "./api.ts"

/** What Vault says of a token that it gave for the broker's. */
export interface Login {
  readonly token: Secret<string>
  readonly seconds: number
  readonly isRenewable: boolean
  readonly type: string
  readonly policies: readonly string[]
  /** 0: as often as it likes. */
  readonly uses: number
  /** The role that it was given for, where Vault says so. */
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
      "Vault wants a second factor at this login, and no job has one. Leave the JWT auth method out of the login enforcement"
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
 * The token of an answer that may be refused otherwise: it is good whatever else the answer says. Null where there is none,
 * or one that nobody can revoke.
 */
export function revocableTokenOf(response: HttpResponse): Secret<string> | null {
  const answer = response.status === 200 ? memberOf(jsonOf(response), "auth") : undefined
  const token = clientToken.safeParse(memberOf(answer, "client_token"))
  return token.success && memberOf(answer, "token_type") !== "batch" ? new Secret(token.data) : null
}

/** Phrases of the JWT auth method's refusals, in Vault and OpenBao, and what to change for a token with this `sub`. */
const refusalsOf = (subject: string): readonly (readonly [phrase: string, remedy: string])[] => [
  ["invalid audience (aud) claim", "the role's bound_audiences do not name the connection's audience"],
  ["invalid subject (sub) claim", `the role's bound_subject is not the grant's, which is ${subject}, to the letter`],
  ["error validating claims", "the role's bound_claims do not admit this job"],
  ["invalid issuer (iss) claim", "the auth method's bound_issuer is not the broker's URL"],
  [
    "error verifying token signature",
    "Vault could not verify the broker's token. See that the auth method's oidc_discovery_url is the broker's URL, and that Vault reaches it",
  ],
  ["invalid expiration time (exp) claim", "Vault held the broker's token to be expired. Check the clocks of both"],
  ["invalid not before (nbf) claim", "Vault held the broker's token to be of the future. Check the clocks of both"],
  ["could not be found", "the auth method has no such role. Check the grant's role, and the connection's mount"],
  ["could not load configuration", "the auth method at the connection's mount is not configured"],
  ["cannot create root tokens", "the role gives the policy root, which no login can have. Take it off the role"],
]

const ELSEWHERE =
  "there is no JWT auth method at the connection's mount, or not in its namespace, or the role is bound to addresses (token_bound_cidrs) that the broker's is not among"

function refusedLogin(vault: Vault, response: HttpResponse, role: string, subject: string) {
  const known = refusalsOf(subject).find(([phrase]) => says(response, phrase))?.[1]
  const { status } = response
  const remedy = known ?? (status === 403 || status === 404 ? ELSEWHERE : "Vault's log and audit log have the reason")
  return refused(vault, response, `the login with the role ${role} failed: ${remedy}`)
}

/**
 * Refuses a token that is not what was asked for, or that the broker could not keep its promises with.
 *
 * @param isHeld the token stays, because what the job gets ends with it
 * @throws {BrokerError}
 */
export function accept({ side }: Vault, role: string, login: Login, isHeld: boolean): void {
  if (login.role !== null && login.role !== role) throw invalid(side, "is a login with another role")
  if (login.policies.includes("root")) throw invalid(side, "is a token with the policy root")
  if (login.uses > 0) {
    throw denied(
      side,
      `tokens of the role ${role} end after a number of uses, in the middle of the work. Set its token_num_uses to 0`,
    )
  }
  if (isHeld && login.type === "batch") {
    throw denied(side, `the role ${role} gives batch tokens, which nobody can revoke. Set its token_type to service`)
  }
}
