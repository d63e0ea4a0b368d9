import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { Secret } from "../../broker/core/secret.ts"
import { awsParameterStore } from "../../broker/providers/aws/parameter-store/provider.ts"
import { awsSecretsManager } from "../../broker/providers/aws/secrets-manager/provider.ts"
import type { Provider, ProviderIo } from "../../broker/providers/provider.ts"
import { job } from "../core/job.ts"
import { type AwsStores, type StoreMisbehaviour, startAwsStores } from "../support/aws-stores.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { makeProviderIo } from "../support/provider-io.ts"
import { type Sts, startSts } from "../support/sts.ts"

const ROLE = "arn:aws:iam::111122223333:role/daypass-read"
const SUBJECT = "github:repository:41:environment:production:grant:shop"
const NAMES = Array.from({ length: 20 }, (_, index) => `shop/key-${index}`)
const CANARY = "canary-of-the-shop"

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let sts: Sts
let stores: AwsStores
let io: ProviderIo
let atOnce = 0
let mostAtOnce = 0
/** How long a call waits for its answer: short only where none ever comes, or a busy machine would fail other tests. */
let patienceMs = 0

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  sts = await startSts()
  stores = await startAwsStores(() => sts.issued)
  sts.addRole({
    arn: ROLE,
    issuer: issuer.issuer,
    audiences: ["daypass-aws-stores"],
    subject: { StringEquals: SUBJECT },
    tagSession: true,
  })
  stores.permit(ROLE, [
    { actions: ["secretsmanager:GetSecretValue"], resources: ["arn:aws:secretsmanager:*:secret:shop/*"] },
    { actions: ["ssm:GetParameters"], resources: ["arn:aws:ssm:*:parameter/shop/*"] },
  ])
  for (const name of NAMES) {
    const versions = [{ id: "1".repeat(32), stages: ["AWSCURRENT"], value: `${CANARY} ${name}` }]
    stores.addSecret({ name, suffix: "AbCd12", versions })
    stores.addParameter({ name: `/${name}`, type: "SecureString", versions: [{ value: `${CANARY} ${name}` }] })
  }
  io = makeIo()
  atOnce = 0
  mostAtOnce = 0
  patienceMs = 300_000
})
afterEach(async () => {
  await stores.close()
  await sts.close()
})

/** What a provider may touch, with real HTTP that counts what is under way. */
function makeIo(): ProviderIo {
  const http = createHttp({ userAgent: "daypass-test/1" })
  return makeProviderIo({
    async http(request) {
      atOnce += 1
      mostAtOnce = Math.max(mostAtOnce, atOnce)
      return await http({ ...request, timeoutMs: patienceMs }).finally(() => {
        atOnce -= 1
      })
    },
    now: () => new Date(),
    identityToken: async (audience, { claims = {} } = {}) =>
      new Secret(await issuer.mint({ sub: SUBJECT, ...claims }, { audience })),
  })
}

async function mint<Connection, Grant>(
  provider: Provider<Connection, Grant>,
  locators: readonly string[],
  at: { readonly region: string; readonly role: string } = { region: "eu-west-1", role: ROLE },
) {
  const settings = { ...at, endpoint: stores.url, sts_endpoint: sts.url }
  const read = Object.fromEntries(locators.map((locator, index) => [`KEY_${index}`, locator]))
  const request = {
    identity: job(),
    grantName: "shop",
    subject: SUBJECT,
    connectionName: "aws-store",
    connection: provider.connection.parse(settings),
    grant: provider.grant.parse({ read }),
    ttlSeconds: 60,
    lease: "b7e1c9f0-0000-4000-8000-000000000000",
  }
  const { values } = await provider.mint(request, io)
  return Object.values(values).map(({ value }) => (value instanceof Secret ? value.reveal() : value))
}

const readSecrets = (names: readonly string[]) => mint(awsSecretsManager, names)
const readParameters = (names: readonly string[]) =>
  mint(
    awsParameterStore,
    names.map((name) => `/${name}`),
  )

describe.each([
  ["Secrets Manager", readSecrets, 20],
  ["Parameter Store", readParameters, 2],
] as const)("%s", (_, read, calls) => {
  test("gives all values in their order, asked for with one login and at most eight at a time", async () => {
    expect(await read(NAMES)).toEqual(NAMES.map((name) => `${CANARY} ${name}`))
    expect(await read(["shop/key-7"])).toEqual([`${CANARY} shop/key-7`])
    expect(sts.requests).toEqual(["AssumeRoleWithWebIdentity daypass-read 200"])
    expect(stores.requests).toHaveLength(calls + 1)
    expect(mostAtOnce).toBe(Math.min(8, calls))
  })

  test("sends no session policy, the shortest lifetime, and the job's facts as tags", async () => {
    await read(["shop/key-1"])
    expect(sts.issued).toMatchObject([{ durationSeconds: 900, sessionPolicy: null, policyArns: [] }])
    expect(sts.issued[0]?.tags).toMatchObject({ repository: "acme/shop", environment: "production", grant: "shop" })
  })

  test.each(["ExpiredTokenException", "UnrecognizedClientException"] as const)(
    "is asked again with a new login when %s says that the one that was kept is over",
    async (code) => {
      await read(["shop/key-1"])
      stores.fail(code, 1)
      expect(await read(["shop/key-2"])).toEqual([`${CANARY} shop/key-2`])
      expect(sts.issued).toHaveLength(2)
    },
  )

  test("is not asked a third time when the new login is refused, too", async () => {
    await read(["shop/key-1"])
    stores.permit(ROLE, [])
    await expect(read(["shop/key-1"])).rejects.toMatchObject({ code: "provider_denied" })
    expect(stores.requests).toHaveLength(3)
  })

  test.each<[StoreMisbehaviour, string]>([
    ["redirect", "provider_response_invalid"],
    ["oversized", "provider_response_invalid"],
    ["garbage", "provider_response_invalid"],
    ["slow", "provider_unavailable"],
    ["reset", "provider_unavailable"],
    ["unavailable", "provider_unavailable"],
    ["InternalServiceError", "provider_unavailable"],
    ["ThrottlingException", "provider_throttled"],
    ["AccessDeniedException", "provider_denied"],
  ])("that answers with %s gives %s and no value", async (how, code) => {
    await read(["shop/key-3"])
    stores.fail(how)
    if (how === "slow") patienceMs = 50
    const error = await read(["shop/key-1", "shop/key-2"]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BrokerError)
    expect(error).toMatchObject({ code })
    expect(String(error)).not.toContain(CANARY)
  })

  test("gives nothing of what is there when one is not, and names it", async () => {
    const error = await read([...NAMES, "shop/none"]).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "secret_not_found", detail: expect.stringContaining("shop/none") })
    expect(String(error)).not.toContain(CANARY)
  })

  test("names the one of many that the role may not read", async () => {
    const error = await read([...NAMES.slice(0, 5), "bank/key"]).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "provider_denied", detail: expect.stringMatching(/for \/?bank\/key: the/) })
  })
})

test("the stores of the European Sovereign Cloud are read with its ARNs, and signed for its region", async () => {
  const [region, partition] = ["eusc-de-east-1", "aws-eusc"]
  const role = `arn:${partition}:iam::111122223333:role/daypass-read`
  await stores.close()
  stores = await startAwsStores(() => sts.issued, { region, partition })
  const trust = { issuer: issuer.issuer, audiences: ["daypass-aws-stores"], subject: { StringEquals: SUBJECT } }
  sts.addRole({ arn: role, ...trust, tagSession: true })
  stores.permit(role, [
    { actions: ["secretsmanager:GetSecretValue"], resources: [`arn:${partition}:secretsmanager:*:secret:shop/*`] },
    { actions: ["ssm:GetParameters"], resources: [`arn:${partition}:ssm:*:parameter/shop/*`] },
  ])
  stores.addSecret({
    name: "shop/key",
    suffix: "AbCd12",
    versions: [{ id: "1".repeat(32), stages: ["AWSCURRENT"], value: CANARY }],
  })
  stores.addParameter({ name: "/shop/key", type: "SecureString", versions: [{ value: CANARY }] })
  expect(await mint(awsSecretsManager, ["shop/key"], { region, role })).toEqual([CANARY])
  expect(await mint(awsParameterStore, ["/shop/key"], { region, role })).toEqual([CANARY])
})
