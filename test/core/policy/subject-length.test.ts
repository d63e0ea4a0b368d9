import { describe, expect, it } from "vitest"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { identityTokenSubject } from "../../../broker/wire/subject.ts"
import { ISSUER_URL } from "./support.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker"
const ID = "7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63"
const ACCOUNT = "shop@acme-prod.iam.gserviceaccount.com"
const READER = { region: "eu-west-1", role: "arn:aws:iam::111122223333:role/read" }
const SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]

/** Each provider that logs in at a vendor with a limit: a connection, a grant's fields, and the limit in bytes. */
const LIMITED: readonly (readonly [string, object, object, number])[] = [
  [
    "google",
    { workload_identity_provider: POOL, service_accounts: [ACCOUNT] },
    { service_account: ACCOUNT, scopes: SCOPES },
    127,
  ],
  [
    "google-secret-manager",
    { workload_identity_provider: POOL, project: "acme-prod" },
    { read: { A: "shop-key" } },
    127,
  ],
  [
    "aws",
    { region: "eu-west-1", accounts: ["111122223333"] },
    { role: "arn:aws:iam::111122223333:role/shop", ttl: "15m" },
    255,
  ],
  ["aws-secrets-manager", READER, { read: { A: "shop/key" } }, 255],
  ["aws-parameter-store", READER, { read: { A: "/shop/key" } }, 255],
  [
    "azure",
    { tenant: ID, client_ids: [ID] },
    { client_id: ID, scope: "https://vault.azure.net/.default", ttl: "90m" },
    600,
  ],
  ["azure-key-vault", { tenant: ID, client_id: ID, vault: "acme-prod" }, { read: { A: "shop-key" } }, 600],
]

interface World {
  readonly provider?: string
  readonly issuer?: string
  readonly grant?: string
  readonly environment?: string
  readonly repository?: object
}

const SHOP = { repository: "acme/shop", repository_id: "41" }

function faultsOf({ provider = "google", issuer = "github", grant = "deploy", environment, repository = SHOP }: World) {
  const [, connection, fields] = LIMITED.find(([name]) => name === provider) ?? [
    provider,
    { audiences: ["https://vault.example.com"] },
    { audience: "https://vault.example.com", ttl: "5m" },
  ]
  const organisation = {
    version: 1,
    issuers: { [issuer]: { family: "github-actions", url: ISSUER_URL, owners: { acme: "9001" } } },
    connections: { prod: { provider, ...connection } },
  }
  const policy = {
    version: 1,
    ...repository,
    ...(environment === undefined ? {} : { environment }),
    allow: [{ name: "main", when: { ref: "refs/heads/main" }, grants: [grant] }],
    grants: { [grant]: { connection: "prod", ...fields } },
  }
  const inputs = Object.entries({ "daypass.yaml": organisation, "shop.yaml": policy }).map(([path, value]) => ({
    path,
    bytes: new TextEncoder().encode(JSON.stringify(value, null, 2)),
  }))
  const loaded = loadPolicySet(inputs, PROVIDERS)
  return loaded.ok ? [] : loaded.fault
}

const subjectBytes = (environment: string, unitId = "41") =>
  identityTokenSubject({ issuer: "github", unitKind: "repository", unitId, environment }, "deploy").length

/** An environment with which the subject has exactly so many bytes, in few characters: a euro sign takes nine bytes. */
function environmentFor(bytes: number, unitId?: string): string {
  const room = bytes - subjectBytes("", unitId)
  return "€".repeat(Math.floor(room / 9)) + "e".repeat(room % 9)
}

describe("a subject that is longer than the other side takes", () => {
  it.each(LIMITED)("is a fault of a grant of %s, at its line, and one at the limit is none", (provider, ...rest) => {
    const bytes = rest[2]
    const environment = environmentFor(bytes)
    expect(subjectBytes(environment)).toBe(bytes)
    expect(faultsOf({ provider, environment })).toEqual([])
    const [fault, ...others] = faultsOf({ provider, environment: `${environment}e` })
    expect(others).toEqual([])
    expect(fault).toMatchObject({ file: "shop.yaml", line: 18, code: "subject_too_long" })
    expect(fault?.message).toMatch(new RegExp(`^deploy: .* has ${bytes + 1} bytes, but .* takes at most ${bytes}: `))
  })

  it.each<readonly [string, World]>([
    ["the environment's name, which has 90 bytes", { environment: "€".repeat(10) }],
    ["the grant's name, which has 64 bytes", { grant: "g".repeat(64), environment: "e".repeat(30) }],
    [
      "the issuer's name in the organisation file, which has 60 bytes",
      { issuer: "i".repeat(60), environment: "e".repeat(30) },
    ],
  ])("is told with what to shorten: %s", (words, world) => {
    expect(faultsOf(world).map(({ message }) => message)).toEqual([expect.stringContaining(`shorten ${words} when`)])
  })

  it("is one for several repositories as soon as it would be with the longest id", () => {
    const repository = { repository: "acme/svc-*" }
    const environment = environmentFor(127, "9".repeat(20))
    expect(faultsOf({ repository, environment })).toEqual([])
    expect(faultsOf({ repository, environment: `${environment}e` })).toMatchObject([{ code: "subject_too_long" }])
    expect(faultsOf({ environment: `${environment}e` })).toEqual([])
  })

  it("does not matter to a provider without a limit", () => {
    expect(faultsOf({ provider: "identity-token", environment: "€".repeat(255) })).toEqual([])
  })
})
