import { describe, expect, it } from "vitest"
import { fail } from "../../../broker/core/result.ts"
import { batchesOf } from "../../../broker/providers/aws/parameter-store/api.ts"
import {
  connection as parametersConnection,
  parseLocator as parseParameter,
} from "../../../broker/providers/aws/parameter-store/grant.ts"
import {
  parseLocator as parseSecret,
  connection as secretsConnection,
} from "../../../broker/providers/aws/secrets-manager/grant.ts"
import { errorCode } from "../../../broker/providers/aws/signed-call.ts"
import { located } from "../../../broker/providers/read-grant.ts"

const UUID = "a1b2c3d4-5678-90ab-cdef-1234567890ab"

describe("a locator of Secrets Manager", () => {
  it.each([
    "stripe",
    "shop/stripe",
    "/shop/stripe",
    "shop/a..b/.env/x.",
    "shop/Stripe_+=.@-9",
    "rds!cluster-1a96bebc-86c1-4982-9f9f-7d6a651d2464",
    "shop/stripe#api_key",
    "shop/stripe#api key of/the:shop",
    "shop/stripe:AWSPREVIOUS",
    "shop/stripe:AWSPENDING#api_key",
    `shop/stripe:${UUID}`,
    "shop/stripe:terraform-20260522101010000000000001#api_key",
  ])("may be %s", (locator) => {
    expect(parseSecret(locator).ok).toBe(true)
  })

  it.each([
    ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/stripe-AbCd12", "is an ARN"],
    ["https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=shop", "is a URL"],
    ["", "must be a secret's name"],
    ["#api_key", "must be a secret's name"],
    ["shop stripe", "must be a secret's name"],
    ["shop/stripé", "must be a secret's name"],
    ["shop%2Fstripe", "must be a secret's name"],
    ["shop/*", "must be a secret's name"],
    ["shop/stripe#a#b", "must be a secret's name"],
    ["/", "between its slashes"],
    ["//stripe", "between its slashes"],
    ["shop//stripe", "between its slashes"],
    ["shop/stripe/", "between its slashes"],
    ["shop/./stripe", "between its slashes"],
    ["shop/../bank/key", "between its slashes"],
    ["..", "between its slashes"],
    ["shop/stripe:", "must have a version"],
    ["shop/stripe:AWS PREVIOUS", "must have a version"],
    [`shop/stripe:${"x".repeat(65)}`, "must have a version"],
    ["shop/stripe:AWSPREVIOUS:x", "more than one version"],
    ["shop/stripe:AWSCURRENT", "remove :AWSCURRENT"],
    ["shop/stripe#", "must name a field after the #"],
  ])("is never %o", (locator, why) => {
    expect(parseSecret(locator)).toEqual(fail(expect.stringContaining(why)))
  })

  it("names the version by a label where it is short, and by an id where it is long", () => {
    const versionOf = (locator: string) => located([locator], parseSecret)[0]?.place.version
    expect(versionOf("a")).toBeNull()
    expect(versionOf("a#field")).toBeNull()
    expect(versionOf("a:AWSPREVIOUS")).toEqual({ stage: "AWSPREVIOUS" })
    expect(versionOf(`a:${"x".repeat(31)}`)).toEqual({ stage: "x".repeat(31) })
    expect(versionOf(`a:${"x".repeat(32)}`)).toEqual({ id: "x".repeat(32) })
  })
})

describe("a locator of Parameter Store", () => {
  it.each([
    "region",
    "/region",
    "/shop/db/password",
    `/${Array.from({ length: 15 }, (_, index) => `l${index}`).join("/")}`,
    "/shop/db.password_9-x",
    "/shop/db/password:3",
    "/shop/db/password:live",
    "/shop/db/password:_3.x-y#user",
    "/aws-shop/key",
  ])("may be %s", (locator) => {
    expect(parseParameter(locator).ok).toBe(true)
  })

  it.each([
    ["arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db", "is an ARN"],
    ["https://ssm.eu-west-1.amazonaws.com/shop/db", "is a URL"],
    ["", "must be a parameter's name"],
    ["/shop/d b", "must be a parameter's name"],
    ["/shop/db@3", "must be a parameter's name"],
    ["/shop/%2e%2e/bank", "must be a parameter's name"],
    ["/", "between its slashes"],
    ["/shop/", "between its slashes"],
    ["//shop", "between its slashes"],
    ["/shop/./db", "between its slashes"],
    ["/shop/../bank", "between its slashes"],
    ["shop/db", "must begin with a slash"],
    [`/${Array.from({ length: 16 }, () => "l").join("/")}`, "15 levels"],
    ["/aws/reference/secretsmanager/shop/stripe", "aws-secrets-manager"],
    ["/AWS/service/ami", "aws-secrets-manager"],
    ["/shop/db:", "must have a version"],
    ["/shop/db:0", "must have a version"],
    ["/shop/db:03", "must have a version"],
    ["/shop/db:1a", "must have a version"],
    ["/shop/db:awsLabel", "must have a version"],
    ["/shop/db:SSM", "must have a version"],
    [`/shop/db:${"x".repeat(101)}`, "must have a version"],
    ["/shop/db:3:live", "more than one version"],
    ["/shop/db#", "must name a field after the #"],
  ])("is never %o", (locator, why) => {
    expect(parseParameter(locator)).toEqual(fail(expect.stringContaining(why)))
  })
})

describe("parameters are shared out among calls", () => {
  const placesOf = (locators: readonly string[]) => located(locators, parseParameter).map(({ place }) => place)

  it.each([
    [1, [1]],
    [10, [10]],
    [11, [10, 1]],
    [64, [10, 10, 10, 10, 10, 10, 4]],
  ])("%i into calls of at most ten", (count, sizes) => {
    const places = placesOf(Array.from({ length: count }, (_, index) => `/shop/${index}`))
    expect(batchesOf(places).map((batch) => batch.length)).toEqual(sizes)
    expect(batchesOf(places).flat()).toEqual(places)
  })

  it("and no call has a parameter twice", () => {
    const texts = ["/a", "/b", "/a:1", "/a:2", "/b:1", "/c"]
    const batches = batchesOf(placesOf(texts)).map((batch) => batch.map(({ text }) => text))
    expect(batches).toEqual([["/a", "/b", "/c"], ["/a:1", "/b:1"], ["/a:2"]])
  })
})

describe("a connection to AWS's stores", () => {
  const connection = { region: "eu-west-1", role: "arn:aws:iam::111122223333:role/daypass-read" }

  it.each([secretsConnection, parametersConnection])("has an audience of its own where it says none", (schema) => {
    expect(schema.parse(connection)).toMatchObject({ audience: "daypass-aws-stores", session_tags: true })
  })

  it.each<[string, object]>([
    ["no role", { role: undefined }],
    ["a user for a role", { role: "arn:aws:iam::111122223333:user/reader" }],
    ["no region", { region: undefined }],
    ["the audience of roles for jobs", { audience: "sts.amazonaws.com" }],
    ["the audience of roles for jobs in China", { audience: "sts.amazonaws.com.cn" }],
    ["the audience of roles for jobs in the European Sovereign Cloud", { audience: "sts.amazonaws.eu" }],
    ["an http endpoint", { endpoint: "http://secretsmanager.example.com" }],
    ["an endpoint with a path", { endpoint: "https://example.com/secretsmanager" }],
    ["an endpoint with a query", { endpoint: "https://example.com?x" }],
    ["an endpoint with a password", { endpoint: "https://a:b@example.com" }],
    ["a cache of an hour", { cache: "1h" }],
    ["a key that it does not have", { accounts: ["111122223333"] }],
  ])("never has %s", (_, change) => {
    for (const schema of [secretsConnection, parametersConnection])
      expect(schema.safeParse({ ...connection, ...change }).success).toBe(false)
  })

  it.each(["https://vpce-1.ssm.eu-west-1.vpce.amazonaws.com", "http://127.0.0.1:4566/"])("may be at %s", (endpoint) => {
    expect(parametersConnection.safeParse({ ...connection, endpoint }).success).toBe(true)
  })
})

describe("the code of a refusal", () => {
  const code = (body: string, header: string | null = null) =>
    errorCode({ body: new TextEncoder().encode(body), header: () => header })

  it.each([
    ['{"__type":"ThrottlingException"}', null, "ThrottlingException"],
    ['{"__type":"com.amazonaws.secretsmanager#ThrottlingException"}', null, "ThrottlingException"],
    ["{}", "ThrottlingException:http://internal.amazon.com/coral/#x", "ThrottlingException"],
    ['{"__type":"One"}', "Two", "One"],
    ['{"__type":7}', "Two", "Two"],
    ["<html>", null, ""],
    ["null", null, ""],
  ])("of %s with the header %s is %o", (body, header, expected) => {
    expect(code(body, header)).toBe(expected)
  })
})
