// Long because each kind of refusal is one table, and a refusal that stands in none is not tested.

import { AwsV4Signer } from "aws4fetch"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Statement } from "./aws-stores/permissions.ts"
import { type AwsStores, startAwsStores } from "./aws-stores.ts"
import { type IssuedCredentials, makeCredentials } from "./sts/answer.ts"

const ROLE = "arn:aws:iam::111122223333:role/daypass-read"
const VERSION = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/one"
const SECRETS = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
const PARAMETERS = "arn:aws:ssm:eu-west-1:111122223333:parameter/"

let sessions: IssuedCredentials[]
let stores: AwsStores

beforeEach(async () => {
  sessions = [session()]
  stores = await startAwsStores(() => sessions)
  stores.addSecret({
    name: "shop/stripe",
    suffix: "AbCd12",
    versions: [
      { id: VERSION, stages: ["AWSCURRENT"], value: "sk_live_2" },
      { id: VERSION.replace("a1", "b1"), stages: ["AWSPREVIOUS"], value: "sk_live_1" },
      { id: VERSION.replace("a1", "c1"), stages: [], value: Uint8Array.of(255, 0) },
    ],
  })
  stores.addParameter({ name: "/shop/region", type: "String", versions: [{ value: "eu-west-1" }] })
  stores.addParameter({
    name: "/shop/db",
    type: "SecureString",
    versions: [{ value: "one", labels: ["old"] }, { value: "two" }],
  })
  permit()
})
afterEach(() => stores.close())

function session(change: Partial<IssuedCredentials> = {}): IssuedCredentials {
  return {
    ...makeCredentials(900),
    roleArn: ROLE,
    sessionName: "acme.shop@1.1",
    subject: "github:repository:41",
    durationSeconds: 900,
    tags: {},
    transitiveTagKeys: [],
    sessionPolicy: null,
    policyArns: [],
    ...change,
  }
}

const permit = (...more: readonly Statement[]) =>
  stores.permit(ROLE, [
    { actions: ["secretsmanager:GetSecretValue"], resources: [`${SECRETS}shop/*`] },
    { actions: ["ssm:GetParameters"], resources: [`${PARAMETERS}shop/*`] },
    ...more,
  ])

interface Sign {
  readonly as?: IssuedCredentials
  readonly service?: string
  readonly region?: string
  readonly datetime?: string
  readonly allHeaders?: boolean
  readonly sessionToken?: string
  /** Changes what is sent, behind the signature's back. */
  readonly tamper?: (headers: Headers) => void
  readonly sent?: string
  readonly type?: string
}

const GET = "secretsmanager.GetSecretValue"
const LIST = "AmazonSSM.GetParameters"
const BY_PATH = "AmazonSSM.GetParametersByPath"

async function ask(target: string, input: unknown, sign: Sign = {}) {
  const as = sign.as ?? (sessions[0] as IssuedCredentials)
  const body = JSON.stringify(input)
  const signer = new AwsV4Signer({
    method: "POST",
    url: `${stores.url}/`,
    headers: { "content-type": sign.type ?? "application/x-amz-json-1.1", "x-amz-target": target },
    body,
    accessKeyId: as.accessKeyId,
    secretAccessKey: as.secretAccessKey,
    sessionToken: sign.sessionToken ?? as.sessionToken,
    service: sign.service ?? ([LIST, BY_PATH].includes(target) ? "ssm" : "secretsmanager"),
    region: sign.region ?? "eu-west-1",
    allHeaders: sign.allHeaders ?? true,
    ...(sign.datetime === undefined ? {} : { datetime: sign.datetime }),
  })
  const { headers } = await signer.sign()
  sign.tamper?.(headers)
  const response = await fetch(stores.url, { method: "POST", headers, body: sign.sent ?? body })
  const answer = (await response.json()) as Record<string, unknown>
  return { status: response.status, code: answer["__type"], answer }
}

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString().replace(/[:-]|\.\d{3}/g, "")

describe("a request is refused", () => {
  const CASES: readonly [string, Sign, string][] = [
    [
      "without a signature",
      { tamper: (headers) => headers.delete("authorization") },
      "MissingAuthenticationTokenException",
    ],
    [
      "with a signature of another scheme",
      { tamper: (headers) => headers.set("authorization", "Bearer x") },
      "IncompleteSignatureException",
    ],
    ["with an access key that STS never handed out", { as: session() }, "UnrecognizedClientException"],
    ["with the session token of another session", { sessionToken: "x" }, "UnrecognizedClientException"],
    [
      "without the session token",
      { tamper: (headers) => headers.delete("x-amz-security-token") },
      "UnrecognizedClientException",
    ],
    ["signed for another region", { region: "us-east-1" }, "InvalidSignatureException"],
    ["signed for another service", { service: "ssm" }, "InvalidSignatureException"],
    ["signed six minutes ago", { datetime: ago(6) }, "InvalidSignatureException"],
    ["signed six minutes ahead", { datetime: ago(-6) }, "InvalidSignatureException"],
    ["with a content type that is not signed", { allHeaders: false }, "InvalidSignatureException"],
    [
      "with a header of AWS's own that is not signed",
      { tamper: (headers) => headers.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD") },
      "InvalidSignatureException",
    ],
    ["with another body than was signed", { sent: '{"SecretId":"shop/other"}' }, "InvalidSignatureException"],
    [
      "with another date than was signed",
      { tamper: (headers) => headers.set("x-amz-date", ago(1)) },
      "InvalidSignatureException",
    ],
    ["of another content type", { type: "application/json" }, "SerializationException"],
  ]
  test.each(CASES)("%s", async (_, sign, code) => {
    expect(await ask(GET, { SecretId: "shop/stripe" }, sign)).toMatchObject({ status: 400, code })
  })

  test("with another secret key", async () => {
    const as = { ...(sessions[0] as IssuedCredentials), secretAccessKey: "x" }
    expect(await ask(GET, { SecretId: "shop/stripe" }, { as })).toMatchObject({ code: "InvalidSignatureException" })
  })

  test("by a session that is over", async () => {
    sessions = [session({ expiration: new Date(Date.now() - 1).toISOString() })]
    expect(await ask(GET, { SecretId: "shop/stripe" })).toMatchObject({ code: "ExpiredTokenException" })
  })

  test("for an operation that nobody has a reason to call, and close() says so", async () => {
    const other = await startAwsStores(() => sessions)
    const kept = stores
    stores = other
    await ask("secretsmanager.ListSecrets", {})
    stores = kept
    await expect(other.close()).rejects.toThrow("secretsmanager.ListSecrets")
  })
})

describe("a secret is refused", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["by an ARN", { SecretId: `${SECRETS}shop/stripe-AbCd12` }, "ValidationException"],
    ["without a name", {}, "ValidationException"],
    ["with a parameter that the operation does not have", { SecretId: "shop/stripe", X: 1 }, "ValidationException"],
    ["with a short id of a version", { SecretId: "shop/stripe", VersionId: "1" }, "InvalidParameterException"],
    ["with an empty label", { SecretId: "shop/stripe", VersionStage: "" }, "InvalidParameterException"],
    ["that the role may not read", { SecretId: "bank/key" }, "AccessDeniedException"],
    ["that is not there", { SecretId: "shop/none" }, "ResourceNotFoundException"],
    ["in a version that is not there", { SecretId: "shop/stripe", VersionStage: "none" }, "ResourceNotFoundException"],
    [
      "with a label of another version",
      { SecretId: "shop/stripe", VersionId: VERSION, VersionStage: "AWSPREVIOUS" },
      "InvalidRequestException",
    ],
  ])("%s", async (_, input, code) => {
    expect(await ask(GET, input)).toMatchObject({ status: 400, code })
  })

  test("when it is marked for deletion, or its key may not or cannot decrypt it", async () => {
    const secret = { suffix: "AbCd12", versions: [{ id: VERSION, stages: ["AWSCURRENT"], value: "x" }] }
    stores.addSecret({ ...secret, name: "shop/gone", markedForDeletion: true })
    stores.addSecret({ ...secret, name: "shop/own-key", key: { arn: KEY, enabled: true } })
    stores.addSecret({ ...secret, name: "shop/dead-key", key: { arn: KEY, enabled: false } })
    const codes = async () => [
      (await ask(GET, { SecretId: "shop/gone" })).code,
      (await ask(GET, { SecretId: "shop/own-key" })).code,
      (await ask(GET, { SecretId: "shop/dead-key" })).code,
    ]
    expect(await codes()).toEqual(["InvalidRequestException", "AccessDeniedException", "AccessDeniedException"])
    permit({ actions: ["kms:Decrypt"], resources: [KEY] })
    expect(await codes()).toEqual(["InvalidRequestException", undefined, "DecryptionFailure"])
  })
})

test("a secret is read in its current version, by a label, by an id, and as bytes", async () => {
  const about = { ARN: `${SECRETS}shop/stripe-AbCd12`, Name: "shop/stripe" }
  const read = async (input: object) => (await ask(GET, { SecretId: "shop/stripe", ...input })).answer
  expect(await read({})).toMatchObject({ ...about, SecretString: "sk_live_2", VersionStages: ["AWSCURRENT"] })
  expect(await read({ VersionStage: "AWSPREVIOUS" })).toMatchObject({ ...about, SecretString: "sk_live_1" })
  const bytes = await read({ VersionId: VERSION.replace("a1", "c1") })
  expect(bytes).toMatchObject({ ...about, SecretBinary: "/wA=" })
  expect(bytes).not.toHaveProperty("VersionStages")
  expect(stores.requests.at(-1)).toBe("secretsmanager.GetSecretValue shop/stripe 200")
})

describe("parameters are refused, all of a call,", () => {
  const many = Array.from({ length: 11 }, (_, index) => `/shop/${index}`)
  test.each<[string, Record<string, unknown>, string]>([
    ["without a name", { Names: [] }, "ValidationException"],
    ["with eleven names", { Names: many }, "ValidationException"],
    ["with a path that does not begin with a slash", { Names: ["shop/db"] }, "ValidationException"],
    ["with a name twice", { Names: ["/shop/db", "/shop/db:1"] }, "ValidationException"],
    ["with a parameter that the operation does not have", { Names: ["/shop/db"], Name: "x" }, "ValidationException"],
    ["when the role may not read one", { Names: ["/shop/db", "/bank/key"] }, "AccessDeniedException"],
  ])("%s", async (_, input, code) => {
    expect(await ask(LIST, input)).toMatchObject({ status: 400, code })
  })

  test("when the key of one may not or cannot decrypt it", async () => {
    const arn = { type: "SecureString", versions: [{ value: "x" }] } as const
    stores.addParameter({ ...arn, name: "/shop/own-key", key: { arn: KEY, enabled: true } })
    stores.addParameter({ ...arn, name: "/shop/dead-key", key: { arn: KEY, enabled: false } })
    const code = async (name: string) => (await ask(LIST, { Names: ["/shop/db", name], WithDecryption: true })).code
    expect(await code("/shop/own-key")).toBe("AccessDeniedException")
    permit({ actions: ["kms:Decrypt"], resources: [KEY] })
    expect(await code("/shop/own-key")).toBeUndefined()
    expect(await code("/shop/dead-key")).toBe("InvalidKeyId")
  })
})

test("parameters are read by name, version and label; what is not there is said beside them", async () => {
  const read = async (input: object) => (await ask(LIST, input)).answer
  expect(await read({ Names: ["/shop/region", "/shop/none", "/shop/db:9"], WithDecryption: true })).toMatchObject({
    Parameters: [{ Name: "/shop/region", ARN: `${PARAMETERS}shop/region`, Type: "String", Value: "eu-west-1" }],
    InvalidParameters: ["/shop/db:9", "/shop/none"],
  })
  const [latest, first, old] = await Promise.all(
    ["/shop/db", "/shop/db:1", "/shop/db:old"].map((name) => read({ Names: [name], WithDecryption: true })),
  )
  expect(latest).toMatchObject({ Parameters: [{ Value: "two", Version: 2 }] })
  expect(first).toMatchObject({ Parameters: [{ Value: "one", Version: 1, Selector: ":1" }] })
  expect(old).toMatchObject({ Parameters: [{ Value: "one", Version: 1, Selector: ":old" }] })
  expect(await read({ Names: ["/shop/db"] })).not.toMatchObject({ Parameters: [{ Value: "two" }] })
})

describe("the parameters of a path", () => {
  const byPath = (input: object) => ask(BY_PATH, { Path: "/shop", ...input })
  beforeEach(() => permit({ actions: ["ssm:GetParametersByPath"], resources: [`${PARAMETERS}shop`] }))

  test.each<[string, Record<string, unknown>, string]>([
    ["without a path", { Path: undefined }, "ValidationException"],
    ["of a path that does not begin with a slash", { Path: "shop" }, "ValidationException"],
    ["of eleven results", { MaxResults: 11 }, "ValidationException"],
    ["of no results", { MaxResults: 0 }, "ValidationException"],
    ["with a text for a boolean", { Recursive: "false" }, "ValidationException"],
    ["with a token that it did not give", { NextToken: "x" }, "ValidationException"],
    ["with a token of another path", { NextToken: btoa('["/bank/",10,false]') }, "ValidationException"],
    ["with a parameter that the operation does not have", { Names: ["/shop/db"] }, "ValidationException"],
    ["that the role may not read", { Path: "/bank" }, "AccessDeniedException"],
  ])("are refused %s", async (_, input, code) => {
    expect(await byPath(input)).toMatchObject({ status: 400, code })
  })

  test("are those of its level, or all below it, in pages of which one is empty", async () => {
    stores.addParameter({ name: "/shop/eu/db", type: "String", versions: [{ value: "three" }] })
    stores.addParameter({ name: "/shop-eu", type: "String", versions: [{ value: "other" }] })
    const pages = async (input: object) => {
      const names: string[][] = []
      let token: unknown
      do {
        const { answer } = await byPath({ ...input, ...(token === undefined ? {} : { NextToken: token }) })
        names.push((answer["Parameters"] as { Name: string }[]).map(({ Name }) => Name))
        token = answer["NextToken"]
      } while (token !== undefined)
      return names
    }
    expect(await pages({ WithDecryption: true })).toEqual([["/shop/db", "/shop/region"]])
    expect(await pages({ Recursive: true, MaxResults: 2 })).toEqual([["/shop/db", "/shop/eu/db"], [], ["/shop/region"]])
  })
})

test("it fails as often as it is told to", async () => {
  stores.fail("ThrottlingException", 1)
  expect(await ask(GET, { SecretId: "shop/stripe" })).toMatchObject({ code: "ThrottlingException" })
  expect((await ask(GET, { SecretId: "shop/stripe" })).status).toBe(200)
})
