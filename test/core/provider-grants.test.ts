import { describe, expect, it } from "vitest"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import { connection as awsConnection, grant as awsGrant, roleParts } from "../../broker/providers/aws/grant.ts"
import { connection as tokenConnection, grant as tokenGrant } from "../../broker/providers/identity-token/grant.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { STORES_AUDIENCE } from "../../broker/providers/reserved-audiences.ts"

describe("an identity token's own claims", () => {
  const withClaim = (name: string) =>
    tokenGrant.safeParse({ audience: "https://vault.example.com", claims: { [name]: "x" } })

  it.each(["team", "access", "https://acme.example/team", "azpx", "https://aws.example.com/tags"])(
    "may be %s",
    (name) => {
      expect(withClaim(name).success).toBe(true)
    },
  )

  // AWS takes azp for the audience, and tags and the source identity from claims below its URL: a grant for another
  // audience would otherwise assume roles past the accounts that an aws connection lists, under tags of its own making.
  it.each([
    "azp",
    "https://aws.amazon.com/tags",
    "https://aws.amazon.com/tags/principal_tags/environment",
    "https://aws.amazon.com/tags/transitive_tag_keys",
    "https://aws.amazon.com/source_identity",
    "cnf",
    "act",
    "may_act",
    "repository_id",
    "sub",
  ])("are never %s", (name) => {
    expect(withClaim(name).success).toBe(false)
  })
})

describe("an identity token's login at a cluster", () => {
  const parsed = (more: object) => tokenGrant.safeParse({ audience: "https://kubernetes.example.com", ...more })
  const kubeconfig = { as: "kubeconfig", server: "https://cluster.example.com:6443" }

  it("has a server, and may have a CA, a namespace and a variable", () => {
    const authority = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    expect(parsed(kubeconfig).success).toBe(true)
    expect(
      parsed({ ...kubeconfig, certificate_authority: authority, namespace: "shop", env: "KUBE_TOKEN" }).success,
    ).toBe(true)
  })

  it.each([
    ["without a server", { as: "kubeconfig" }, "server"],
    ["at a server without TLS", { ...kubeconfig, server: "http://cluster.example.com" }, "server"],
    ["that is not said to be one", { server: "https://cluster.example.com" }, "server"],
    ["of another tool", { as: "npmrc" }, "as"],
    ["with a CA that is a path", { ...kubeconfig, certificate_authority: "/ca.pem" }, "certificate_authority"],
  ])("is never %s", (_, more, at) => {
    expect(parsed(more).error?.issues.map(({ path }) => path.join("."))).toEqual([at])
  })
})

describe("an identity token's audience", () => {
  it.each(["sts.amazonaws.com", "sts.amazonaws.com.cn", STORES_AUDIENCE])(
    "is never %s, which AWS trusts",
    (audience) => {
      expect(tokenConnection.safeParse({ audiences: [audience] }).success).toBe(false)
    },
  )

  const pool =
    "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker"
  it.each([`https://${pool}`, `//${pool}`, `HTTPS://IAM.googleapis.com/${pool}`, "//iam.googleapis.com"])(
    "is never %s, which Google's pools trust",
    (audience) => {
      const parsed = tokenConnection.safeParse({ audiences: ["https://vault.example.com", audience] })
      expect(parsed.error?.issues.map(({ message }) => message).join()).toContain("provider: google")
    },
  )

  it.each(["https://iam.googleapis.com.example.com/", "https://iam.example.com/pools", "iam.googleapis.com"])(
    "may be %s, which is nobody's of Google's",
    (audience) => {
      expect(tokenConnection.safeParse({ audiences: [audience] }).success).toBe(true)
    },
  )
})

describe("an identity token's audience at Azure", () => {
  it.each([
    "api://AzureADTokenExchange",
    "api://azureadtokenexchange",
    "api://AzureADTokenExchangeUSGov",
    "api://AzureADTokenExchangeChina",
    "API://AZUREADTOKENEXCHANGECHINA",
  ])("is never %s, which Microsoft Entra ID trusts", (audience) => {
    expect(tokenConnection.safeParse({ audiences: [audience] }).success).toBe(false)
  })

  it("may be that of an API of the organisation's own", () => {
    expect(tokenConnection.safeParse({ audiences: ["api://orders"] }).success).toBe(true)
  })
})

it("the audience of a connection to AWS is never the one for which roles let the broker read AWS's stores", () => {
  const connection = { region: "eu-west-1", accounts: ["111122223333"], audience: STORES_AUDIENCE }
  expect(awsConnection.safeParse(connection).success).toBe(false)
})

describe("a role's ARN", () => {
  it.each([
    ["arn:aws:iam::111122223333:role/deploy", "deploy"],
    ["arn:aws:iam::111122223333:role/team/deploy", "deploy"],
    ["arn:aws:iam::111122223333:role/team/prod/deploy", "deploy"],
    ["arn:aws-us-gov:iam::111122223333:role/a/b/c/d", "d"],
  ])("%s names the role %s", (role, name) => {
    expect(awsGrant.safeParse({ role }).success).toBe(true)
    expect(roleParts(role)).toMatchObject({ account: "111122223333", name })
  })

  it.each([
    "arn:aws:iam::111122223333:role/",
    "arn:aws:iam::111122223333:role//deploy",
    "arn:aws:iam::111122223333:role/deploy/",
    "arn:aws:iam::111122223333:role/de*loy",
    "arn:aws:iam::111122223333:role/deploy\n",
    "arn:aws:iam::111122223333:user/deploy",
    "arn:aws:iam::11112222333:role/deploy",
    `arn:aws:iam::111122223333:role/${"a/".repeat(300)}deploy`,
  ])("is not %o", (role) => {
    expect(awsGrant.safeParse({ role }).success).toBe(false)
  })
})

describe("an audience that a connection is known by", () => {
  const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker"
  const role = "arn:aws:iam::111122223333:role/reads"
  const aws = { provider: "aws", region: "eu-west-1", accounts: ["111122223333"] }
  const store = { provider: "aws-secrets-manager", region: "eu-west-1", role }
  const faultsOf = (connections: Readonly<Record<string, unknown>>) => {
    const issuers = {
      github: {
        family: "github-actions",
        url: "https://token.actions.githubusercontent.com",
        owners: { acme: "9001" },
      },
    }
    const bytes = new TextEncoder().encode(JSON.stringify({ version: 1, issuers, connections }))
    const loaded = loadPolicySet([{ path: "daypass.yaml", bytes }], PROVIDERS)
    return loaded.ok ? [] : loaded.fault.map(({ code }) => code)
  }
  const tokens = (audience: string) => ({ provider: "identity-token", audiences: [audience] })

  it.each<readonly [string, string, unknown]>([
    ["aws", "custom", { ...aws, audience: "custom" }],
    ["aws-secrets-manager", "custom", { ...store, audience: "custom" }],
    ["aws-parameter-store", "custom", { ...store, provider: "aws-parameter-store", audience: "custom" }],
    ["google", "custom", { provider: "google", workload_identity_provider: POOL, audience: "custom" }],
    [
      "google-secret-manager",
      "custom",
      { provider: "google-secret-manager", workload_identity_provider: POOL, audience: "custom", project: "acme-prod" },
    ],
    ["vault", "https://vault.example.com", { provider: "vault", url: "https://vault.example.com", roles: ["shop"] }],
    ["doppler", "https://api.doppler.com", { provider: "doppler", identity: "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504" }],
    [
      "infisical",
      "https://app.infisical.com",
      { provider: "infisical", identity_id: "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504" },
    ],
    [
      "conjur",
      "https://conjur.example.com",
      { provider: "conjur", url: "https://conjur.example.com", account: "acme", authenticator: "daypass" },
    ],
  ])("is never handed out beside it: %s", (_, audience, connection) => {
    expect(faultsOf({ other: connection })).toEqual([])
    expect(faultsOf({ other: connection, tokens: tokens(audience) })).toEqual(["audience_shared"])
    expect(faultsOf({ other: connection, tokens: tokens("https://elsewhere.example.com") })).toEqual([])
  })

  it("is no grant's where the broker reads AWS's stores with it", () => {
    const both = { roles: { ...aws, audience: "custom" }, store: { ...store, audience: "custom" } }
    expect(faultsOf(both)).toEqual(["audience_shared"])
    expect(faultsOf({ roles: aws, store })).toEqual([])
  })
})

describe("a folder whose grants and connections do not go together", () => {
  const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
connections:
  ireland: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
  brandenburg: { provider: aws, region: eusc-de-east-1, accounts: ["111122223333"] }
  secrets: { provider: vault, url: "https://vault.example.com", roles: ["*"], kv: { secret: 2, old: 1 } }
`
  const policy = (grant: string) => `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - { name: main, when: { ref: refs/heads/main, event_name: push }, grants: [shop] }
grants:
  shop: ${grant}
`
  const faultsOf = (grant: string, boundaries = "") => {
    const files = { "daypass.yaml": `${ORGANISATION}${boundaries}`, "p.yaml": policy(grant) }
    const loaded = loadPolicySet(
      Object.entries(files).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) })),
      PROVIDERS,
    )
    return loaded.ok ? [] : loaded.fault.map(({ file, line, code, message }) => `${file}:${line} ${code} ${message}`)
  }
  const GERMAN = "{ connection: brandenburg, role: arn:aws-eusc:iam::111122223333:role/shop }"

  it.each([
    GERMAN,
    "{ connection: ireland, role: arn:aws:iam::111122223333:role/shop }",
    '{ connection: secrets, role: r, read: { A: "secret/shop#k" } }',
    '{ connection: secrets, role: r, read: { A: "old/data/shop#k" } }',
  ])("loads with %s", (grant) => {
    expect(faultsOf(grant)).toEqual([])
  })

  it.each([
    [
      "{ connection: ireland, role: arn:aws-eusc:iam::111122223333:role/shop }",
      "a connection with a region of aws-eusc.",
    ],
    [
      "{ connection: brandenburg, role: arn:aws:iam::111122223333:role/shop }",
      "Use a role that begins with arn:aws-eusc:",
    ],
    ['{ connection: secrets, role: r, read: { A: "secret/data/shop#k" } }', "write secret/shop#k."],
  ])("does not load with %s", (grant, remedy) => {
    expect(faultsOf(grant)).toEqual([expect.stringMatching(/^p\.yaml:8 grant_conflict shop: /)])
    expect(faultsOf(grant)[0]).toContain(remedy)
  })

  it("does not load with a session policy that STS would refuse, and says in which line", () => {
    const policy = `
    connection: ireland
    role: arn:aws:iam::111122223333:role/shop
    session_policy:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "s3:*", Resource: "*" }
        - { Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::büro/*" }
        - { Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::日本/*" }`
    expect(faultsOf(policy)).toEqual([expect.stringMatching(/^p\.yaml:16 .*beyond U\+00FF.*Remove it/)])
  })

  const boundary = (entry: string) => `boundaries:
  - name: shop
    when: { repository: acme/shop }
    allow:
      - connection: brandenburg
      - ${entry}
`

  it.each([
    ["{ connection: brandenburg, role: arn:aws-eusc:iam::*:role/shop }"],
    ['{ connection: ireland, role: ["arn:aws:iam::*:role/shop", "arn:*:iam::*:role/shop"] }'],
    ['{ connection: secrets, read: "secret/shop/*" }'],
    ["{ connection: secrets, read: { A: old/data/** } }"],
  ])("loads with the ceiling %s", (entry) => {
    expect(faultsOf(GERMAN, boundary(entry))).toEqual([])
  })

  it.each([
    [
      '{ connection: ireland, role: ["arn:aws:iam::*:role/a", "arn:aws-cn:iam::*:role/a"] }',
      "write arn:aws:iam::*:role/a.",
    ],
    ['{ connection: secrets, read: "secret/data/shop/*" }', "write secret/shop/*."],
    ["{ connection: secrets, read: { A: secret/data/** } }", "write secret/**."],
  ])("does not load with the ceiling %s, which nothing would be inside of", (entry, remedy) => {
    expect(faultsOf(GERMAN, boundary(entry))).toEqual([
      expect.stringMatching(/^daypass\.yaml:16 value_invalid No grant of \w+ would be inside: /),
    ])
    expect(faultsOf(GERMAN, boundary(entry))[0]).toContain(remedy)
  })
})
