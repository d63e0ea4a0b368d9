import { describe, expect, it } from "vitest"
import { compiled, revived } from "../../../broker/core/policy/compiled.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { identityOf, ORGANISATION, policyOf, setOf, subjectOf, TEST_PROVIDERS } from "./support.ts"

const gap = (claim: string) => `$\{${claim}}`

const SET = setOf(
  {
    "exact.yaml": policyOf(
      "protected_environment: { required_reviewers: true }\nallow:\n  - { name: a, when: { ref: 'refs/heads/*' }, grants: [note, role] }\ngrants:\n  note: { connection: notes, max_open_leases: 2 }\n",
    ),
    "wide.yaml": `version: 1
repository: "acme/sh*"
environment: production
deny:
  - { name: w, when: { actor: { not: [octocat, "a*"] }, x: { present: true } } }
grants:
  role: { connection: cloud, role: "r/${gap("repository_name")}", tags: { t: ["$${gap("x")}"] }, ttl: 2h }
`,
  },
  ORGANISATION.replace("connections:\n", "connections:\n  cloud: { provider: cloud, accounts: [r/shop, r/x] }\n")
    .replace('owners: { acme: "9001" }', 'owners: { acme: "9001" }\n    repository_policies: true')
    .replace("accounts: [r/shop, r/x]", "require_bound_token: true")
    .replace(
      "boundaries: []",
      `boundaries:
  - name: shop
    when: { repository: { not: acme/bank } }
    allow:
      - { connection: notes, text: [none, "\\\\*"] }
      - { connection: cloud, role: "r/*", tags: { t: "**", u: { v: [x] } } }
    require: { ref: { not: refs/heads/x }, y: { present: false } }
    max_ttl: 1h
  - { name: guarded, when: { environment: production }, protected_environment: { deployment_branches: custom } }
limits:
  - { when: { repository: "acme/sh*", repository_owner_id: { not: "7" } }, open_leases: 9, exchanges_per_minute: 5 }`,
    ),
)

const written = (set: PolicySet): unknown => JSON.parse(JSON.stringify(compiled(set)))
const read = (json: unknown, providers = TEST_PROVIDERS) => revived(json as ReturnType<typeof compiled>, providers)

describe("a compiled set", () => {
  it("comes back as it was written, with every form that a policy can have", () => {
    const again = read(written(SET))
    expect(again.organisation).toEqual(SET.organisation)
    expect(again.policies).toEqual(SET.policies)
    expect([again.version, again.policyCount]).toEqual([SET.version, 2])
    expect(again.policiesOf(subjectOf("41"))).toEqual(SET.policiesOf(subjectOf("41")))
    expect(again.policiesOf(subjectOf("7", "github", "acme/shed")).map(({ file }) => file)).toEqual(["wide.yaml"])
    expect(written(again)).toEqual(written(SET))
  })

  it("gives what the folder gave, gaps filled and checked", () => {
    const again = read(written(SET))
    const protection = { requiredReviewers: true, preventSelfReview: false, deploymentBranches: "custom" } as const
    const ask = (set: PolicySet) =>
      decide({
        organisation: set.organisation,
        policies: set.policiesOf(identityOf()),
        identity: identityOf(),
        grants: ["note", "role"],
        protection: { known: true, protection },
      })
    expect(ask(SET)).toMatchObject({
      outcome: "allow",
      requireBoundToken: true,
      grants: [
        { ttlSeconds: 900, grant: { fields: { text: "none" } } },
        { ttlSeconds: 3600, grant: { fields: { role: "r/shop", tags: { t: [gap("x")] } } } },
      ],
    })
    expect(ask(again)).toEqual(ask(SET))
  })

  it("holds nothing of a provider's code", () => {
    expect(JSON.stringify(written(SET))).not.toMatch(/schemas|function|minTtlSeconds":null/)
  })

  it.each<[string, (text: string) => string, RegExp]>([
    [
      "a connection that is not there",
      (text) => text.replaceAll('"connection":"cloud"', '"connection":"x"'),
      /no connection|connection that does not exist/,
    ],
    ["a pattern that is none", (text) => text.replace("refs/heads/*", "refs/heads/***"), /three stars/],
    ["a name's pattern that is none", (text) => text.replace('"names":"sh*"', '"names":""'), /must not be empty/],
  ])("with %s is refused", (_, tamper, message) => {
    const text = JSON.stringify(written(SET))
    expect(tamper(text)).not.toBe(text)
    expect(() => read(JSON.parse(tamper(text)))).toThrow(TypeError)
    expect(() => read(JSON.parse(tamper(text)))).toThrow(message)
  })

  it("with a template of a provider that this broker does not have is refused", () => {
    const fewer = new Map([...TEST_PROVIDERS].filter(([name]) => name !== "cloud"))
    expect(() => read(written(SET), fewer)).toThrow(/provider that does not exist/)
  })
})
