import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { denied, jsonOf, readJson } from "../call.ts"
import type { ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { type Asked, ask, REVOKE_SELF, type Vault } from "./api.ts"
import { type Login, seconds } from "./session.ts"

/** What the broker knows about a token that it holds for a job. */
export interface Held {
  readonly seconds: number
  /** The token is valid only from some addresses, or Vault does not say. */
  readonly isBoundToAddresses: boolean
  /**
   * The maximum lifetime including renewals, counted from the start; 0 when there is no maximum. Null: Vault does not say.
   */
  readonly explicitMaxSeconds: number | null
}

/**
 * Checks that a token can be revoked, and sets its lifetime to the granted time if Vault allows it. A renewal can lengthen
 * or shorten it, because its increment counts from now.
 *
 * @throws {BrokerError} `provider_denied` when the token may not revoke itself, or when it can be renewed without end
 */
export async function hold(vault: Vault, login: Login, ttlSeconds: number, io: ProviderIo): Promise<Held> {
  const asking = (asked: Asked) => retryTransient(io, () => ask(vault, { ...asked, token: login.token }, io))
  const isAsGranted = login.seconds === ttlSeconds || !login.isRenewable
  const [capabilities, itself, renewed] = await Promise.all([
    asking({ method: "POST", path: "sys/capabilities-self", body: { paths: [REVOKE_SELF] } }),
    asking({ method: "GET", path: "auth/token/lookup-self" }),
    isAsGranted ? null : asking({ method: "POST", path: "auth/token/renew-self", body: { increment: ttlSeconds } }),
  ])
  if (!mayRevokeItself(capabilities)) {
    throw denied(
      vault.side,
      "the role's tokens may not revoke themselves, so the broker could not revoke what was minted. Keep Vault's policy default on the role, or allow update on auth/token/revoke-self and sys/capabilities-self",
    )
  }
  const known = readItself(itself)
  if (known !== null && known.period > 0) {
    throw denied(
      vault.side,
      "the role issues periodic tokens, which their holder can renew without end. Set its token_period to 0",
    )
  }
  return {
    // When Vault refuses the renewal, the token keeps its own end.
    seconds: renewed?.status === 200 ? readRenewed(vault, renewed) : login.seconds,
    isBoundToAddresses: known === null || known.bound_cidrs.length > 0,
    explicitMaxSeconds: known?.explicit_max_ttl ?? null,
  }
}

function mayRevokeItself(response: HttpResponse): boolean {
  const capabilities = memberOf(memberOf(jsonOf(response), "data"), REVOKE_SELF)
  return (
    response.status === 200 &&
    Array.isArray(capabilities) &&
    capabilities.some((one) => one === "update" || one === "root")
  )
}

/** The answer of a token's self-lookup. Vault leaves out `period` and `bound_cidrs` when they are not set. */
const itself = z.object({
  explicit_max_ttl: z.int().min(0),
  period: z
    .int()
    .min(0)
    .nullish()
    .transform((value) => value ?? 0),
  bound_cidrs: z
    .array(z.unknown())
    .nullish()
    .transform((value) => value ?? []),
})

/** Null when the token may not look itself up, or Vault answers in another form. */
function readItself(response: HttpResponse): z.output<typeof itself> | null {
  const parsed = itself.safeParse(memberOf(jsonOf(response), "data"))
  return response.status === 200 && parsed.success ? parsed.data : null
}

const renewal = z.object({ auth: z.object({ lease_duration: seconds }) })

const readRenewed = ({ side }: Vault, response: HttpResponse): number =>
  readJson(side, response, renewal, "a renewal").auth.lease_duration
