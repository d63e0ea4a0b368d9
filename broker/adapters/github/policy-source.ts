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
import { explainRefusal, timeOf } from "./sentences.ts"

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
 * Adds to a source what repositories keep for themselves in `.github/daypass`, where the organisation file lets the
 * repositories of an issuer do that, and a boundary is about the repository: without one such policies are inert.
 *
 * Nothing is asked for anybody but the organisation's own repositories. What was read holds for a minute. While GitHub
 * does not answer, what it last confirmed stays in force for up to ten, and the trace says so; then the job is refused.
 * Only GitHub's word that there are no policies means that there are none.
 */
export function withRepositoryPolicies(source: PolicySource, options: RepositoryPolicyOptions): PolicySource {
  const { reader, issuerUrl, clock, providers, log } = options
  const readings = reader === null ? null : createRepositoryReadings(reader, clock)
  const own = createOwnPolicies(providers, log)

  async function add(base: PoliciesInForce, organisation: Organisation, identity: Identity): Promise<PoliciesInForce> {
    if (!areConsulted(organisation, identity, base)) return base
    if (readings === null) throw new BrokerError("policy_unavailable", NO_APP)
    if (identity.issuerUrl !== issuerUrl) throw new BrokerError("policy_unavailable", OTHER_ISSUER)
    const standing = await readings.current(identity)
    const now = clock.now()
    // What GitHub said is gone, or may not be seen, is not brought back by files that do not load.
    if (standing.outcome === "unknown" || standing.kept.outcome === "absent") own.forget(identity)
    if (standing.outcome === "unknown") throw unavailable(standing.refusal, identity, now)
    const notes = [...base.notes, ...staleNotes(standing, identity, now)]
    if (standing.kept.outcome === "absent") return { ...base, notes }
    return join(base, notes, own.of({ ...standing, kept: standing.kept }, identity, organisation, now))
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
  // A stranger's token verifies as well as anybody's, and must not make us ask GitHub.
  if (!isOwnerListed(identity, organisation)) return false
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
  { repository }: Identity,
  now: Date,
): string[] {
  if (refusal === null) return []
  const [from, until] = [confirmedAt, confirmedAt + STALE_MS].map((moment) => timeOf(new Date(moment)))
  const why = explainRefusal(refusal, { repository, permission: "contents", now })
  return [`The repository's own policies are as they stood at ${from}, and count until ${until}. ${why}`]
}

function unavailable(refusal: Refusal, { repository }: Identity, now: Date): BrokerError {
  const why = explainRefusal(refusal, { repository, permission: "contents", now })
  return new BrokerError(
    "policy_unavailable",
    `The policies that ${repository} keeps for itself are not known. ${why}`,
    {
      ...(refusal.outcome === "rate-limited" ? { retryAfterSeconds: refusal.retryAfterSeconds } : {}),
      ...(refusal.outcome === "failed" ? { retryAfterSeconds: RETRY_MS / 1000 } : {}),
    },
  )
}

const NO_APP =
  "The organisation file lets repositories keep policies of their own, and this broker has no GitHub App to read them with: set DAYPASS_GITHUB_APP_ID and DAYPASS_GITHUB_APP_KEY, or take repository_policies out of the organisation file."

const OTHER_ISSUER =
  "The organisation file lets this issuer's repositories keep policies of their own, and the broker's GitHub App does not serve this issuer: see DAYPASS_GITHUB_ISSUER, or take repository_policies out of the issuer."
