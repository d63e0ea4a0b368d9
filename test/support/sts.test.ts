// Long because each kind of refusal is one table, and a refusal that stands in none is not tested.

import { createHash } from "node:crypto"
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { type GitHub, type MintOptions, startGitHub } from "./github.ts"
import { type Role, type Sts, startSts } from "./sts.ts"

const ROLE = "arn:aws:iam::111122223333:role/shop-deploy"
const SUBJECT = "github:repository:41:environment:production:grant:aws-deploy"
const AUDIENCE = "sts.amazonaws.com"
const POLICY = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] }

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let sts: Sts

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  sts = await startSts()
  trust({})
})
afterEach(() => sts.close())

const trust = (changes: Partial<Role>) =>
  sts.addRole({
    arn: ROLE,
    issuer: issuer.issuer,
    audiences: [AUDIENCE],
    subject: { StringEquals: SUBJECT },
    tagSession: false,
    ...changes,
  })

const token = (claims: Record<string, unknown> = {}, mint: Partial<MintOptions> = {}) =>
  issuer.mint({ sub: SUBJECT, ...claims }, { audience: AUDIENCE, ...mint })

const form = async (changes: Record<string, string | null> = {}) => {
  const fields: Record<string, string | null> = {
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: ROLE,
    RoleSessionName: "acme-shop-1",
    WebIdentityToken: "WebIdentityToken" in changes ? null : await token(),
    ...changes,
  }
  return new URLSearchParams(Object.entries(fields).filter((field): field is [string, string] => field[1] !== null))
}

async function post(body: URLSearchParams | string, headers: Record<string, string> = {}) {
  const response = await fetch(`${sts.url}/`, { method: "POST", body, headers })
  return readAnswer(response)
}

async function readAnswer(response: Response) {
  const xml = await response.text()
  const part = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return { status: response.status, code: part("Code"), part, xml }
}

test("the AWS SDK gets credentials of AWS's shape, and the stand-in remembers them", async () => {
  trust({ tagSession: true, maxSessionDuration: 7200 })
  const tags = { principal_tags: { repository: ["acme/shop"], run: ["7"] }, transitive_tag_keys: ["repository"] }
  const client = new STSClient({
    region: "eu-west-1",
    endpoint: sts.url,
    credentials: { accessKeyId: "unused", secretAccessKey: "unused" },
  })
  const answer = await client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: ROLE,
      RoleSessionName: "acme-shop-1",
      WebIdentityToken: await token({ "https://aws.amazon.com/tags": tags }),
      DurationSeconds: 7200,
      Policy: JSON.stringify(POLICY),
      PolicyArns: [{ arn: "arn:aws:iam::aws:policy/ReadOnlyAccess" }],
    }),
  )
  expect(answer.Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/)
  expect(answer.Credentials?.SecretAccessKey).toMatch(/^[A-Za-z0-9/+]{40}$/)
  expect(answer.AssumedRoleUser?.Arn).toBe("arn:aws:sts::111122223333:assumed-role/shop-deploy/acme-shop-1")
  expect(answer.PackedPolicySize).toBeGreaterThan(0)
  expect(answer.SubjectFromWebIdentityToken).toBe(SUBJECT)
  expect(sts.issued).toHaveLength(1)
  expect(sts.issued[0]).toMatchObject({
    accessKeyId: answer.Credentials?.AccessKeyId,
    sessionToken: answer.Credentials?.SessionToken,
    tags: { repository: "acme/shop", run: "7" },
    transitiveTagKeys: ["repository"],
    policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    durationSeconds: 7200,
  })
  expect(sts.requests).toEqual(["AssumeRoleWithWebIdentity shop-deploy 200"])
})

describe("a call whose form is wrong is refused before the token is looked at:", () => {
  const CASES: readonly [string, Record<string, string | null>, number, string][] = [
    ["no action", { Action: null }, 400, "MissingAction"],
    ["another action", { Action: "AssumeRole" }, 400, "InvalidAction"],
    ["another version", { Version: "2012-01-01" }, 400, "InvalidAction"],
    ["a parameter that the operation does not have", { ProviderId: "x" }, 400, "ValidationError"],
    ["no role", { RoleArn: null }, 400, "ValidationError"],
    ["a role that is no ARN", { RoleArn: "arn:aws:iam::1111:role/x-x-x" }, 400, "ValidationError"],
    ["a session name of one character", { RoleSessionName: "x" }, 400, "ValidationError"],
    ["a session name of 65", { RoleSessionName: "x".repeat(65) }, 400, "ValidationError"],
    ["a slash in the session name", { RoleSessionName: "acme/shop" }, 400, "ValidationError"],
    ["no token", { WebIdentityToken: null }, 400, "ValidationError"],
    ["a token of 20001 characters", { WebIdentityToken: "x".repeat(20_001) }, 400, "ValidationError"],
    ["899 seconds", { DurationSeconds: "899" }, 400, "ValidationError"],
    ["43201 seconds", { DurationSeconds: "43201" }, 400, "ValidationError"],
    ["a duration with a unit", { DurationSeconds: "15m" }, 400, "MalformedInput"],
    ["a session policy that is not JSON", { Policy: "{" }, 400, "MalformedPolicyDocument"],
    ["a session policy without a version", { Policy: '{"Statement":[]}' }, 400, "MalformedPolicyDocument"],
    [
      "a statement without an effect",
      { Policy: '{"Version":"2012-10-17","Statement":[{}]}' },
      400,
      "MalformedPolicyDocument",
    ],
    ["a session policy of 2049 characters", { Policy: JSON.stringify(POLICY).padEnd(2049) }, 400, "ValidationError"],
    ["a managed policy that is no ARN", { "PolicyArns.member.1.arn": "ReadOnlyAccessToAll" }, 400, "ValidationError"],
    [
      "managed policies that do not count from one",
      { "PolicyArns.member.2.arn": "arn:aws:iam::aws:policy/X" },
      400,
      "ValidationError",
    ],
  ]
  test.each(CASES)("%s", async (_, changes, status, code) => {
    const asked = issuer.requests.length
    const answer = await post(await form(changes))
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code })
    expect(answer.xml).toMatch(/^<ErrorResponse xmlns=.*<Type>Sender<\/Type>.*<RequestId>[0-9a-f-]{36}<\/RequestId>/s)
    expect(issuer.requests).toHaveLength(asked)
  })

  test("eleven managed policies", async () => {
    const arns = Array.from({ length: 11 }, (_, at) => [`PolicyArns.member.${at + 1}.arn`, "arn:aws:iam::aws:policy/X"])
    expect((await post(await form(Object.fromEntries(arns)))).code).toBe("ValidationError")
  })

  test("a parameter that comes twice", async () => {
    const twice = await form()
    twice.append("RoleArn", ROLE)
    expect((await post(twice)).code).toBe("ValidationError")
  })

  test("a GET, or another media type", async () => {
    expect((await readAnswer(await fetch(`${sts.url}/`))).code).toBe("MalformedInput")
    expect((await post("{}", { "Content-Type": "application/json" })).code).toBe("MalformedInput")
  })

  test("a form too large for any token", async () => {
    expect(
      (await post(`Action=${"x".repeat(300_000)}`, { "Content-Type": "application/x-www-form-urlencoded" })).code,
    ).toBe("MalformedInput")
  })

  test("a signed call: whoever makes it holds keys of AWS's", async () => {
    const answer = await post(await form(), { Authorization: "AWS4-HMAC-SHA256 Credential=AKIA/..." })
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 403, code: "InvalidClientTokenId" })
  })
})

describe("a token that does not hold is refused:", () => {
  const tagged = (tags: unknown) => () => token({ "https://aws.amazon.com/tags": tags })
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, ["v"]]))
  const future = () => Math.floor(Date.now() / 1000) + 60
  const CASES: readonly [string, () => Promise<string>, string][] = [
    ["no JWT", async () => "not.a.token", "InvalidIdentityToken"],
    [
      "an issuer without a provider in the account",
      () => token({ iss: "https://issuer.example" }),
      "InvalidIdentityToken",
    ],
    ["a key that was never published", () => token({}, { key: "stranger" }), "InvalidIdentityToken"],
    ["a kid that is unknown", () => token({}, { header: { kid: "other" } }), "InvalidIdentityToken"],
    ["no kid", () => token({}, { header: { kid: undefined } }), "InvalidIdentityToken"],
    ["another audience", () => token({}, { audience: "https://elsewhere.example" }), "InvalidIdentityToken"],
    ["a list of audiences", () => token({}, { audience: [AUDIENCE] }), "InvalidIdentityToken"],
    ["an expired one", () => token({}, { issuedAt: 1_700_000_000 }), "ExpiredTokenException"],
    ["one not valid yet", () => token({ nbf: future() }), "InvalidIdentityToken"],
    ["one issued in the future", () => token({ iat: future() }), "InvalidIdentityToken"],
    ["no subject", () => token({ sub: null }), "InvalidIdentityToken"],
    ["a subject of 256 characters", () => token({ sub: "s".repeat(256) }), "InvalidIdentityToken"],
    ["tags that are no object", tagged("all"), "InvalidIdentityToken"],
    ["an unknown member of tags", tagged({ principal_tags: {}, more: 1 }), "InvalidIdentityToken"],
    ["51 tags", tagged({ principal_tags: many }), "InvalidIdentityToken"],
    ["a tag with two values", tagged({ principal_tags: { k: ["a", "b"] } }), "InvalidIdentityToken"],
    ["a tag's value outside of a list", tagged({ principal_tags: { k: "a" } }), "InvalidIdentityToken"],
    ["a tag's key of 129 characters", tagged({ principal_tags: { ["k".repeat(129)]: ["v"] } }), "InvalidIdentityToken"],
    ["a tag's value of 257 characters", tagged({ principal_tags: { k: ["v".repeat(257)] } }), "InvalidIdentityToken"],
    ["a tag's value with a star", tagged({ principal_tags: { k: ["*"] } }), "InvalidIdentityToken"],
    ["a tag of AWS's own", tagged({ principal_tags: { "aws:k": ["v"] } }), "InvalidIdentityToken"],
    ["tag keys that differ in case only", tagged({ principal_tags: { k: ["v"], K: ["v"] } }), "InvalidIdentityToken"],
    [
      "a transitive tag that is no tag",
      tagged({ principal_tags: {}, transitive_tag_keys: ["k"] }),
      "InvalidIdentityToken",
    ],
  ]
  test.each(CASES)("%s", async (_, mint, code) => {
    trust({ tagSession: true })
    const answer = await post(await form({ WebIdentityToken: await mint() }))
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 400, code })
    expect(sts.issued).toEqual([])
  })
})

describe("an issuer that does not answer as it must is told apart:", () => {
  const CASES = [
    ["discovery", "unavailable", "IDPCommunicationError"],
    ["discovery", "redirect", "IDPCommunicationError"],
    ["jwks", "reset", "IDPCommunicationError"],
    ["jwks", "oversized", "InvalidIdentityToken"],
    ["jwks", "garbage", "InvalidIdentityToken"],
  ] as const
  test.each(CASES)("%s %s: %s", async (endpoint, how, code) => {
    issuer.fail(endpoint, how, 1)
    expect((await post(await form())).code).toBe(code)
  })
})

describe("the role decides:", () => {
  const DENIED: readonly [string, Partial<Role>][] = [
    ["another subject", { subject: { StringEquals: `${SUBJECT}-2` } }],
    ["a pattern that is no pattern for StringEquals", { subject: { StringEquals: "github:repository:41:*" } }],
    ["a pattern that does not match", { subject: { StringLike: "github:repository:41:environment:staging:*" } }],
    ["a pattern in another case", { subject: { StringLike: "github:REPOSITORY:*" } }],
    ["a dot that stands for itself", { subject: { StringLike: `${SUBJECT.slice(0, -1)}.` } }],
  ]
  test.each(DENIED)("%s is AccessDenied", async (_, changes) => {
    trust(changes)
    const answer = await post(await form())
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 403, code: "AccessDenied" })
  })

  const ALLOWED: readonly [string, Partial<Role>][] = [
    ["one of several subjects", { subject: { StringEquals: ["other", SUBJECT] } }],
    ["a star", { subject: { StringLike: "github:repository:41:*" } }],
    ["a question mark", { subject: { StringLike: SUBJECT.replace("41", "4?") } }],
  ]
  test.each(ALLOWED)("%s lets the token in", async (_, changes) => {
    trust(changes)
    expect((await post(await form())).status).toBe(200)
  })

  test("a role that does not exist is denied like one that lets nobody in", async () => {
    expect((await post(await form({ RoleArn: `${ROLE}-2` }))).code).toBe("AccessDenied")
  })

  test("an audience that another role of the account trusts is of no use here", async () => {
    trust({ arn: `${ROLE}-2`, audiences: ["other"] })
    expect((await post(await form({ WebIdentityToken: await token({}, { audience: "other" }) }))).code).toBe(
      "AccessDenied",
    )
  })

  test("a token with tags needs a role that permits them", async () => {
    const tags = { "https://aws.amazon.com/tags": { principal_tags: { k: ["v"] } } }
    const answer = await post(await form({ WebIdentityToken: await token(tags) }))
    expect(answer.code).toBe("AccessDenied")
    expect(answer.part("Message")).toContain("sts:TagSession")
  })

  test("a session longer than the role's maximum is a ValidationError", async () => {
    expect((await post(await form({ DurationSeconds: "3601" }))).code).toBe("ValidationError")
  })

  test("a session whose policy and tags do not pack is PackedPolicyTooLarge", async () => {
    const noise = Array.from({ length: 20 }, (_, at) => createHash("sha512").update(`${at}`).digest("base64"))
    const policy = { ...POLICY, Id: noise.join("") }
    expect((await post(await form({ Policy: JSON.stringify(policy) }))).code).toBe("PackedPolicyTooLarge")
  })
})

describe("STS can fail:", () => {
  test.each([
    ["Throttling", 400],
    ["IDPRejectedClaim", 403],
    ["RegionDisabledException", 403],
    ["ServiceUnavailable", 503],
  ] as const)("%s, as often as it is told to", async (code, status) => {
    sts.fail(code, 1)
    const answer = await post(await form())
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code })
    expect((await post(await form())).status).toBe(200)
  })

  test("slow, oversized, garbage, and an answer for another account", async () => {
    sts.fail("slow", 1)
    const slow = fetch(`${sts.url}/`, { method: "POST", body: await form(), signal: AbortSignal.timeout(300) })
    await expect(slow).rejects.toThrow()
    sts.fail("oversized", 1)
    expect((await post(await form())).xml.length).toBeGreaterThan(4 * 1024 * 1024)
    sts.fail("garbage", 1)
    expect((await post(await form())).part("AccessKeyId")).toBeUndefined()
    sts.fail("wrong-account", 1)
    expect((await post(await form())).part("Arn")).toMatch(/^arn:aws:sts::999988887777:/)
    sts.fail("Throttling")
    sts.fail(null)
    expect((await post(await form())).part("Arn")).toMatch(/^arn:aws:sts::111122223333:/)
  })
})

test("a request that nobody has a reason to make fails the test that made it", async () => {
  const strict = await startSts()
  expect((await fetch(`${strict.url}/latest/meta-data`)).status).toBe(404)
  await expect(strict.close()).rejects.toThrow("GET /latest/meta-data 404")
})

test("the log of requests and the answers' errors hold no token", async () => {
  const mine = await token({}, { audience: "elsewhere" })
  const answer = await post(await form({ WebIdentityToken: mine }))
  expect(answer.xml + sts.requests.join()).not.toContain(mine.split(".")[2])
})
