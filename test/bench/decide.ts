import type { Identity } from "../../broker/core/identity.ts"
import { decide } from "../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"

const encoder = new TextEncoder()

export const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
connections:
  broker: { provider: identity-token, audiences: ["https://vault.example.com"] }
`

export const policyOf = (id: number) => `version: 1
repository: acme/repository-${id}
repository_id: "${id}"
environment: production
allow:
  - name: deploy
    when: { ref: "refs/heads/release/**", event_name: [push, workflow_dispatch] }
    grants: [token]
deny:
  - name: own runners
    when: { runner_environment: { not: github-hosted } }
grants:
  token: { connection: broker, audience: "https://vault.example.com" }
`

/** The same below a ceiling, for every repository whose name begins with this one's and a dash, and with a gap in its grant. */
const wideOf = (id: number) =>
  policyOf(id)
    .replace(/repository: .*\n/, `repository: acme/repository-${id}-*\n`)
    .replace(/repository_id: .*\n/, "")
    .replace(
      'audience: "https://vault.example.com"',
      `audience: "https://vault.example.com", claims: { of: "\${repository_name}" }`,
    )

const CEILING = `boundaries:
  - name: everyone
    when: { repository_owner_id: "9001" }
    allow: [{ connection: broker, audience: "https://*.example.com", claims: "repository-*" }]
    require: { runner_environment: github-hosted }
`

/** What a policy can be: of one repository by its id, or of several by a pattern and below a ceiling. */
type Kind = "exact" | "wide"

function setOf(count: number, kind: Kind): PolicySet {
  const policies = Array.from({ length: count }, (_, index) => ({
    path: `acme/repository-${index + 1}/production.yaml`,
    bytes: encoder.encode(kind === "exact" ? policyOf(index + 1) : wideOf(index + 1)),
  }))
  const organisation = encoder.encode(kind === "exact" ? ORGANISATION : `${ORGANISATION}${CEILING}`)
  const loaded = loadPolicySet([{ path: "daypass.yaml", bytes: organisation }, ...policies], PROVIDERS)
  if (!loaded.ok) throw new Error(`the bench's policies are faulty: ${loaded.fault[0]?.message}`)
  return loaded.value
}

const identityOf = (id: number): Identity => {
  const claims = {
    ref: "refs/heads/release/1.2",
    event_name: "push",
    runner_environment: "github-hosted",
    repository_owner_id: "9001",
  }
  return {
    issuer: "github",
    issuerUrl: "https://token.actions.githubusercontent.com",
    unitKind: "repository",
    unit: `acme/repository-${id}-eu`,
    unitId: String(id),
    owner: "acme",
    ownerId: "9001",
    environment: "production",
    ref: claims.ref,
    refType: "branch",
    event: claims.event_name,
    actor: "octocat",
    actorId: null,
    cautions: [],
    runId: "1",
    runAttempt: "1",
    claims,
  }
}

const ROUNDS = 40
const DECISIONS_PER_ROUND = 5_000

/** Microseconds a decision takes with `few` and with `many` policies loaded: the median of rounds that take turns. */
export function measureDecide(
  few: number,
  many: number,
  kind: Kind = "exact",
): { few_us: number; many_us: number; load_many_ms: number } {
  const small = setOf(few, kind)
  const startedAt = performance.now()
  const large = setOf(many, kind)
  const load = performance.now() - startedAt
  // The same ten repositories are asked about in both, so that only what is loaded differs.
  const identities = Array.from({ length: few }, (_, index) => identityOf(index + 1))
  const round = (set: PolicySet) => {
    const from = performance.now()
    for (let turn = 0; turn < DECISIONS_PER_ROUND; turn++) {
      const identity = identities[turn % identities.length] as Identity
      const policies = set.policiesOf(identity)
      const decision = decide({ organisation: set.organisation, policies, identity, grants: ["token"] })
      if (decision.outcome !== "allow") throw new Error("the bench's job must be allowed")
    }
    return ((performance.now() - from) * 1000) / DECISIONS_PER_ROUND
  }
  round(small)
  round(large)
  const times: { small: number; large: number }[] = []
  for (let turn = 0; turn < ROUNDS; turn++) times.push({ small: round(small), large: round(large) })
  return {
    few_us: median(times.map((each) => each.small)),
    many_us: median(times.map((each) => each.large)),
    load_many_ms: load,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
