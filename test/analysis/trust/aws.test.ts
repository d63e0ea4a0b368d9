// What a role's trust policy lets in, by IAM's rules. The rules are those of the IAM User Guide ("Condition operators",
// "Multivalued context keys", "Null check"); the documents are as the console, Terraform and the command line write them.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BROKER, codesOf, compared, notesOf, open, ROLE, SHOP, subject } from "./support.ts"

const PROVIDER = "arn:aws:iam::111122223333:oidc-provider/daypass.example.com"
const GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
const [SUB, AUD] = ["daypass.example.com:sub", "daypass.example.com:aud"]
const ACTIONS = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
const STS = { [AUD]: "sts.amazonaws.com" }

const statement = (Condition: unknown, changes: object = {}) => ({
  Effect: "Allow",
  Principal: { Federated: PROVIDER },
  Action: ACTIONS,
  ...(Condition === undefined ? {} : { Condition }),
  ...changes,
})
const policy = (...Statement: unknown[]) => ({ Version: "2012-10-17", Statement })
const only = (Condition: unknown, changes: object = {}) => policy(statement(Condition, changes))

describe("a trust policy that lets in exactly what the policies give", () => {
  it.each([
    { name: "equals", document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }) },
    { name: "a list", document: only({ StringEquals: { [AUD]: ["sts.amazonaws.com"], [SUB]: [SHOP.subject] } }) },
    { name: "like without a wildcard", document: only({ StringLike: { ...STS, [SUB]: SHOP.subject } }) },
    {
      name: "keys in capitals",
      document: only({
        StringEquals: { "DAYPASS.example.com:AUD": "sts.amazonaws.com", "Daypass.Example.Com:Sub": SHOP.subject },
      }),
    },
    { name: "operators in small letters", document: only({ stringequals: { ...STS, [SUB]: SHOP.subject } }) },
    {
      name: "IfExists on a key that is always there",
      document: only({ StringEqualsIfExists: { ...STS, [SUB]: SHOP.subject } }),
    },
    {
      name: "ForAllValues on a key that is always there",
      document: only({ "ForAllValues:StringEquals": { ...STS, [SUB]: SHOP.subject } }),
    },
    { name: "ForAnyValue", document: only({ "ForAnyValue:StringEquals": { ...STS, [SUB]: SHOP.subject } }) },
    {
      name: "a wildcard that another condition narrows",
      document: only({ StringLike: { [SUB]: "github:*" }, StringEquals: { ...STS, [SUB]: SHOP.subject } }),
    },
    {
      name: "actions by a wildcard",
      document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }, { Action: "sts:*" }),
    },
    {
      name: "Null that asks for the key",
      document: only({ Null: { [SUB]: "false" }, StringEquals: { ...STS, [SUB]: SHOP.subject } }),
    },
    {
      name: "another statement that no token fulfils, because its key is another issuer's",
      document: policy(
        statement({ StringEquals: { ...STS, [SUB]: SHOP.subject } }),
        statement({
          StringEquals: { ...STS, "token.actions.githubusercontent.com:sub": "repo:acme/shop:ref:refs/heads/main" },
        }),
      ),
    },
    {
      name: "a deny of everything else",
      document: policy(
        statement({ StringEquals: STS }),
        statement({ StringNotEquals: { [SUB]: SHOP.subject } }, { Effect: "Deny", Principal: "*", Action: "*" }),
      ),
    },
  ])("is proved: $name", ({ document }) => {
    const found = compared(document)
    expect(found.findings).toEqual([])
    expect(found.proved).toBe(true)
  })

  it("is proved in each form that aws iam get-role has", () => {
    const document = only({ StringEquals: { ...STS, [SUB]: SHOP.subject } })
    const role = { Path: "/", RoleName: "shop-deploy", Arn: ROLE, MaxSessionDuration: 3600 }
    for (const AssumeRolePolicyDocument of [
      document,
      JSON.stringify(document),
      encodeURIComponent(JSON.stringify(document)),
    ]) {
      expect(compared({ Role: { ...role, AssumeRolePolicyDocument } }).findings).toEqual([])
      expect(compared({ ...role, AssumeRolePolicyDocument }).proved).toBe(true)
    }
  })
})

it("takes no percent-encoding away from a document that has none around it", () => {
  const none = subject({ environment: null })
  const document = only({ StringEquals: { ...STS, [SUB]: subject({ environment: "-" }).subject } })
  const found = (text: string) => codesOf(compared({ Arn: ROLE, AssumeRolePolicyDocument: text }, { subjects: [none] }))
  expect(found(JSON.stringify(document))).toEqual(["subject_stale"])
  expect(found(encodeURIComponent(JSON.stringify(document)))).toEqual(["subject_stale"])
})

describe("a trust policy that lets in more", () => {
  it.each([
    { name: "no condition at all", document: only(undefined), codes: ["audience_missing", "subject_missing"] },
    { name: "no audience", document: only({ StringEquals: { [SUB]: SHOP.subject } }), codes: ["audience_missing"] },
    { name: "no subject", document: only({ StringEquals: STS }), codes: ["subject_missing"] },
    {
      name: "a star at the end",
      document: only({ StringEquals: STS, StringLike: { [SUB]: `${SHOP.subject}*` } }),
      codes: ["subject_wildcard"],
    },
    {
      name: "a question mark",
      document: only({ StringEquals: STS, StringLike: { [SUB]: SHOP.subject.replace(/.$/, "?") } }),
      codes: ["subject_wildcard"],
    },
    {
      name: "every grant of the repository",
      document: only({ StringEquals: STS, StringLike: { [SUB]: "github:repository:41:*" } }),
      codes: ["subject_wildcard"],
    },
    {
      name: "one wildcard in a list",
      document: only({ StringEquals: STS, StringLike: { [SUB]: [SHOP.subject, "*:grant:deploy"] } }),
      codes: ["subject_wildcard"],
    },
    {
      name: "any case",
      document: only({ StringEquals: STS, StringEqualsIgnoreCase: { [SUB]: SHOP.subject } }),
      codes: ["subject_wildcard"],
    },
    {
      name: "only an exclusion",
      document: only({ StringEquals: STS, StringNotEquals: { [SUB]: "x" } }),
      codes: ["subject_wildcard"],
    },
    {
      name: "any audience by a star",
      document: only({ StringLike: { [AUD]: "*" }, StringEquals: { [SUB]: SHOP.subject } }),
      codes: ["audience_beyond"],
    },
    {
      name: "another audience",
      document: only({ StringEquals: { [AUD]: ["sts.amazonaws.com", "daypass-aws-stores"], [SUB]: SHOP.subject } }),
      codes: ["audience_beyond"],
    },
    {
      name: "a stale subject",
      document: only({ StringEquals: { ...STS, [SUB]: [SHOP.subject, subject({ grant: "old" }).subject] } }),
      codes: ["subject_stale"],
    },
    {
      name: "the broker's older form",
      document: only({ StringEquals: { ...STS, [SUB]: "repository:acme/shop:environment:production:grant:deploy" } }),
      codes: ["subject_by_name"],
    },
    {
      name: "GitHub's form",
      document: only({ StringEquals: { ...STS, [SUB]: "repo:acme/shop:environment:production" } }),
      codes: ["subject_by_name"],
    },
    {
      name: "GitHub's own issuer beside the broker",
      document: policy(
        statement({ StringEquals: { ...STS, [SUB]: SHOP.subject } }),
        statement(
          { StringEquals: { "token.actions.githubusercontent.com:sub": "repo:acme/shop:ref:refs/heads/main" } },
          { Principal: { Federated: GITHUB } },
        ),
      ),
      codes: ["issuer_other", "subject_by_name"],
    },
    {
      name: "two providers in one statement",
      document: only(
        { StringEquals: { ...STS, [SUB]: SHOP.subject } },
        { Principal: { Federated: [PROVIDER, "accounts.google.com"] } },
      ),
      codes: [],
    },
    {
      name: "two providers, and a condition that the other one passes",
      document: only(
        { StringEqualsIfExists: { ...STS, [SUB]: SHOP.subject } },
        { Principal: { Federated: [PROVIDER, "accounts.google.com"] } },
      ),
      codes: ["issuer_other"],
    },
    {
      name: "IfExists on another issuer's key",
      document: only({ StringEquals: STS, StringEqualsIfExists: { "token.actions.githubusercontent.com:sub": "x" } }),
      codes: ["subject_missing"],
    },
    {
      name: "ForAllValues on another issuer's key",
      document: only({
        StringEquals: STS,
        "ForAllValues:StringEquals": { "token.actions.githubusercontent.com:sub": "x" },
      }),
      codes: ["subject_missing"],
    },
    {
      name: "a negated operator on another issuer's key",
      document: only({ StringEquals: STS, StringNotLike: { "token.actions.githubusercontent.com:sub": "*" } }),
      codes: ["subject_missing"],
    },
    {
      name: "Null on another issuer's key",
      document: only({ StringEquals: STS, Null: { "token.actions.githubusercontent.com:sub": "true" } }),
      codes: ["subject_missing"],
    },
    {
      name: "an operator that IAM does not have",
      document: only({ StringEquals: STS, StringMatches: { [SUB]: SHOP.subject } }),
      codes: ["subject_missing"],
    },
    {
      name: "a star that is escaped, and so is no wildcard",
      document: only({ StringEquals: STS, StringLike: { [SUB]: [SHOP.subject, `github:\${*}`] } }),
      codes: ["subject_stale"],
    },
    {
      name: "a variable as the subject",
      document: only({ StringEquals: { ...STS, [SUB]: `\${daypass.example.com:sub}` } }),
      codes: ["subject_missing"],
    },
    {
      name: "only a session tag",
      document: only({ StringEquals: { ...STS, "aws:RequestTag/repository_id": "41" } }),
      codes: ["subject_missing"],
    },
    {
      name: "an AWS account",
      document: policy(statement({ StringEquals: { ...STS, [SUB]: SHOP.subject } }), {
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111122223333:root" },
        Action: "sts:AssumeRole",
      }),
      codes: ["principal_other"],
    },
    {
      name: "a service",
      document: policy(statement({ StringEquals: { ...STS, [SUB]: SHOP.subject } }), {
        Effect: "Allow",
        Principal: { Service: "ec2.amazonaws.com" },
        Action: "sts:AssumeRole",
      }),
      codes: ["principal_other"],
    },
    {
      name: "everyone",
      document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }, { Principal: "*" }),
      codes: ["principal_other"],
    },
    {
      name: "NotPrincipal",
      document: policy({ Effect: "Allow", NotPrincipal: { AWS: "arn:aws:iam::1:root" }, Action: ACTIONS }),
      codes: ["principal_other", "audience_missing", "subject_missing"],
    },
    {
      name: "NotAction",
      document: policy({ Effect: "Allow", Principal: { Federated: PROVIDER }, NotAction: "sts:AssumeRole" }),
      codes: ["audience_missing", "subject_missing"],
    },
    {
      name: "a key that IAM does not have",
      document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }, { Principals: {} }),
      codes: ["not_understood"],
    },
    {
      name: "an effect in small letters",
      document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }, { Effect: "allow" }),
      codes: ["not_understood"],
    },
    { name: "a condition that is no block", document: only([]), codes: ["not_understood"] },
    {
      name: "a key in two spellings",
      document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject, [SUB.toUpperCase()]: "x" } }),
      codes: ["not_understood"],
    },
    {
      name: "an operator in two spellings",
      document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject }, stringEquals: { [SUB]: "x" } }),
      codes: ["not_understood"],
    },
    {
      name: "a value that is no text",
      document: only({ StringEquals: { ...STS, [SUB]: { a: "b" } } }),
      codes: ["not_understood"],
    },
    { name: "statements that are texts", document: policy("Allow"), codes: ["not_understood"] },
    {
      name: "a deny with two conditions, of which only one is about the subject",
      document: policy(
        statement({ StringEquals: STS }),
        statement(
          { StringNotEquals: { [SUB]: SHOP.subject }, Bool: { "aws:SecureTransport": "true" } },
          { Effect: "Deny" },
        ),
      ),
      codes: ["subject_missing"],
    },
    {
      name: "a deny for another issuer",
      document: policy(
        statement({ StringEquals: STS }),
        statement({ StringNotEquals: { [SUB]: SHOP.subject } }, { Effect: "Deny", Principal: { Federated: GITHUB } }),
      ),
      codes: ["subject_missing"],
    },
    {
      name: "a deny that spares the broker",
      document: policy(
        statement({ StringEquals: STS }),
        statement(
          { StringNotEquals: { [SUB]: SHOP.subject } },
          { Effect: "Deny", Principal: undefined, NotPrincipal: { Federated: PROVIDER } },
        ),
      ),
      codes: ["subject_missing"],
    },
    {
      name: "everyone, in AWS's older form",
      document: only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }, { Principal: { AWS: "*" } }),
      codes: ["principal_other"],
    },
    {
      name: "a deny of another action",
      document: policy(
        statement({ StringEquals: STS }),
        statement({ StringNotEquals: { [SUB]: SHOP.subject } }, { Effect: "Deny", Action: "sts:TagSession" }),
      ),
      codes: ["subject_missing"],
    },
  ])("is told: $name", ({ document, codes }) => {
    const found = compared(document)
    expect(codesOf(found)).toEqual(codes)
    expect(found.proved).toBe(codes.length === 0)
  })

  it("has an example that it lets in, and that looks real", () => {
    const document = only({
      StringEquals: STS,
      StringLike: { [SUB]: "github:repository:41:environment:production:grant:*" },
    })
    const [finding] = compared(document).findings
    expect(finding).toMatchObject({ place: "the statement", example: subject({ grant: "another" }).subject })
  })

  it("says of a condition that restricts nothing why, and of a tag that it has a name", () => {
    const inert = only({ StringEquals: STS, StringEqualsIfExists: { "token.actions.githubusercontent.com:sub": "x" } })
    expect(compared(inert).findings[0]?.message).toContain("(a key of another issuer: it restricts nothing)")
    const named = only({ StringEquals: { ...STS, "aws:RequestTag/repository": "acme/shop" } })
    expect(codesOf(compared(named))).toEqual(["subject_missing", "condition_on_name"])
    const both = only({ StringEquals: { ...STS, [SUB]: SHOP.subject, "aws:RequestTag/repository": "acme/shop" } })
    expect([codesOf(compared(both)), notesOf(compared(both))]).toEqual([[], ["condition_on_name"]])
  })

  it("names the statement of several", () => {
    const document = policy(
      statement({ StringEquals: { ...STS, [SUB]: SHOP.subject } }),
      statement({ StringEquals: STS }),
    )
    expect(compared(document).findings.map(({ place }) => place)).toEqual(["statement 2"])
  })
})

describe("a role's ARN", () => {
  const other = subject({ unitId: "42", door: "arn:aws:iam::111122223333:role/other" })
  const role = (document: unknown, Arn = ROLE) => ({ Role: { Arn, AssumeRolePolicyDocument: document } })

  it("leaves out what other roles are for", () => {
    const document = only({ StringEquals: { ...STS, [SUB]: [SHOP.subject, other.subject] } })
    const found = compared(role(document), { subjects: [SHOP, other] })
    expect(codesOf(found)).toEqual(["subject_of_another_grant"])
    expect(found.findings[0]?.message).toContain("role/other")
  })

  it("fits a grant whose role has gaps", () => {
    const open = subject({ door: `arn:aws:iam::111122223333:role/shop-\${ref_name}` })
    const document = only({ StringEquals: { ...STS, [SUB]: open.subject } })
    expect(compared(role(document), { subjects: [open] }).proved).toBe(true)
    expect(compared(role(document, "arn:aws:iam::111122223333:role/api"), { subjects: [open] }).proved).toBe(false)
  })
})

describe("what the policies give", () => {
  it("is told as a note when it is not let in", () => {
    const other = subject({ unitId: "42" })
    const found = compared(only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }), { subjects: [SHOP, other] })
    expect(notesOf(found)).toEqual(["not_let_in"])
    expect(found.findings[0]).toMatchObject({ example: other.subject })
    expect(found.proved).toBe(true)
  })

  it("is not let in without sts:TagSession, if the broker sends tags", () => {
    const document = only({ StringEquals: { ...STS, [SUB]: SHOP.subject } }, { Action: ACTIONS[0] })
    expect(notesOf(compared(document))).toEqual(["tags_refused"])
    expect(notesOf(compared(document, { sendsTags: false }))).toEqual([])
  })

  it("may have no list, and then a subject is not proved", () => {
    const document = only({ StringEquals: { ...STS, [SUB]: subject({ unitId: "77" }).subject } })
    const found = compared(document, { subjects: [], open: [open()] })
    expect(codesOf(found)).toEqual(["subject_unproven"])
    expect(
      codesOf(
        compared(document, { subjects: [], open: [open({ grant: "x", subjects: "github:repository:*:grant:x" })] }),
      ),
    ).toEqual(["subject_stale"])
  })

  it("is compared exactly with the issuer's path", () => {
    const issuer = `${BROKER}/eu`
    const Principal = { Federated: `${PROVIDER}/eu` }
    const document = (key: string) =>
      only({ StringEquals: { [`${key}:aud`]: "sts.amazonaws.com", [`${key}:sub`]: SHOP.subject } }, { Principal })
    expect(compared(document("daypass.example.com/eu"), { issuer }).findings).toEqual([])
    // The key of a provider without the path is another provider's.
    expect(notesOf(compared(document("daypass.example.com"), { issuer }))).toEqual(["not_let_in"])
  })
})

describe("for any patterns and any subjects", () => {
  /** Every text of up to four letters, of which the patterns spell out two. */
  const every = ["", "a", "b", "c"].flatMap((one) =>
    ["", "a", "b", "c"].flatMap((two) =>
      ["", "a", "b", "c"].flatMap((three) => ["", "a", "b", "c"].map((four) => one + two + three + four)),
    ),
  )
  const matches = (source: string, text: string) =>
    new RegExp(`^${source.replaceAll("?", "[^]").replaceAll("*", "[^]*")}$`).test(text)
  const source = fc
    .array(fc.constantFrom("a", "b", "*", "?"), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join(""))
  const sources = fc.array(source, { minLength: 1, maxLength: 3 })
  const texts = fc.uniqueArray(fc.constantFrom(...every.filter((text) => text !== "")), { maxLength: 10 })

  it("the verdict is that of a search of every text", () => {
    fc.assert(
      fc.property(sources, fc.option(sources, { nil: null }), texts, (like, not, given) => {
        const document = only({
          StringEquals: STS,
          StringLike: { [SUB]: like },
          ...(not === null ? {} : { StringNotLike: { [SUB]: not } }),
        })
        const letIn = (text: string) =>
          like.some((one) => matches(one, text)) && !not?.some((one) => matches(one, text))
        const subjects = given.map((one) => ({ ...SHOP, subject: one }))
        const found = compared(document, { subjects, strangers: [] })
        const beyond = every.filter((text) => letIn(text) && !given.includes(text))
        if (beyond.length > 0) expect(found.proved).toBe(false)
        // What only a longer text shows has an example, which is checked by itself.
        for (const { severity, example = "" } of found.findings) {
          if (severity === "finding") expect([letIn(example), given.includes(example)]).toEqual([true, false])
        }
        if (found.proved) expect(beyond).toEqual([])
        const refused = found.findings.flatMap(({ code, example }) => (code === "not_let_in" ? [example] : []))
        expect(refused.toSorted()).toEqual(given.filter((text) => !letIn(text)).toSorted())
      }),
      { numRuns: 500 },
    )
  })
})
