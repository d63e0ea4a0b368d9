import { describe, expect, it } from "vitest"
import { connection, grant } from "../../../broker/providers/aws/grant.ts"
import { connection as parameters } from "../../../broker/providers/aws/parameter-store/grant.ts"
import { endpointOf } from "../../../broker/providers/aws/partitions.ts"
import { aws } from "../../../broker/providers/aws/provider.ts"
import { connection as secrets } from "../../../broker/providers/aws/secrets-manager/grant.ts"
import { sessionTags } from "../../../broker/providers/aws/session.ts"
import { job } from "../job.ts"

const accounts = ["111122223333"]
const roleIn = (partition: string) => `arn:${partition}:iam::111122223333:role/shop-deploy`

/** One region of every partition. */
const REGIONS = [
  ["eu-west-1", "aws", "sts.eu-west-1.amazonaws.com"],
  ["cn-northwest-1", "aws-cn", "sts.cn-northwest-1.amazonaws.com.cn"],
  ["eusc-de-east-1", "aws-eusc", "sts.eusc-de-east-1.amazonaws.eu"],
  ["us-iso-east-1", "aws-iso", "sts.us-iso-east-1.c2s.ic.gov"],
  ["us-isob-east-1", "aws-iso-b", "sts.us-isob-east-1.sc2s.sgov.gov"],
  ["eu-isoe-west-1", "aws-iso-e", "sts.eu-isoe-west-1.cloud.adc-e.uk"],
  ["us-isof-south-1", "aws-iso-f", "sts.us-isof-south-1.csp.hci.ic.gov"],
  ["us-gov-west-1", "aws-us-gov", "sts.us-gov-west-1.amazonaws.com"],
] as const

const pairs = REGIONS.flatMap(([region, here]) =>
  REGIONS.flatMap(([, other]) => (other === here ? [] : [[region, here, other] as const])),
)

describe("a region of AWS", () => {
  it.each(REGIONS)("%s is in %s, and its STS is %s", (region, partition, host) => {
    const settings = connection.parse({ region, accounts })
    expect(endpointOf("sts", region)).toBe(`https://${host}`)
    expect(aws.check?.(grant.parse({ role: roleIn(partition) }), settings)).toBeNull()
    for (const store of [secrets, parameters])
      expect(store.safeParse({ region, role: roleIn(partition) }).success).toBe(true)
  })

  it.each([
    ["eu_west_1", "must be a region of AWS, such as eu-west-1"],
    ["EU-WEST-1", "must be a region of AWS, such as eu-west-1"],
    ["eu-west-1.example.com#", "must be a region of AWS, such as eu-west-1"],
    ["aws-global", "must be a region of AWS, such as eu-west-1"],
    ["ue-west-1", "no partition of AWS has regions with such a name"],
    ["eusc-fr-west-1", "no partition of AWS has regions with such a name"],
    ["us-isoz-east-1", "no partition of AWS has regions with such a name"],
  ])("is never %s", (region, why) => {
    for (const parsed of [
      connection.safeParse({ region, accounts }),
      secrets.safeParse({ region, role: roleIn("aws") }),
      parameters.safeParse({ region, role: roleIn("aws") }),
    ])
      expect(parsed.error?.issues.map(({ message }) => message)).toEqual([expect.stringContaining(why)])
  })
})

describe("the audience of tokens for AWS STS", () => {
  const audienceIn = (settings: object) => aws.audiences?.(connection.parse({ accounts, ...settings }))

  it.each([
    ["eu-west-1", "sts.amazonaws.com"],
    ["us-gov-east-1", "sts.amazonaws.com"],
    ["cn-north-1", "sts.amazonaws.com.cn"],
    ["eusc-de-east-1", "sts.amazonaws.eu"],
    ["us-iso-west-1", "sts.c2s.ic.gov"],
  ])("in %s is %s where the connection names none", (region, audience) => {
    expect(audienceIn({ region })).toEqual({ presented: [audience] })
  })

  it("is the connection's where it names one", () => {
    const audience = "sts.amazonaws.com"
    expect(audienceIn({ region: "cn-north-1", audience })).toEqual({ presented: [audience] })
  })
})

describe("a role of another partition", () => {
  it.each(pairs)("is not assumed in %s, which is in %s: %s", (region, here, other) => {
    const conflict = aws.check?.(grant.parse({ role: roleIn(other) }), connection.parse({ region, accounts }))
    expect(conflict).toBe(
      `the role is in the partition ${other}, but the connection's region ${region} is in ${here}. Use a role that begins with arn:${here}:, or a connection with a region of ${other}`,
    )
    for (const store of [secrets, parameters]) {
      const parsed = store.safeParse({ region, role: roleIn(other) })
      expect(parsed.error?.issues).toEqual([expect.objectContaining({ path: ["role"], message: conflict })])
    }
  })

  it("is found before its account is looked at, which says nothing across partitions", () => {
    const settings = connection.parse({ region: "eu-west-1", accounts: ["444455556666"] })
    expect(aws.check?.(grant.parse({ role: roleIn("aws-us-gov") }), settings)).toContain("in the partition aws-us-gov")
    expect(aws.check?.(grant.parse({ role: roleIn("aws") }), settings)).toContain("in account 111122223333")
  })

  it("is refused when AWS has no such partition", () => {
    for (const partition of ["aws-de", "aws-", "awscn", "AWS", "*", "aws|aws-cn"])
      expect(grant.safeParse({ role: roleIn(partition) }).success).toBe(false)
  })

  it("has one fault and throws nothing in a store's connection whose role is malformed", () => {
    for (const store of [secrets, parameters])
      expect(store.safeParse({ region: "eu-west-1", role: "shop" }).error?.issues.length).toBe(1)
  })
})

describe("what narrows a session", () => {
  const china = connection.parse({ region: "cn-north-1", accounts })
  const conflict = (narrow: object) => aws.check?.(grant.parse({ role: roleIn("aws-cn"), ...narrow }), china)
  const policy = (...statements: object[]) => ({
    session_policy: { Version: "2012-10-17", Statement: statements.map((one) => ({ Effect: "Allow", ...one })) },
  })

  it("is of the role's partition", () => {
    const [managed, own] = ["arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "arn:aws-cn:iam::111122223333:policy/shop"]
    expect(conflict({ policy_arns: [managed, own] })).toBeNull()
    expect(conflict(policy({ Action: "s3:*", Resource: "arn:aws-cn:s3:::shop/*" }))).toBeNull()
  })

  it("is no managed policy of another", () => {
    const arns = ["arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess"]
    expect(conflict({ policy_arns: arns })).toBe(
      "policy_arns contains arn:aws:iam::aws:policy/AmazonS3FullAccess, but the role is in the partition aws-cn: write arn:aws-cn:iam::aws:policy/AmazonS3FullAccess",
    )
  })

  it.each([
    [{ Resource: "arn:aws:s3:::shop/*" }],
    [{ Resource: ["*", "arn:aws:s3:::shop/*"] }],
    [{ NotResource: "arn:aws:s3:::shop/*" }],
  ])("is about no resource of another: %o", (statement) => {
    const says =
      "session_policy contains arn:aws:s3:::shop/*, but the role is in the partition aws-cn: write arn:aws-cn:s3:::shop/*"
    expect(conflict(policy({ Action: "s3:*", Resource: "*" }, { Action: "s3:*", ...statement }))).toBe(says)
    const [only] = policy({ Action: "s3:*", ...statement }).session_policy.Statement
    expect(conflict({ session_policy: { Version: "2012-10-17", Statement: only } })).toBe(says)
  })

  it.each([
    [{ Sid: "für" }, null],
    [{ Sid: "ÿ\t\n" }, null],
    [{ Resource: "arn:aws-cn:s3:::日本/*" }, ["session_policy", "Statement", 0, "Resource"]],
    [{ Condition: { StringEquals: { "aws:PrincipalTag/団体": "x" } } }, "aws:PrincipalTag/団体"],
    [{ Resource: ["*", "a😀"] }, 1],
    [{ Sid: "\u0100" }, "Sid"],
  ] as const)("has only characters that STS accepts: %o", (statement, path) => {
    const parsed = grant.safeParse({ role: roleIn("aws-cn"), ...policy({ Action: "s3:*", ...statement }) })
    const [issue, ...more] = parsed.error?.issues ?? []
    if (path === null) return expect(issue).toBeUndefined()
    expect(more).toEqual([])
    expect(issue?.message).toMatch(/beyond U\+00FF, which STS does not accept/)
    if (typeof path === "object") expect(issue?.path).toEqual(path)
    else expect(issue?.path.at(-1)).toBe(path)
  })

  it("may name any partition's, or none's, where IAM does not hold it against the role's", () => {
    for (const Resource of [
      "*",
      "arn:*:s3:::shop/*",
      "arn:aws*:s3:::shop",
      `arn:$\{aws:PrincipalTag/partition}:s3:::shop`,
    ])
      expect(conflict(policy({ Action: "s3:*", Resource }))).toBeNull()
    const Condition = { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::444455556666:role/x" } }
    expect(conflict(policy({ Action: "s3:*", Resource: "*", Condition }))).toBeNull()
  })
})

it("session tags tell two jobs apart whose issuers know the same names and ids", () => {
  const [ours, theirs] = ["github", "forgejo"].map((issuer) => sessionTags(job({ issuer }), "aws-deploy"))
  expect(ours).toMatchObject({ principal_tags: { issuer: ["github"], repository_id: ["41"], grant: ["aws-deploy"] } })
  expect(theirs).not.toEqual(ours)
})

describe("a ceiling over roles", () => {
  const ireland = connection.parse({ region: "eu-west-1", accounts })
  const fault = (field: string, pattern: string) => aws.checkCeiling?.(field, pattern, ireland)

  it.each([
    ["role", "arn:aws-us-gov:iam::*:role/**", "write arn:aws:iam::*:role/**"],
    ["role", "arn:aws-cn:iam::111122223333:role/x", "write arn:aws:iam::111122223333:role/x"],
    ["policy_arns", "arn:aws-eusc:iam::aws:policy/*", "write arn:aws:iam::aws:policy/*"],
  ])("for %s cannot be %s: nothing would be inside", (field, pattern, remedy) => {
    expect(fault(field, pattern)).toContain("not in the partition of the connection's region eu-west-1")
    expect(fault(field, pattern)).toContain(remedy)
  })

  it.each([
    ["role", "arn:aws:iam::111122223333:role/*"],
    ["role", "arn:*:iam::111122223333:role/*"],
    ["role", "arn:aws*:iam::111122223333:role/*"],
    ["role", "**"],
    ["session_policy", "arn:aws-cn:s3:::shop"],
  ])("for %s may be %s", (field, pattern) => {
    expect(fault(field, pattern)).toBeNull()
  })
})
