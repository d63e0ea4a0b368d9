import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { cautionsOf } from "../../broker/core/families/cautions.ts"
import { GITHUB_ACTIONS } from "../../broker/core/families/github-actions.ts"
import type { Identity } from "../../broker/core/identity.ts"
import { compiled, revived } from "../../broker/core/policy/compiled.ts"
import { decide } from "../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { job } from "./job.ts"

// Node and workerd decide alike: this file runs in both, on the same thousands of cases, and both must come to the same digest.
// After a change to how decisions or faults read, the digest changes too: look at what changed, then write the new one.
const DECISIONS = "916b536471a03e916f5c5f9eb976be5345c1db9cdaf47c030224b960b1cda830"
const FAULTS = "0efb2b9aa05003563018f1c907f1e4f4ce930c44e587e6c717eb0b786c11d409"

const SEED = 20261122

const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
connections:
  broker: { provider: identity-token, audiences: ["https://vault.example.com"], max_ttl: 4m }
`

/** As policies write a gap that the job's claim fills. */
const gap = (claim: string) => `$\{${claim}}`

const word = fc.constantFrom("main", "main", "main", "dev", "release/1", "v1.2", "acme/shop", "x", "größe", "a:b", "")
const pattern = fc.constantFrom(
  "main",
  "main",
  "*",
  "*",
  "**",
  "**",
  "release/*",
  "v*",
  "acme/**",
  "größe",
  "\\*",
  "a:*",
)
const claim = fc.constantFrom(
  "ref",
  "ref",
  "actor",
  "actor",
  "environment",
  "event_name",
  "runner_environment",
  "absent",
)
const condition = fc.oneof(
  pattern.map((text) => JSON.stringify(text)),
  fc.array(pattern, { minLength: 1, maxLength: 3 }).map((texts) => JSON.stringify(texts)),
  pattern.map((text) => `{ not: ${JSON.stringify(text)} }`),
  fc.boolean().map((present) => `{ present: ${present} }`),
)
const when = fc.dictionary(claim, condition, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
const rule = (name: string, conditions: Record<string, string>, more: string) =>
  `  - { name: ${name}, when: { ${list(conditions)} }${more} }\n`

const list = (conditions: Record<string, string>) =>
  Object.entries(conditions)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ")

const boundary = fc
  .record({
    whose: fc.constantFrom('repository: "acme/*"', "repository_owner: acme", 'repository_id: "42"', "iss: x"),
    when: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: when }),
    entry: fc.constantFrom(
      "",
      ", allow: [{ connection: broker }]",
      ', allow: [{ connection: broker, audience: "https://*" }, { connection: broker, env: TOKEN }]',
      ', allow: [{ connection: broker, claims: { team: ["*", v1.2], tier: "**" } }]',
    ),
    require: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: when }),
    limit: fc.constantFrom("", "", ", max_ttl: 1m", ", max_ttl: 3m"),
    demand: fc.constantFrom("", "", "", ", protected_environment: { deployment_branches: [protected, custom] }"),
  })
  .map(
    ({ whose, when: conditions, entry, require, limit, demand }) =>
      `when: { ${[whose, list(conditions)].filter((text) => text !== "").join(", ")} }${entry}${require ? `, require: { ${list(require)} }` : ""}${limit}${demand}`,
  )

const organisation = fc.array(boundary, { maxLength: 3 }).map((boundaries) => {
  const items = boundaries.map((text, index) => `  - { name: b${index}, ${text} }\n`)
  return items.length === 0 ? ORGANISATION : `${ORGANISATION}boundaries:\n${items.join("")}`
})

const policy = fc
  .record({
    target: fc.constantFrom(
      'repository: acme/shop\nrepository_id: "41"',
      'repository: acme/old-name\nrepository_id: "41"',
      'repository: "acme/sh*"',
      'repository: "acme/svc-*"',
    ),
    fields: fc.constantFrom(
      "",
      ", env: TOKEN",
      ", claims: { team: x }",
      `, claims: { team: "${gap("actor")}", tier: a }`,
    ),
    allow: fc.array(when, { minLength: 1, maxLength: 3 }),
    deny: fc.oneof(fc.constant<Record<string, string>[]>([]), fc.array(when, { maxLength: 2 })),
    ttl: fc.constantFrom("30s", "5m", "5m", "1h", "1h", "0s"),
  })
  .map(
    ({ target, fields, allow, deny, ttl }) => `version: 1
${target}
environment: production
allow:
${allow.map((conditions, index) => rule(`a${index}`, conditions, ", grants: [token]")).join("")}${deny.length > 0 ? "deny:\n" : ""}${deny.map((conditions, index) => rule(`d${index}`, conditions, "")).join("")}grants:
  token: { connection: broker, audience: "https://vault.example.com", ttl: ${ttl}${fields} }
`,
  )

const claims = fc.dictionary(
  claim,
  fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.array(word, { maxLength: 3 })),
  { noNullPrototype: true },
)

const branches = fc.option(fc.constantFrom("all" as const, "protected" as const, "custom" as const))

const identityOf = (claims: Identity["claims"]): Identity => {
  const event = typeof claims["event_name"] === "string" ? claims["event_name"] : "push"
  return job({
    claims: { repository: "acme/shop", repository_id: "41", repository_owner: "acme", ...claims },
    event,
    cautions: cautionsOf(GITHUB_ACTIONS, { event_name: event }),
  })
}

const encoder = new TextEncoder()
const load = (text: string, organisationFile = ORGANISATION) =>
  loadPolicySet(
    [
      { path: "daypass.yaml", bytes: encoder.encode(organisationFile) },
      { path: "p.yaml", bytes: encoder.encode(text) },
    ],
    PROVIDERS,
  )
const digestOf = (values: readonly unknown[]) => bytesToHex(sha256(encoder.encode(JSON.stringify(values))))

describe("decisions", () => {
  const cases = fc.sample(
    fc.record({ policy, organisation, claims, ttl: fc.option(fc.integer({ min: 0, max: 600 })), branches }),
    { seed: SEED, numRuns: 2000 },
  )
  const outcomes = cases.map(({ policy: text, organisation: file, claims: sent, ttl, branches: known }) => {
    const set = load(text, file)
    if (!set.ok) return set.fault
    const protection = { requiredReviewers: false, preventSelfReview: false, deploymentBranches: known ?? "all" }
    const ask = (policies: typeof set.value) =>
      decide({
        organisation: policies.organisation,
        policies: policies.policiesOf(identityOf(sent)),
        identity: identityOf(sent),
        grants: ["token"],
        ...(ttl === null ? {} : { ttlSeconds: ttl }),
        ...(known === null ? {} : { protection: { known: true, protection } }),
      })
    const decision = ask(set.value)
    // What a build puts into the Worker's bundle decides as the folder did.
    expect(ask(revived(JSON.parse(JSON.stringify(compiled(set.value))), PROVIDERS))).toEqual(decision)
    const fields = decision.outcome === "allow" ? decision.grants.map(({ grant }) => grant.fields) : []
    return { outcome: decision.outcome, trace: decision.trace, fields }
  })

  it("come out both ways, so that being alike says something", () => {
    const count = (outcome: string) => outcomes.filter((each) => "outcome" in each && each.outcome === outcome).length
    expect(count("allow")).toBeGreaterThan(50)
    expect(count("deny")).toBeGreaterThan(50)
  })

  it("come out both ways below a ceiling, with gaps, and for several repositories", () => {
    const count = (outcome: string, of: (text: string) => boolean) =>
      outcomes.filter((each, index) => {
        const { policy: text = "", organisation: file = "" } = cases[index] ?? {}
        return "outcome" in each && each.outcome === outcome && of(`${file}${text}`)
      }).length
    for (const outcome of ["allow", "deny"]) {
      expect(count(outcome, (text) => text.includes("boundaries:"))).toBeGreaterThan(20)
      expect(count(outcome, (text) => text.includes(gap("actor")))).toBeGreaterThan(5)
      expect(count(outcome, (text) => text.includes("acme/sh*"))).toBeGreaterThan(20)
    }
  })

  it("are the same in every runtime", () => {
    expect(digestOf(outcomes)).toBe(DECISIONS)
  })
})

describe("faults", () => {
  it("are the same in every runtime, with the same places and words", () => {
    const texts = fc.sample(
      fc.tuple(
        policy,
        fc.nat(),
        fc.constantFrom("", "\t", ":", "&a ", "*a", "!!str ", "\u0000", "---\n", '"', "{", "ref: x\n"),
      ),
      { seed: SEED, numRuns: 500 },
    )
    const faults = texts.map(([text, at, junk]) => {
      const cut = at % (text.length + 1)
      const loaded = load(text.slice(0, cut) + junk + text.slice(cut))
      return loaded.ok ? "loads" : loaded.fault
    })
    expect(faults.filter((fault) => fault !== "loads").length).toBeGreaterThan(200)
    expect(digestOf(faults)).toBe(FAULTS)
  })
})
