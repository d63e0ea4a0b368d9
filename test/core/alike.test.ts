import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Identity } from "../../broker/core/identity.ts"
import { compiled, revived } from "../../broker/core/policy/compiled.ts"
import { decide } from "../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { job } from "./job.ts"

// Node and workerd decide alike: this file runs in both, on the same thousand cases, and both must come to the same digest.
// After a change to how decisions or faults read, the digest changes too: look at what changed, then write the new one.
const DECISIONS = "0d7aa1624f08693edc6badc277377188d524d5f42e16b4ee379a26bb37f5aca7"
const FAULTS = "cd08991d7a324cadf523a23bf1d6f9a1896abc2f5f4b2fefbcc2be8f93a23bbe"

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

const word = fc.constantFrom("main", "dev", "release/1", "v1.2", "acme/shop", "x", "größe", "a:b", "")
const pattern = fc.constantFrom("main", "*", "**", "release/*", "v*", "acme/**", "größe", "\\*", "a:*")
const claim = fc.constantFrom("ref", "actor", "environment", "event_name", "runner_environment", "absent")
const condition = fc.oneof(
  pattern.map((text) => JSON.stringify(text)),
  fc.array(pattern, { minLength: 1, maxLength: 3 }).map((texts) => JSON.stringify(texts)),
  pattern.map((text) => `{ not: ${JSON.stringify(text)} }`),
  fc.boolean().map((present) => `{ present: ${present} }`),
)
const when = fc.dictionary(claim, condition, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
const rule = (name: string, conditions: Record<string, string>, more: string) =>
  `  - { name: ${name}, when: { ${Object.entries(conditions)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ")} }${more} }\n`

const policy = fc
  .record({
    allow: fc.array(when, { minLength: 1, maxLength: 3 }),
    deny: fc.array(when, { maxLength: 2 }),
    ttl: fc.constantFrom("30s", "5m", "1h", "0s"),
  })
  .map(
    ({ allow, deny, ttl }) => `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
${allow.map((conditions, index) => rule(`a${index}`, conditions, ", grants: [token]")).join("")}${deny.length > 0 ? "deny:\n" : ""}${deny.map((conditions, index) => rule(`d${index}`, conditions, "")).join("")}grants:
  token: { connection: broker, audience: "https://vault.example.com", ttl: ${ttl} }
`,
  )

const claims = fc.dictionary(
  claim,
  fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.array(word, { maxLength: 3 })),
  { noNullPrototype: true },
)

const identityOf = (claims: Identity["claims"]): Identity =>
  job({ claims, event: typeof claims["event_name"] === "string" ? claims["event_name"] : "push" })

const encoder = new TextEncoder()
const load = (text: string) =>
  loadPolicySet(
    [
      { path: "daypass.yaml", bytes: encoder.encode(ORGANISATION) },
      { path: "p.yaml", bytes: encoder.encode(text) },
    ],
    PROVIDERS,
  )
const digestOf = (values: readonly unknown[]) => bytesToHex(sha256(encoder.encode(JSON.stringify(values))))

describe("decisions", () => {
  const cases = fc.sample(fc.record({ policy, claims, ttl: fc.option(fc.integer({ min: 0, max: 600 })) }), {
    seed: SEED,
    numRuns: 1000,
  })
  const outcomes = cases.map(({ policy: text, claims: sent, ttl }) => {
    const set = load(text)
    if (!set.ok) return set.fault
    const ask = (policies: typeof set.value) =>
      decide({
        organisation: policies.organisation,
        policies: policies.policiesOf(identityOf(sent)),
        identity: identityOf(sent),
        grants: ["token"],
        ...(ttl === null ? {} : { ttlSeconds: ttl }),
      })
    const decision = ask(set.value)
    // What a build puts into the Worker's bundle decides as the folder did.
    expect(ask(revived(JSON.parse(JSON.stringify(compiled(set.value))), PROVIDERS))).toEqual(decision)
    return { outcome: decision.outcome, trace: decision.trace }
  })

  it("come out both ways, so that being alike says something", () => {
    const count = (outcome: string) => outcomes.filter((each) => "outcome" in each && each.outcome === outcome).length
    expect(count("allow")).toBeGreaterThan(50)
    expect(count("deny")).toBeGreaterThan(50)
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
