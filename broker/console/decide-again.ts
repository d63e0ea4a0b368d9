import type { Identity } from "../core/identity.ts"
import type { PolicySet } from "../core/policy/model.ts"
import { policySet } from "../core/policy/policy-set.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { PolicySnapshot } from "../ports/policy-source.ts"
import type { FoundRecord } from "../ports/record-index.ts"
import type { Recalled } from "./pages/record-list.ts"
import { type ConsoleServices, part } from "./view.ts"

/** Denials of one page that are decided again: the policies of each unit may have to be fetched. */
const MOST_AGAIN = 25

/** Names a unit, as far as policies are found by it. */
export interface NamedUnit extends LedgerKey {
  readonly unit: string | null
  readonly ownerId: string | null
}

/** The policies that cover a unit now, as a set. Null when its issuer is not in the organisation file any more. */
export async function policiesOfUnit(
  { issuerUrl, unitId, unit, ownerId }: NamedUnit,
  snapshot: PolicySnapshot,
): Promise<PolicySet | null> {
  const { organisation } = snapshot
  const issuer = [...organisation.issuers.values()].find(({ url }) => url === issuerUrl)
  if (issuer === undefined) return null
  // All that finding policies needs. Nothing is decided by it.
  const named = { issuer: issuer.name, issuerUrl, unitId, unit: unit ?? unitId, ownerId: ownerId ?? "" }
  const { policies, version } = await snapshot.policiesOf({ ...NO_JOB, ...named })
  return policySet(version, organisation, policies)
}

const NO_JOB: Identity = {
  ...{ issuer: "", issuerUrl: "", unitKind: "repository", unit: "", unitId: "", owner: "", ownerId: "" },
  ...{ ref: null, refType: null, event: null, actor: null, actorId: null, runId: "", runAttempt: "" },
  ...{ cautions: [], claims: {} },
}

/** Decides the denials among these records again. A record whose policies cannot be read is left out. */
export async function decideAgain(
  found: readonly FoundRecord[],
  snapshot: PolicySnapshot,
  { analysis }: Pick<ConsoleServices, "analysis">,
): Promise<ReadonlyMap<FoundRecord, Recalled>> {
  const denials = found.filter(({ record }) => record.event === "exchange.denied" && record.identity !== null)
  const sets = new Map<string, Promise<PolicySet | null>>()
  const decided = denials.slice(0, MOST_AGAIN).map(async (one): Promise<readonly [FoundRecord, Recalled] | null> => {
    const { issuerUrl, unitId, record } = one
    const { unit, owner_id: ownerId } = record.identity ?? { unit: null, owner_id: null }
    const key = JSON.stringify([issuerUrl, unitId, unit, ownerId])
    const loading = sets.get(key) ?? policiesOfUnit({ issuerUrl, unitId, unit, ownerId }, snapshot)
    sets.set(key, loading)
    const set = await loading
    const again = set && analysis.decideAgain(one, set)
    return again && [one, { ...again, same: record.policy_version === set.version }]
  })
  const read = await Promise.all(decided.map((one) => part("The decision", () => one)))
  return new Map(read.flatMap((one) => (one.ok && one.value ? [one.value] : [])))
}
