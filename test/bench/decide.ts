import type { Identity } from "../../broker/core/identity.ts"
import { decide } from "../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { median } from "./race.ts"
import { atMost, type Bench, type Section } from "./section.ts"

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

export const CEILING = `boundaries:
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

const ROUNDS = 20
const DECISIONS_PER_ROUND = 5_000
const FEW = 10
const MANY = 10_000

/** A decision with many policies loaded, against the same decision with few. */
export async function measureDecide({ long }: Pick<Bench, "long">): Promise<Section> {
  const counts = long ? [FEW, 100, 1000, MANY] : [FEW, MANY]
  const exact = decisionTimes(counts, "exact")
  const wide = decisionTimes(counts, "wide")
  const at = (times: readonly Point[], count: number) =>
    times.find(([policies]) => policies === count)?.[1] ?? Number.NaN
  const growth = (times: readonly Point[]) => at(times, MANY) / at(times, FEW)
  return {
    rows: [
      atMost("decide with 10,000 policies against 10", growth(exact), 1.1),
      atMost("the same, each by a pattern and below a ceiling", growth(wide), 1.1),
    ],
    figures: {
      policies_10_us: at(exact, FEW),
      policies_10000_us: at(exact, MANY),
      wide_10_us: at(wide, FEW),
      wide_10000_us: at(wide, MANY),
    },
    curves: [
      {
        file: "decisions",
        title: "Time of a decision",
        x: { label: "policies loaded", scale: "log10" },
        y: { label: "microseconds" },
        lines: [
          { name: "a policy of one repository", points: exact },
          { name: "a pattern, below a boundary", points: wide },
        ],
      },
    ],
  }
}

type Point = readonly [policies: number, microseconds: number]

/** Microseconds of a decision for each count of loaded policies: the median of rounds that take turns. */
function decisionTimes(counts: readonly number[], kind: Kind): readonly Point[] {
  const sets = counts.map((count) => ({ count, set: setOf(count, kind), times: [] as number[] }))
  // The same ten repositories are asked about in all, so that only what is loaded differs.
  const identities = Array.from({ length: FEW }, (_, index) => identityOf(index + 1))
  for (let turn = 0; turn <= ROUNDS; turn++) {
    for (const { set, times } of sets) {
      const from = performance.now()
      for (let decision = 0; decision < DECISIONS_PER_ROUND; decision++) {
        const identity = identities[decision % identities.length] as Identity
        const policies = set.policiesOf(identity)
        const { outcome } = decide({ organisation: set.organisation, policies, identity, grants: ["token"] })
        if (outcome !== "allow") throw new Error("the bench's job must be allowed")
      }
      if (turn > 0) times.push(((performance.now() - from) * 1000) / DECISIONS_PER_ROUND)
    }
  }
  return sets.map(({ count, times }): Point => [count, median(times)])
}
