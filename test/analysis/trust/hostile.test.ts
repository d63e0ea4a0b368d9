// Documents come from elsewhere: whatever they have in them, they are read within a bound, or refused in words.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compareTrust } from "../../../analysis/trust/compare.ts"
import { readDoor } from "../../../analysis/trust/door.ts"
import type { Expected } from "../../../analysis/trust/model.ts"
import { strangersOf } from "../../../analysis/trust/strangers.ts"
import { BROKER, codesOf, compared, POOL, plain, SHOP, subject } from "./support.ts"

const EXPECTED: Expected = {
  issuer: BROKER,
  audiences: ["sts.amazonaws.com"],
  door: null,
  subjects: [SHOP],
  others: [],
  open: [],
  strangers: strangersOf([SHOP]),
  pools: [POOL],
  sendsTags: true,
}

/** Words that the readers look for, so that random documents get far into them. */
const KEYS = [
  "Statement",
  "Effect",
  "Action",
  "Principal",
  "Federated",
  "Condition",
  "StringEquals",
  "ForAllValues:StringLikeIfExists",
  "Null",
  "daypass.example.com:sub",
  "daypass.example.com:aud",
  "Role",
  "AssumeRolePolicyDocument",
  "data",
  "bound_subject",
  "bound_claims",
  "bound_audiences",
  "sub",
  "issuer",
  "subject",
  "audiences",
  "claimsMatchingExpression",
  "value",
  "oidc",
  "issuerUri",
  "attributeCondition",
  "attributeMapping",
  "bindings",
  "members",
]
const TEXTS = [
  "Allow",
  "Deny",
  "*",
  "sts:*",
  "glob",
  BROKER,
  SHOP.subject,
  "assertion.sub == 'x'",
  "claims['sub'] eq 'x'",
  "%",
  `\${*}`,
  "",
]
const { document } = fc.letrec<{ document: unknown }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<unknown>(...TEXTS, null, true, 7, [], {}),
    fc.array(tie("document"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("document"), { maxKeys: 4 }),
  ),
}))

describe("any document", () => {
  it("is refused in words or compared, and never throws", () => {
    fc.assert(
      fc.property(document, (value) => {
        const door = readDoor(plain(value), EXPECTED, () => null)
        if (!door.ok) expect(door.fault).not.toBe("")
        else expect(compareTrust(door.value, EXPECTED).findings).toBeInstanceOf(Array)
      }),
      { numRuns: 3000 },
    )
  })
})

describe("a large document", () => {
  const policy = (like: readonly string[], operator = "StringLike") => ({
    Statement: {
      Effect: "Allow",
      Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/daypass.example.com" },
      Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
      Condition: {
        StringEquals: { "daypass.example.com:aud": "sts.amazonaws.com" },
        [operator]: { "daypass.example.com:sub": like },
      },
    },
  })
  const many = Array.from({ length: 2000 }, (_, index) => subject({ unitId: String(1000 + index) }))

  it("with thousands of subjects is compared, and names some of each kind", () => {
    const stale = Array.from({ length: 3000 }, (_, index) => `stale-${index}`)
    const found = compared(policy([...many.map((one) => one.subject), ...stale]), { subjects: many })
    expect(codesOf(found)).toEqual(["subject_stale"])
    expect(found.findings.length).toBeLessThan(30)
    expect(found.findings.at(-1)?.message).toBe("There are 2980 more of this kind.")
  })

  it("with a pattern over thousands of subjects is compared", () => {
    expect(codesOf(compared(policy(["*:environment:production:grant:deploy"]), { subjects: many }))).toEqual([
      "subject_wildcard",
    ])
  })

  it.each([
    { name: "many patterns", like: Array.from({ length: 501 }, (_, index) => `*${index}*`), codes: ["not_understood"] },
    { name: "a long pattern", like: [`${"a?*".repeat(100_000)}`], codes: ["subject_wildcard"] },
    {
      name: "patterns with exponentially many states",
      like: Array.from({ length: 60 }, (_, index) => `*a${"?".repeat(index)}b`),
      codes: ["subject_wildcard"],
    },
  ])("is never proved for lack of time: $name", ({ like, codes }) => {
    const found = compared(policy(like), { subjects: many, strangers: [] })
    expect(codesOf(found)).toEqual(codes)
    expect(found.proved).toBe(false)
  })

  it("with a long condition of Google Cloud is read within a bound", () => {
    const either = `(${Array.from({ length: 20 }, (_, index) => `assertion.sub == '${index}'`).join(" || ")})`
    const provider = {
      name: "x",
      oidc: { issuerUri: BROKER },
      attributeCondition: Array.from({ length: 50 }, () => either).join(" && "),
    }
    expect(codesOf(compared(provider))).toContain("not_understood")
  })
})
