import { type CompiledPolicy, compiledOrganisation, compiledPolicy } from "../../broker/core/policy/compiled.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import {
  hashOf,
  keyOf,
  PUBLISHED_FORMAT,
  type PublishedContent,
  type PublishedCurrent,
  type PublishedPlace,
  versionOf,
} from "../../broker/core/policy/published.ts"

/** Everything that a store holds for one set. */
export interface Publication {
  readonly current: PublishedCurrent
  /** Key -> text, for every unit. The text of such a key never changes. */
  readonly entries: ReadonlyMap<string, string>
}

/** Writes a set in its published form. The same set always makes the same keys, texts and version. */
export function published(set: PolicySet, publishedAt: Date): Publication {
  const wide: CompiledPolicy[] = []
  const own = new Map<string, Map<string, CompiledPolicy[]>>()
  for (const policy of set.policies) {
    if (policy.target.kind === "owner") {
      wide.push(compiledPolicy(policy))
      continue
    }
    const ofIssuer = own.get(policy.issuer) ?? new Map<string, CompiledPolicy[]>()
    own.set(policy.issuer, ofIssuer)
    ofIssuer.set(policy.target.id, [...(ofIssuer.get(policy.target.id) ?? []), compiledPolicy(policy)])
  }
  const entries = new Map<string, string>()
  const repositories: Record<string, Record<string, string>> = {}
  for (const [issuer, ofIssuer] of own) {
    const hashes: [string, string][] = []
    for (const [unitId, policies] of ofIssuer) {
      const text = JSON.stringify(policies)
      const hash = hashOf(text)
      hashes.push([unitId, hash])
      entries.set(keyOf({ issuer, unitId, hash }), text)
    }
    repositories[issuer] = Object.fromEntries(hashes)
  }
  const organisation = compiledOrganisation(set.organisation)
  const content: PublishedContent = { count: set.policyCount, organisation, wide, repositories }
  const [version, at] = [versionOf(content), publishedAt.toISOString()]
  return { current: { format: PUBLISHED_FORMAT, version, published_at: at, ...content }, entries }
}

/** All places that a value of `current` names. */
export function placesIn({ repositories }: PublishedCurrent): PublishedPlace[] {
  return Object.entries(repositories).flatMap(([issuer, ofIssuer]) =>
    Object.entries(ofIssuer).map(([unitId, hash]) => ({ issuer, unitId, hash })),
  )
}
