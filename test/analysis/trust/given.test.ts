// Which subjects a folder of policies gives: exactly those of grants that a job can get.
import { describe, expect, it } from "vitest"
import { givenBy, isFor, type TrustQuery } from "../../../analysis/trust/given.ts"
import type { Given } from "../../../analysis/trust/model.ts"
import { strangersOf } from "../../../analysis/trust/strangers.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"

const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
  ghes:
    family: github-actions
    url: https://ghes.example.com/_services/token
    owners: { acme: "9001" }
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
  oidc: { provider: identity-token, audiences: ["https://a.example.com", "https://b.example.com"] }
  vault: { provider: vault, url: "https://vault.example.com", roles: ["*"] }
  packages: { provider: github, app_id: "1", key: env:PACKAGES_KEY, owner: acme, owner_id: "9001" }
`
const ROLE = "arn:aws:iam::111122223333:role/deploy"

function policy(grants: string, head = "", more = ""): string {
  return `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
environment: production
${head}
allow:
  - { name: main, when: { ref: refs/heads/main }, grants: [deploy] }
${more}
grants:
  deploy: ${grants}
`.replace(/^(repository|repository_id|environment|issuer): .*\n(?=[\s\S]*^\1: )/gm, "")
}
const AWS = `{ connection: aws-prod, role: "${ROLE}" }`

function given(files: Readonly<Record<string, string>>, query: TrustQuery = {}): Given {
  const inputs = Object.entries(files).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }))
  const loaded = loadPolicySet(inputs, PROVIDERS)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault))
  return givenBy(loaded.value, query, { providers: PROVIDERS })
}
const subjectsOf = ({ subjects }: Given) => subjects.map(({ subject }) => subject)

describe("a policy of one repository", () => {
  it("gives one subject for each grant, with what the other side must know", () => {
    expect(given({ "daypass.yaml": ORGANISATION, "a.yaml": policy(AWS) })).toEqual({
      subjects: [
        {
          issuer: "github",
          unitKind: "repository",
          unitId: "41",
          environment: "production",
          names: ["acme/shop"],
          connection: "aws-prod",
          provider: "aws",
          grant: "deploy",
          subject: "github:repository:41:environment:production:grant:deploy",
          audiences: ["sts.amazonaws.com"],
          door: ROLE,
          ownerIds: ["9001"],
          place: { file: "a.yaml", line: 11 },
        },
      ],
      open: [],
      unreachable: [],
    })
  })

  it("is another one for each issuer and environment, and for jobs in none", () => {
    const files = {
      "daypass.yaml": ORGANISATION,
      "a.yaml": policy(AWS),
      "b.yaml": policy(AWS, "issuer: ghes"),
      "c.yaml": policy(AWS, "environment: a b"),
      "d.yaml": policy(AWS).replace(/^environment: .*\n/m, ""),
    }
    expect(subjectsOf(given(files))).toEqual([
      "github:repository:41:environment:production:grant:deploy",
      "ghes:repository:41:environment:production:grant:deploy",
      "github:repository:41:environment:a%20b:grant:deploy",
      "github:repository:41:environment:-:grant:deploy",
    ])
  })

  it("names the audience of a token that the job gets, and only that", () => {
    const files = {
      "daypass.yaml": ORGANISATION,
      "a.yaml": policy('{ connection: oidc, audience: "https://b.example.com" }'),
    }
    expect(given(files).subjects).toMatchObject([{ audiences: ["https://b.example.com"], door: null }])
  })

  it("names the role of Vault that the grant logs in with", () => {
    const grant = '{ connection: vault, role: shop, read: { KEY: "secret/shop#key" } }'
    const files = { "daypass.yaml": ORGANISATION, "a.yaml": policy(grant) }
    expect(given(files).subjects).toMatchObject([{ audiences: ["https://vault.example.com"], door: "shop" }])
  })

  it("gives nothing where no identity token is used, and nothing that was not asked for", () => {
    const files = {
      "daypass.yaml": ORGANISATION,
      "a.yaml": policy("{ connection: packages, repositories: [lib], permissions: { contents: read } }"),
    }
    expect(given(files)).toEqual({ subjects: [], open: [], unreachable: [] })
    const two = { "daypass.yaml": ORGANISATION, "a.yaml": policy(AWS) }
    expect(subjectsOf(given(two, { connection: "oidc" }))).toEqual([])
    expect(subjectsOf(given(two, { grant: "other" }))).toEqual([])
    expect(subjectsOf(given(two, { connection: "aws-prod", grant: "deploy" }))).toHaveLength(1)
  })

  it.each([
    {
      name: "a deny",
      files: { "a.yaml": policy(AWS, "", "deny:\n  - { name: never, when: { ref: refs/heads/main } }") },
    },
    {
      name: "a boundary",
      organisation: `${ORGANISATION}boundaries:\n  - { name: none, when: { repository_owner_id: "9001" }, allow: [{ connection: oidc }] }\n`,
      files: { "a.yaml": policy(AWS) },
    },
  ])("gives no subject for a grant that $name refuses to every job", ({ organisation = ORGANISATION, files }) => {
    const found = given({ "daypass.yaml": organisation, ...files })
    expect(found.subjects).toEqual([])
    expect(found.unreachable).toMatchObject([{ connection: "aws-prod", grant: "deploy" }])
  })
})

describe("a policy with a pattern", () => {
  const WIDE = policy(`{ connection: aws-prod, role: "arn:aws:iam::111122223333:role/svc/\${repository_name}" }`)
    .replace("acme/shop", "acme/svc-*")
    .replace(/^repository_id: .*\n/m, "")

  it("has no list of subjects, only a pattern that covers them", () => {
    const found = given({ "daypass.yaml": ORGANISATION, "a.yaml": WIDE })
    expect(found.subjects).toEqual([])
    expect(found.open).toMatchObject([
      {
        why: "pattern",
        subjects: "github:repository:*:environment:production:grant:deploy",
        unit: "acme/svc-*",
        grant: "deploy",
        ownerIds: ["9001"],
      },
    ])
  })

  it("gives a subject to a repository whose id another policy tells, for its own role", () => {
    const own = policy('{ connection: oidc, audience: "https://a.example.com" }')
      .replace("acme/shop", "acme/svc-pay")
      .replaceAll("deploy", "token")
    const found = given({ "daypass.yaml": ORGANISATION, "a.yaml": WIDE, "b.yaml": own })
    const paid = found.subjects.find(({ connection }) => connection === "aws-prod")
    expect(paid).toMatchObject({
      subject: "github:repository:41:environment:production:grant:deploy",
      names: ["acme/svc-pay"],
      door: "arn:aws:iam::111122223333:role/svc/svc-pay",
    })
    expect(found.open).toHaveLength(1)
  })

  it("is for any role that its gaps can be filled to", () => {
    const door = `arn:aws:iam::111122223333:role/svc/\${ref_name}-x`
    expect(isFor("arn:aws:iam::111122223333:role/svc/main-x", { door })).toBe(true)
    expect(isFor("arn:aws:iam::111122223333:role/svc/main", { door })).toBe(false)
    expect(isFor(ROLE, { door: null })).toBe(true)
  })
})

it("says that repositories may keep policies of their own, for the connections that a boundary allows", () => {
  const open = ORGANISATION.replace("owners:", "repository_policies: true\n    owners:")
  const boundary = `boundaries:\n  - { name: all, when: { repository_owner_id: "9001" }, allow: [{ connection: oidc }] }\n`
  expect(given({ "daypass.yaml": open + boundary }).open).toMatchObject([
    {
      why: "own-policies",
      connection: "oidc",
      issuer: "github",
      subjects: "github:repository:*:environment:*:grant:*",
      audiences: ["https://a.example.com", "https://b.example.com"],
    },
  ])
  expect(given({ "daypass.yaml": ORGANISATION + boundary }).open).toEqual([])
})

it("makes strangers that differ from what is given in one part each", () => {
  const { subjects } = given({ "daypass.yaml": ORGANISATION, "a.yaml": policy(AWS) })
  const strangers = strangersOf(subjects)
  expect(strangers).toContain("github:repository:1:environment:production:grant:deploy")
  expect(strangers).toContain("github:repository:41:environment:-:grant:deploy")
  expect(strangers.some((one) => subjects.some(({ subject }) => subject === one))).toBe(false)
})
