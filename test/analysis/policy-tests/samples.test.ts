import { describe, expect, it } from "vitest"
import { readPolicyTests } from "../../../analysis/policy-tests/read.ts"
import { runPolicyTests } from "../../../analysis/policy-tests/run.ts"
import { FAMILY_SAMPLES, SAMPLES } from "../../../analysis/policy-tests/samples.ts"
import { unitClaimOf } from "../../../analysis/policy-tests/token-claims.ts"
import { FAMILY_FACTS, factsOf } from "../../../broker/core/families/families.ts"
import { UNITS } from "../../../broker/core/families/units.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"

/** How a policy of each family names a unit and what its issuer is, where that is not as usual. */
const SPECIAL: Readonly<Record<string, { url?: string; owner?: string; unit?: string; id?: string; more?: string }>> = {
  kubernetes: { unit: "payments/deployer", id: "9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35" },
  buildkite: { owner: "11111111-1111-4111-8111-111111111111", id: "22222222-2222-4222-8222-222222222222" },
  circleci: {
    url: "https://oidc.circleci.com/org/11111111-1111-4111-8111-111111111111",
    owner: "11111111-1111-4111-8111-111111111111",
    id: "22222222-2222-4222-8222-222222222222",
  },
  jenkins: { unit: "https://ci.example.com/job/shop/job/deploy/" },
  "hcp-terraform": { owner: "org-GRNbCjYNpBB6NEH9", id: "ws-mbsd5E3Ktt5Rg2Xm" },
  bitbucket: {
    url: "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
    owner: '"{11111111-1111-4111-8111-111111111111}"',
    id: '"{22222222-2222-4222-8222-222222222222}"',
  },
  "azure-devops": {
    url: "https://vstoken.dev.azure.com/11111111-1111-4111-8111-111111111111",
    owner: "11111111-1111-4111-8111-111111111111",
    unit: "acme/Shop/deploy",
    id: "22222222-2222-4222-8222-222222222222/12",
    more: 'audience: "api://AzureADTokenExchange"',
  },
  spacelift: { id: "network-production", more: "audience: acme.app.spacelift.io" },
  semaphore: {
    owner: "11111111-1111-4111-8111-111111111111",
    id: "22222222-2222-4222-8222-222222222222",
    more: "audience: https://acme.semaphoreci.com",
  },
  openid: { unit: "person@example.com", id: '"110169484474386276334"', more: "audience: https://broker.example.com" },
}

describe("samples", () => {
  it("are there for every family", () => {
    expect(FAMILY_SAMPLES.map(({ family }) => family).sort()).toEqual([...FAMILY_FACTS.keys()].sort())
    for (const { family, samples } of FAMILY_SAMPLES) expect([family, Object.keys(samples)]).not.toEqual([family, []])
  })

  // A local person's policies need files that sops wrote: test/cli/exec/local.test.ts.
  it.each([...SAMPLES.keys()].filter((name) => name !== "local-person"))(
    "%s is a token of a unit that a policy can name",
    (name) => {
      const named = SAMPLES.get(name)
      const facts = factsOf(named?.of.family)
      const {
        url = "https://ci.example.com",
        owner = '"9001"',
        unit = "acme/shop",
        id = '"41"',
        more,
      } = SPECIAL[facts.name] ?? {}
      const environment = facts.roles.environment
      const inside = environment === undefined ? undefined : named?.sample.claims[environment]
      const { idKey } = UNITS[facts.unit]
      const unitClaim = unitClaimOf(facts)
      const files = {
        "daypass.yaml": `version: 1
issuers:
  ci:
    family: ${facts.name}
    url: ${url}
${facts.ownerId === undefined ? "" : `    owners: { acme: ${owner} }\n`}${more === undefined ? "" : `    ${more}\n`}connections:
  oidc: { provider: identity-token, audiences: ["https://a.example.com"]${facts.unit === "person" ? ", people: true" : ""} }
`,
        "p.yaml": `version: 1
${facts.unitName === undefined && idKey !== null ? "" : `${facts.unit}: ${unit}\n`}${idKey === null ? "" : `${idKey}: ${id}\n`}${inside === undefined ? "" : `environment: "${inside}"\n`}deny:
  - name: everything
grants:
  token: { connection: oidc, audience: "https://a.example.com" }
`,
        "p.test.yaml": `version: 1
tests:
  - name: the job is refused by the policy
    sample: ${name}
    claims: { ${unitClaim}: ${unitClaim === facts.roles.unitId && idKey !== null ? id : unit} }
    grants: [token]
    expect: deny
    by: everything
`,
      }
      const inputs = Object.entries(files).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }))
      const loaded = loadPolicySet(inputs, PROVIDERS)
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault))
      const tests = readPolicyTests(inputs, loaded.value)
      if (!tests.ok) throw new Error(JSON.stringify(tests.fault))
      const { results } = runPolicyTests(loaded.value, tests.value, identityIn)
      expect(results.map(({ failures, decided }) => [failures, decided.reasons.length])).toEqual([[[], 1]])
    },
  )
})
