import { BrokerError } from "../../core/errors.ts"
import type { Identity } from "../../core/identity.ts"
import { boundariesConcerning } from "../../core/policy/ceiling.ts"
import { isOwnerListed } from "../../core/policy/decide.ts"
import type { Organisation } from "../../core/policy/model.ts"
import type { ProviderSchemaTable } from "../../core/policy/provider-schemas.ts"
import type { Refusal } from "../../github/answer.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Log } from "../../ports/log.ts"
import type { PoliciesInForce, PolicySource } from "../../ports/policy-source.ts"
import { createOwnPolicies, type OwnPolicies } from "./own-policies.ts"
import type { RepositoryPolicyReader } from "./repository-policies.ts"
import { createRepositoryReadings, RETRY_MS, STALE_MS, type Standing } from "./repository-readings.ts"
import { explainRefusal, timeOf, wallTime } from "./sentences.ts"

export interface RepositoryPolicyOptions {
  /** Null when the broker has no GitHub App. */
  readonly reader: RepositoryPolicyReader | null
  /** The issuer whose repositories the App can be installed on: the exact `iss`. */
  readonly issuerUrl: string
  readonly clock: Clock
  readonly providers: ProviderSchemaTable
  readonly log: Log
}

/**
 * Adds to a source the policies that repositories keep in `.github/daypass`. The organisation file must allow this for the
 * issuer, and a boundary must concern the repository: without a boundary such policies have no effect.
 *
 * GitHub is asked only about repositories of listed owners. An answer is cached for one minute. While GitHub does not
 * answer, the last confirmed policies stay in force for up to ten minutes, and the trace says so. After that the job is
 * refused. A repository has no policies only when GitHub says so.
 */
export function withRepositoryPolicies(source: PolicySource, options: RepositoryPolicyOptions): PolicySource {
  const { reader, issuerUrl, clock, providers, log } = options
  const readings = reader === null ? null : createRepositoryReadings(reader, clock)
  const own = createOwnPolicies(providers, log, clock)

  async function add(base: PoliciesInForce, organisation: Organisation, identity: Identity): Promise<PoliciesInForce> {
    if (!areConsulted(organisation, identity, base)) return base
    if (readings === null) throw new BrokerError("policy_unavailable", NO_APP)
    if (identity.issuerUrl !== issuerUrl) throw new BrokerError("policy_unavailable", OTHER_ISSUER)
    const standing = await readings.current(identity)
    const now = clock.now()
    // When GitHub says that the policies are gone or not visible, the last good files must not come back.
    if (standing.outcome === "unknown" || standing.kept.outcome === "absent") own.forget(identity)
    if (standing.outcome === "unknown") throw unavailable(standing.refusal, identity, now)
    const notes = [...base.notes, ...staleNotes(standing, identity, clock)]
    if (standing.kept.outcome === "absent") return { ...base, notes }
    return join(base, notes, own.of({ ...standing, kept: standing.kept }, identity, organisation))
  }

  return {
    async snapshot() {
      const snapshot = await source.snapshot()
      const { organisation } = snapshot
      return {
        ...snapshot,
        policiesOf: async (identity) => add(await snapshot.policiesOf(identity), organisation, identity),
      }
    },
    status: () => source.status(),
  }
}

function areConsulted(organisation: Organisation, identity: Identity, base: PoliciesInForce): boolean {
  if (organisation.issuers.get(identity.issuer)?.repositoryPolicies !== true) return false
  // Anyone with a CI account has a valid token. Only a listed owner's token may cause requests to GitHub.
  if (!isOwnerListed(identity, organisation.issuers)) return false
  return boundariesConcerning(organisation, identity, base.policies).length > 0
}

function join(base: PoliciesInForce, notes: readonly string[], added: OwnPolicies): PoliciesInForce {
  return {
    policies: [...base.policies, ...added.policies],
    version: `${base.version}+${added.treeSha}`,
    notes: [...notes, ...added.notes],
  }
}

function staleNotes(
  { confirmedAt, refusal }: Extract<Standing, { readonly outcome: "known" }>,
  { unit: repository }: Identity,
  clock: Clock,
): string[] {
  if (refusal === null) return []
  const [from, until] = [confirmedAt, confirmedAt + STALE_MS].map((moment) => timeOf(wallTime(moment, clock)))
  const why = explainRefusal(refusal, { repository, permission: "contents", now: clock.now() })
  return [`The repository's own policies are those of ${from}, and stay in force until ${until}. ${why}`]
}

function unavailable(refusal: Refusal, { unit: repository }: Identity, now: Date): BrokerError {
  const why = explainRefusal(refusal, { repository, permission: "contents", now })
  return new BrokerError("policy_unavailable", `The policies in the repository ${repository} cannot be read. ${why}`, {
    ...(refusal.outcome === "rate-limited" ? { retryAfterSeconds: refusal.retryAfterSeconds } : {}),
    ...(refusal.outcome === "failed" ? { retryAfterSeconds: RETRY_MS / 1000 } : {}),
  })
}

const NO_APP =
  "The organisation file enables repository_policies, but this broker has no GitHub App to read them: set DAYPASS_GITHUB_APP_ID and DAYPASS_GITHUB_APP_KEY, or remove repository_policies from the organisation file."

const OTHER_ISSUER =
  "The organisation file enables repository_policies for this issuer, but the broker's GitHub App does not serve this issuer: check DAYPASS_GITHUB_ISSUER, or remove repository_policies from the issuer."
