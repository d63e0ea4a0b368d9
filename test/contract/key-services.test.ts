import { generateHybridIdentity, identityToRecipient } from "age-encryption"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { Secret } from "../../broker/core/secret.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { KEY_SERVICES } from "../../broker/providers/key-services.ts"
import type { ProviderIo } from "../../broker/providers/provider.ts"
import type { Connection } from "../../broker/providers/sops/grant.ts"
import { sops } from "../../broker/providers/sops/provider.ts"
import { AGE_KEY } from "../../broker/providers/sops/recorded.ts"
import { job } from "../core/job.ts"
import { type AwsStores, startAwsStores } from "../support/aws-stores.ts"
import { type KeyVault, startKeyVault } from "../support/azure/key-vault.ts"
import { type Azure, startAzure } from "../support/azure.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Google, startGoogle } from "../support/google.ts"
import { makeProviderIo } from "../support/provider-io.ts"
import { AGE_ENTRY, ageEncrypted, DATA_KEY, shopFor, split } from "../support/sops-file.ts"
import { type Sts, startSts } from "../support/sts.ts"
import { startVault, type Vault } from "../support/vault.ts"

const SUBJECT = "github:repository:41:environment:production:grant:shop"
const PASSWORD = "canary-of-the-password"
const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const ROLE = "arn:aws:iam::111122223333:role/daypass-sops"
const AWS_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
const OTHER_AWS_KEY = AWS_KEY.replace("1234abcd", "99999999")
const ALIAS = "arn:aws:kms:eu-west-1:111122223333:alias/sops"
const GOOGLE_KEY = "projects/acme-prod/locations/europe-west3/keyRings/ci/cryptoKeys/sops"
const CLIENT = "6e1f4a7d-90c2-4b35-8f6e-d27a5b83c019"

// Any OIDC issuer can stand where the broker's key will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let sts: Sts
let aws: AwsStores
let google: Google
let azure: Azure
let keyVault: KeyVault
let vault: Vault
let azureVersion = ""
/** What a file that a key of each vendor opens says of it, by the vendor. */
let entries: Readonly<Record<string, (bytes?: Uint8Array) => Readonly<Record<string, object[]>>>>
/** The connections that the keys go through, as the organisation file has them, and the keys of the connection for SOPS. */
let organisation: Readonly<Record<string, { readonly provider: string; readonly [key: string]: unknown }>>
let keys: Readonly<
  Record<string, { readonly connection: string; readonly key: string; readonly [key: string]: unknown }>
>

beforeAll(async () => {
  issuer = await startGitHub()
  sts = await startSts()
  aws = await startAwsStores(() => sts.issued)
  google = await startGoogle()
  azure = await startAzure()
  keyVault = await startKeyVault(azure)
  vault = await startVault()

  const trust = { issuer: issuer.issuer, subject: { StringEquals: SUBJECT }, tagSession: true }
  sts.addRole({ ...trust, arn: ROLE, audiences: ["daypass-aws-stores"] })
  aws.permit(ROLE, [{ actions: ["kms:Decrypt"], resources: [AWS_KEY] }])
  aws.keys.add({ arn: AWS_KEY, aliases: [ALIAS] })
  aws.keys.add({ arn: OTHER_AWS_KEY })
  google.addProvider({ name: `${POOL}/providers/broker`, issuer: issuer.issuer })
  google.keys.add({ name: GOOGLE_KEY, decrypters: [`principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`] })
  azure.addClient({
    clientId: CLIENT,
    credentials: [{ issuer: issuer.issuer, subject: SUBJECT, audience: "api://AzureADTokenExchange" }],
  })
  azureVersion = keyVault.addKey("sops")
  keyVault.assign({ clientId: CLIENT, key: "sops" })
  vault.tokens.issuer = issuer.issuer
  vault.tokens.roles.set("daypass-sops", {
    boundAudiences: [vault.url],
    boundSubject: SUBJECT,
    policies: ["sops"],
    ttlSeconds: 600,
  })
  vault.tokens.policies.set("sops", { "sops/decrypt/shop": ["update"] })

  // People reach Vault elsewhere than the broker does: the file has their address.
  const people = "https://vault.example.com:8200"
  organisation = {
    "aws-prod": { provider: "aws", region: "eu-west-1", accounts: ["111122223333"], endpoint: sts.url },
    "gcp-prod": {
      provider: "google",
      workload_identity_provider: `${POOL}/providers/broker`,
      sts_endpoint: google.url,
    },
    "azure-prod": {
      provider: "azure",
      tenant: azure.tenant,
      authority: azure.url,
      client_ids: ["0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"],
    },
    "vault-prod": { provider: "vault", url: vault.url, roles: ["shop-*"] },
    doppler: { provider: "doppler" },
  }
  keys = {
    aws: { connection: "aws-prod", key: AWS_KEY, role: ROLE, endpoint: aws.url },
    google: { connection: "gcp-prod", key: GOOGLE_KEY, endpoint: google.url },
    azure: { connection: "azure-prod", key: `${keyVault.url}/keys/sops`, client_id: CLIENT },
    vault: { connection: "vault-prod", key: `${people}/v1/sops/keys/shop`, role: "daypass-sops" },
  }
  entries = {
    aws: (bytes = DATA_KEY) => ({
      kms: [
        {
          arn: AWS_KEY,
          context: { app: "shop", env: "prod" },
          created_at: "2026-11-29T21:43:59Z",
          enc: aws.keys.encrypt(AWS_KEY, bytes, { env: "prod", app: "shop" }),
          aws_profile: "",
        },
      ],
    }),
    google: (bytes = DATA_KEY) => ({
      gcp_kms: [{ resource_id: GOOGLE_KEY, created_at: "", enc: google.keys.encrypt(GOOGLE_KEY, bytes) }],
    }),
    azure: (bytes = DATA_KEY) => ({
      azure_kv: [
        {
          vault_url: keyVault.url,
          name: "sops",
          version: azureVersion,
          created_at: "",
          enc: keyVault.encrypt("sops", bytes),
        },
      ],
    }),
    vault: (bytes = DATA_KEY) => ({
      hc_vault: [
        {
          vault_address: people,
          engine_path: "sops",
          key_name: "shop",
          created_at: "",
          enc: vault.engines.encryptWith("shop", bytes),
        },
      ],
    }),
  }
})
afterEach(() => {
  for (const side of [sts, aws, google, azure, keyVault, vault]) side.assertClean()
})
afterAll(async () => {
  for (const side of [issuer, sts, aws, google, azure, keyVault, vault]) await side.close()
})

const requests = () => [sts, aws, google, azure, keyVault, vault].flatMap((side) => side.requests)

function makeIo(): ProviderIo {
  return makeProviderIo({
    http: createHttp({ userAgent: "daypass-test/1" }),
    now: () => new Date(),
    secrets: { SOPS_AGE_KEY: AGE_KEY },
    identityToken: async (audience, { claims = {} } = {}) =>
      new Secret(await issuer.mint({ sub: SUBJECT, ...claims }, { audience })),
  })
}

const others = () =>
  new Map(
    Object.entries(organisation).map(([name, { provider, ...settings }]) => {
      const parsed = PROVIDERS.get(provider)?.connection.safeParse(settings)
      return [name, { provider, settings: parsed?.data }]
    }),
  )

function connectionWith(settings: object): Connection {
  const joined = sops.join?.(sops.connection.parse(settings), others())
  if (!joined?.ok) throw new Error(joined?.fault.message)
  return joined.value
}

/** The password of a file, and the key that is said to have opened it. */
async function open(settings: object, text: string, io = makeIo()) {
  const { values, keys: opened } = await sops.mint(
    {
      identity: job(),
      grantName: "shop",
      subject: SUBJECT,
      connectionName: "team-secrets",
      connection: connectionWith(settings),
      grant: sops.grant.parse({ read: { PASSWORD: "shop.sops.yaml#database/password" } }),
      ttlSeconds: 60,
      lease: "b7e1c9f0-0000-4000-8000-000000000000",
      files: new Map([["shop.sops.yaml", text]]),
    },
    io,
  )
  const { value } = values["PASSWORD"] ?? {}
  return { password: value instanceof Secret ? value.reveal() : value, by: opened?.["shop.sops.yaml"] }
}

const refusal = (opening: Promise<unknown>): Promise<BrokerError> =>
  opening.then(
    () => {
      throw new Error("it opened")
    },
    (error: unknown) => {
      if (!(error instanceof BrokerError)) throw error
      expect(error.detail).not.toContain(PASSWORD)
      expect(error.detail).toContain("team-secrets")
      return error
    },
  )

const key = (of: string) => keys[of] as (typeof keys)[string]
const entry = (of: string, bytes?: Uint8Array) => entries[of]?.(bytes) as Readonly<Record<string, object[]>>

describe.each([["aws"], ["google"], ["azure"], ["vault"]])("a key of %s", (of) => {
  it("opens a file with one login and one call for each exchange, and the record says which key it was", async () => {
    const io = makeIo()
    const before = requests().length
    expect(await open({ keys: [key(of)] }, shopFor(entry(of)), io)).toEqual({ password: PASSWORD, by: key(of).key })
    expect(requests().length - before).toBe(2)
    await open({ keys: [key(of)] }, shopFor(entry(of)), io)
    expect(requests().length - before).toBe(3)
  })

  it("asks nobody when the file names another key than the connection", async () => {
    const before = requests().length
    const text = shopFor(entry(of)).replace(/"(arn|resource_id|name|key_name)":"([^"]*)"/, '"$1":"$2x"')
    const error = await refusal(open({ keys: [key(of)] }, text))
    expect(error).toMatchObject({ code: "provider_denied", detail: expect.stringContaining("sops updatekeys") })
    expect(requests()).toHaveLength(before)
  })

  it("says that a ciphertext is not of this key, and what to do", async () => {
    const damaged = JSON.stringify(entry(of)).replace(/"enc":"(.*?)(.{10})([=]*)"/, '"enc":"$1AAAAAAAAAA$3"')
    const error = await refusal(open({ keys: [key(of)] }, shopFor(JSON.parse(damaged))))
    expect(error).toMatchObject({ code: "provider_denied", detail: expect.stringContaining("updatekeys") })
  })

  it("gives nothing when it opens to other bytes than the file's key", async () => {
    const error = await refusal(open({ keys: [key(of)] }, shopFor(entry(of, new Uint8Array(31)))))
    expect(error).toMatchObject({ code: "secret_unusable" })
    const other = await refusal(open({ keys: [key(of)] }, shopFor(entry(of, new Uint8Array(32)))))
    expect(other).toMatchObject({ code: "secret_unusable" })
  })

  it("is not asked when an age key opens the file", async () => {
    const before = requests().length
    const text = shopFor({ ...entry(of), age: [AGE_ENTRY] })
    const { password, by } = await open({ key: "env:SOPS_AGE_KEY", keys: [key(of)] }, text)
    expect({ password, by }).toMatchObject({ password: PASSWORD, by: expect.stringMatching(/^age1/) })
    expect(requests()).toHaveLength(before)
  })
})

it.each(["azure", "vault"])("nobody is asked at an address that a file chooses for a key of %s", async (of) => {
  const before = requests().length
  const text = shopFor(entry(of)).replace(/"(vault_url|vault_address)":"[^"]*"/, '"$1":"http://169.254.169.254"')
  expect(text).toContain("169.254.169.254")
  expect((await refusal(open({ keys: [key(of)] }, text))).code).toBe("provider_denied")
  expect(requests()).toHaveLength(before)
})

describe("refusals", () => {
  it.each<[string, string, () => void, () => void, string, RegExp]>([
    [
      "a role without the permission",
      "aws",
      () => aws.permit(ROLE, []),
      () => aws.permit(ROLE, [{ actions: ["kms:Decrypt"], resources: [AWS_KEY] }]),
      "provider_denied",
      /AccessDeniedException: the key arn:.* needs kms:Decrypt .*EncryptionContext/,
    ],
    [
      "a failing KMS",
      "aws",
      () => aws.fail("KMSInternalException"),
      () => aws.fail(null),
      "provider_unavailable",
      /AWS KMS failed/,
    ],
    [
      "a throttling KMS",
      "aws",
      () => aws.fail("ThrottlingException"),
      () => aws.fail(null),
      "provider_throttled",
      /AWS KMS/,
    ],
    [
      "garbage of Google",
      "google",
      () => google.fail("kms", "garbage"),
      () => google.fail("kms", null),
      "provider_response_invalid",
      /Google Cloud KMS/,
    ],
    [
      "an API that is off",
      "google",
      () => google.fail("kms", "service-disabled"),
      () => google.fail("kms", null),
      "provider_denied",
      /cloudkms\.googleapis\.com/,
    ],
    [
      "a vault that redirects",
      "azure",
      () => keyVault.fail("redirect"),
      () => keyVault.fail(null),
      "provider_response_invalid",
      /Azure Key Vault/,
    ],
    [
      "a policy of Vault without the path",
      "vault",
      () => vault.tokens.policies.set("sops", {}),
      () => vault.tokens.policies.set("sops", { "sops/decrypt/shop": ["update"] }),
      "provider_denied",
      /update on sops\/decrypt\/shop/,
    ],
    ["a sealed Vault", "vault", () => vault.seal(true), () => vault.seal(false), "provider_unavailable", /sealed/],
  ])("of %s are sentences", async (_, of, spoil, mend, code, detail) => {
    spoil()
    try {
      const error = await refusal(open({ keys: [key(of)] }, shopFor(entry(of))))
      expect(error).toMatchObject({ code, detail: expect.stringMatching(detail) })
    } finally {
      mend()
    }
  })

  it("of a changed encryption context say that it was changed", async () => {
    const text = shopFor(entry("aws")).replace('"app":"shop"', '"app":"bank"')
    const error = await refusal(open({ keys: [key("aws")] }, text))
    expect(error).toMatchObject({ code: "provider_denied", detail: expect.stringContaining("encryption context") })
  })
})

describe("several keys", () => {
  it("are tried one after the other: a region that fails does not stop the file", async () => {
    const file = { ...entry("vault"), ...entry("aws") }
    aws.fail("KMSInternalException")
    try {
      const { password, by } = await open({ keys: [key("aws"), key("vault")] }, shopFor(file))
      expect({ password, by }).toEqual({ password: PASSWORD, by: key("vault").key })
    } finally {
      aws.fail(null)
    }
  })

  it("of one KMS are told apart, and an alias is a key's name", async () => {
    const [first] = entry("aws")["kms"] ?? []
    const named = {
      kms: [
        { ...first, arn: OTHER_AWS_KEY, enc: "AAAA" },
        { ...first, arn: ALIAS },
      ],
    }
    const opened = await open({ keys: [{ ...key("aws"), key: ALIAS }] }, shopFor(named))
    expect(opened).toEqual({ password: PASSWORD, by: ALIAS })
  })

  it("of post-quantum age open files, too", async () => {
    const identity = await generateHybridIdentity()
    const recipient = await identityToRecipient(identity)
    const io = { ...makeIo(), secret: async () => new Secret(`# pq\n${identity}\n`) }
    const text = shopFor({ age: [{ recipient, enc: await ageEncrypted(recipient, DATA_KEY) }] })
    expect(await open({ key: "env:SOPS_AGE_KEY" }, text, io)).toEqual({ password: PASSWORD, by: recipient })
  })
})

describe("key groups", () => {
  const grouped = async (threshold: number) => {
    const [one, two, three] = split(DATA_KEY, threshold, 3) as [Uint8Array, Uint8Array, Uint8Array]
    return {
      shamir_threshold: threshold,
      key_groups: [
        entry("aws", one),
        { ...entry("google", two), hc_vault: [], pgp: [{ fp: "x" }] },
        { age: [{ recipient: AGE_ENTRY.recipient, enc: await ageEncrypted(AGE_ENTRY.recipient, three) }] },
      ],
    }
  }

  it("are joined from keys of several kinds: of age first, then as many vendors as are needed", async () => {
    const before = aws.requests.length
    const settings = { key: "env:SOPS_AGE_KEY", keys: [key("google"), key("aws")] }
    const { password, by } = await open(settings, shopFor(await grouped(2)))
    expect({ password, by }).toEqual({ password: PASSWORD, by: `${AGE_ENTRY.recipient} ${AWS_KEY}` })
    expect(aws.requests.length - before).toBe(1)
    const all = await open(settings, shopFor(await grouped(3)))
    expect(all).toEqual({ password: PASSWORD, by: `${AGE_ENTRY.recipient} ${AWS_KEY} ${GOOGLE_KEY}` })
  })

  it("ask nobody when there are too few keys for them", async () => {
    const before = requests().length
    const error = await refusal(open({ keys: [key("google"), key("aws")] }, shopFor(await grouped(3))))
    expect(error).toMatchObject({
      code: "provider_denied",
      detail: expect.stringContaining("fewer than 3 of the key groups"),
    })
    expect(requests()).toHaveLength(before)
  })
})

describe("a connection for SOPS", () => {
  const fault = (...wanted: readonly object[]) => {
    const joined = sops.join?.(sops.connection.parse({ keys: wanted }), others())
    return joined?.ok === false ? `${joined.fault.at.join(".")} ${joined.fault.message}` : joined
  }

  it.each<[string, () => object, RegExp]>([
    [
      "no such connection",
      () => ({ ...key("aws"), connection: "aws-prd" }),
      /^keys\.0\.connection There is no connection "aws-prd"\. Did you mean/,
    ],
    [
      "a connection without keys",
      () => ({ connection: "doppler", key: "x" }),
      /^keys\.0\.connection .*decrypts no keys of files: name one of aws, google, azure, vault/,
    ],
    [
      "a key without what its vendor needs",
      () => ({ connection: "aws-prod", key: AWS_KEY }),
      /^keys\.0\.role A key of AWS KMS also needs role/,
    ],
    [
      "what its vendor does not know",
      () => ({ ...key("google"), role: "x" }),
      /^keys\.0 A key of Google Cloud KMS has no "role"/,
    ],
    ["a key that is none", () => ({ ...key("aws"), key: "alias/sops" }), /^keys\.0\.key key: must be the ARN of a key/],
    [
      "a key of another partition",
      () => ({ ...key("aws"), key: AWS_KEY.replace("aws:kms:eu-west-1", "aws-cn:kms:cn-north-1") }),
      /another partition/,
    ],
    [
      "a role in an account that the connection does not list",
      () => ({ ...key("aws"), role: ROLE.replace("1111", "9999") }),
      /does not list/,
    ],
    [
      "a client that grants may name",
      () => ({ ...key("azure"), client_id: "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504" }),
      /needs another client/,
    ],
    ["a role that grants may name", () => ({ ...key("vault"), role: "shop-x" }), /needs another role/],
    [
      "a key of Vault's own mounts",
      () => ({ ...key("vault"), key: "https://vault.example.com/v1/sys/keys/x" }),
      /must be the URI of a key/,
    ],
  ])("is refused with %s", (_, wanted, message) => {
    expect(fault(wanted())).toMatch(message)
  })

  it("declares the audiences of all its keys, and the tightest limit for a subject", () => {
    const all = connectionWith({ keys: Object.values(keys) })
    expect(sops.audiences?.(all)).toEqual({
      presented: [`https://iam.googleapis.com/${POOL}/providers/broker`, "api://AzureADTokenExchange", vault.url],
      ownLogin: ["daypass-aws-stores"],
    })
    expect(sops.subjectLimit?.(all)?.bytes).toBe(127)
    expect([...KEY_SERVICES.keys()]).toEqual(["aws", "google", "azure", "vault"])
  })
})
