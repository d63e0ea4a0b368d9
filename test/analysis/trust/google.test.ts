// What a pool's provider and IAM bindings of Google Cloud let in (Google Cloud IAM, "WorkloadIdentityPoolProvider",
// "Principal identifiers"), and the part of the Common Expression Language that conditions use.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { alternativesOf } from "../../../analysis/trust/cel.ts"
import { compareTrust } from "../../../analysis/trust/compare.ts"
import { readDoor } from "../../../analysis/trust/door.ts"
import { poolOfBoth } from "../../../analysis/trust/google.ts"
import { fulfils } from "../../../analysis/trust/wild.ts"
import { BROKER, codesOf, compared, notesOf, POOL, plain, subject } from "./support.ts"

const NAME = `${POOL}/providers/broker`
const ONE = subject({ audiences: [`https://iam.googleapis.com/${NAME}`], door: "deploy@acme.iam.gserviceaccount.com" })
const TWO = subject({ ...ONE, unitId: "42" })

/** As `gcloud iam workload-identity-pools providers describe --format=json` prints one. */
const provider = (attributeCondition: unknown, changes: object = {}) => ({
  ...(attributeCondition === undefined ? {} : { attributeCondition }),
  attributeMapping: { "google.subject": "assertion.sub", "attribute.repository_id": "assertion.repository_id" },
  displayName: "broker",
  name: NAME,
  oidc: { issuerUri: BROKER },
  state: "ACTIVE",
  ...changes,
})

describe("a provider that lets in exactly what the policies give", () => {
  it.each([
    { name: "equals", document: provider(`assertion.sub == '${ONE.subject}'`) },
    { name: "a list", document: provider(`assertion.sub in ["${ONE.subject}", '${TWO.subject}']`) },
    {
      name: "alternatives",
      document: provider(`(assertion.sub == '${ONE.subject}') || google.subject == '${TWO.subject}'`),
    },
    {
      name: "in brackets",
      document: provider(`assertion['sub'] == '${ONE.subject}' && assertion.repository_owner_id == '9001'`),
    },
    { name: "a doubled negation", document: provider(`!(assertion.sub != '${ONE.subject}')`) },
    {
      name: "its audience, listed",
      document: provider(`assertion.sub == '${ONE.subject}'`, {
        oidc: { issuerUri: BROKER, allowedAudiences: [`https://iam.googleapis.com/${NAME}`] },
      }),
    },
    {
      name: "a mapped attribute",
      document: provider(`attribute.who == '${ONE.subject}'`, {
        attributeMapping: { "google.subject": "assertion.sub", "attribute.who": "assertion.sub" },
      }),
    },
  ])("is proved: $name", ({ document }) => {
    const found = compared(document, { subjects: [ONE, TWO] })
    expect(codesOf(found)).toEqual([])
    expect(found.proved).toBe(true)
  })
})

describe("a provider that lets in more", () => {
  it.each([
    { name: "no condition", document: provider(undefined), codes: ["subject_missing"] },
    {
      name: "only the owner",
      document: provider("assertion.repository_owner_id == '9001'"),
      codes: ["subject_missing"],
    },
    {
      name: "the owner's name",
      document: provider("assertion.repository_owner == 'acme'"),
      codes: ["subject_missing", "condition_on_name"],
    },
    {
      name: "a mapped name",
      document: provider("attribute.repo == 'acme/shop'", {
        attributeMapping: { "google.subject": "assertion.sub", "attribute.repo": "assertion.repository" },
      }),
      codes: ["subject_missing", "condition_on_name"],
    },
    {
      name: "a prefix",
      document: provider("assertion.sub.startsWith('github:repository:41:')"),
      codes: ["subject_wildcard"],
    },
    {
      name: "an alternative",
      document: provider(`assertion.sub == '${ONE.subject}' || assertion.repository_id == '41'`),
      codes: ["subject_missing"],
    },
    { name: "only an exclusion", document: provider("assertion.sub != 'x'"), codes: ["subject_wildcard"] },
    {
      name: "another issuer",
      document: provider(`assertion.sub == '${ONE.subject}'`, {
        oidc: { issuerUri: "https://token.actions.githubusercontent.com" },
      }),
      codes: ["issuer_other"],
    },
    {
      name: "no issuer",
      document: provider(`assertion.sub == '${ONE.subject}'`, { oidc: {} }),
      codes: ["not_understood"],
    },
    {
      name: "another audience",
      document: provider(`assertion.sub == '${ONE.subject}'`, { oidc: { issuerUri: BROKER, allowedAudiences: ["x"] } }),
      codes: ["audience_beyond"],
    },
    {
      name: "a subject that is something else",
      document: provider(`assertion.sub == '${ONE.subject}'`, {
        attributeMapping: { "google.subject": "assertion.repository" },
      }),
      codes: ["not_understood"],
    },
    {
      name: "uploaded keys",
      document: provider(`assertion.sub == '${ONE.subject}'`, { oidc: { issuerUri: BROKER, jwksJson: '{"keys":[]}' } }),
      codes: ["issuer_other"],
    },
    {
      name: "no mapping of the subject",
      document: provider(`assertion.sub == '${ONE.subject}'`, { attributeMapping: {} }),
      codes: ["not_understood"],
    },
    {
      name: "a function",
      document: provider("assertion.sub.matches('^github')"),
      codes: ["not_understood", "subject_missing"],
    },
    {
      name: "an escape",
      document: provider(String.raw`assertion.sub == 'a\x62'`),
      codes: ["not_understood", "subject_missing"],
    },
    { name: "a ternary", document: provider("true ? true : false"), codes: ["not_understood", "subject_missing"] },
    {
      name: "deep parentheses",
      document: provider(`${"(".repeat(5000)}assertion.sub == 'x'${")".repeat(5000)}`),
      codes: ["not_understood", "subject_missing"],
    },
    {
      name: "a mapped attribute by a function",
      document: provider("attribute.who == 'x'", {
        attributeMapping: { "google.subject": "assertion.sub", "attribute.who": "assertion.sub.extract('{x}')" },
      }),
      codes: ["subject_missing"],
    },
  ])("is told: $name", ({ document, codes }) => {
    const found = compared(document, { subjects: [ONE, TWO] })
    expect(codesOf(found)).toEqual(codes)
    expect(found.proved).toBe(false)
  })
})

const principal = (one: string, pool = POOL) => `principal://iam.googleapis.com/${pool}/subject/${one}`
const set = (rest: string) => `principalSet://iam.googleapis.com/${POOL}/${rest}`
const binding = (...members: unknown[]) => ({
  bindings: [{ role: "roles/iam.workloadIdentityUser", members }],
  etag: "BwY",
  version: 1,
})

describe("bindings", () => {
  it.each([
    { name: "a policy", document: binding(principal(ONE.subject), principal(TWO.subject)) },
    {
      name: "one binding",
      document: { role: "roles/iam.workloadIdentityUser", members: [principal(ONE.subject), principal(TWO.subject)] },
    },
    {
      name: "with people who only look",
      document: {
        bindings: [
          ...binding(principal(ONE.subject)).bindings,
          { role: "roles/viewer", members: ["user:eve@example.com"] },
        ],
      },
    },
  ])("that let in exactly what the policies give are proved: $name", ({ document }) => {
    const found = compared(document, { subjects: [ONE, TWO] })
    expect(codesOf(found)).toEqual([])
    expect(notesOf(found)).toContain("issuer_unknown")
  })

  it.each([
    { name: "a stale subject", member: principal(subject({ grant: "old" }).subject), codes: ["subject_stale"] },
    { name: "an attribute", member: set("attribute.repository_id/41"), codes: ["subject_missing"] },
    {
      name: "an attribute with a name",
      member: set("attribute.repository/acme/shop"),
      codes: ["subject_missing", "condition_on_name"],
    },
    { name: "the whole pool", member: set("*"), codes: ["subject_missing"] },
    { name: "a group", member: set("group/x"), codes: ["subject_missing"] },
    {
      name: "another pool",
      member: principal(ONE.subject, POOL.replace("daypass", "github")),
      codes: ["issuer_other"],
    },
    { name: "everyone", member: "allUsers", codes: ["principal_other"] },
    { name: "a person", member: "user:eve@example.com", codes: ["principal_other"] },
    { name: "a principal of another form", member: "principal://example.com/x", codes: ["principal_other"] },
    { name: "a number", member: { a: 1 }, codes: ["not_understood"] },
  ])("that let in more are told: $name", ({ member, codes }) => {
    const found = compared(binding(principal(ONE.subject), member), { subjects: [ONE, TWO] })
    expect(codesOf(found)).toEqual(codes)
    expect(found.proved).toBe(false)
  })

  it.each(["serviceAccountTokenCreator", "serviceAccountOpenIdTokenCreator", "serviceAccountKeyAdmin"])(
    "tell of a person who becomes the account by its tokens or keys: %s",
    (role) => {
      const bindings = [
        ...binding(principal(ONE.subject)).bindings,
        { role: `roles/iam.${role}`, members: ["user:eve@example.com"] },
      ]
      expect(codesOf(compared({ bindings }, { subjects: [ONE] }))).toEqual(["principal_other"])
    },
  )
})

describe("an attribute condition", () => {
  /** A condition, and its value for a token, by JavaScript's own operators. */
  type Node = { readonly text: string; readonly holds: (claims: Readonly<Record<string, string>>) => boolean }
  const claims = ["sub", "ref"]
  const values = ["a", "b", "ab", ""]
  const leaf: fc.Arbitrary<Node> = fc
    .tuple(
      fc.constantFrom(...claims),
      fc.constantFrom(...values),
      fc.constantFrom("==", "!=", "in", "startsWith", "endsWith", "contains"),
    )
    .map(([claim, value, operator]): Node => {
      const path = `assertion.${claim}`
      const got = (one: Readonly<Record<string, string>>) => one[claim] ?? ""
      if (operator === "in")
        return { text: `${path} in ['${value}', "x"]`, holds: (one) => ["x", value].includes(got(one)) }
      if (operator === "==") return { text: `${path} == '${value}'`, holds: (one) => got(one) === value }
      if (operator === "!=") return { text: `${path}!='${value}'`, holds: (one) => got(one) !== value }
      const method = operator === "contains" ? "includes" : operator
      return { text: `${path}.${operator}("${value}")`, holds: (one) => got(one)[method as "startsWith"](value) }
    })
  const { node } = fc.letrec<{ node: Node }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.tuple(tie("node"), tie("node"), fc.constantFrom("&&", "||")).map(
        ([one, other, operator]): Node => ({
          text: `(${one.text}) ${operator} (${other.text})`,
          holds: (token) =>
            operator === "&&" ? one.holds(token) && other.holds(token) : one.holds(token) || other.holds(token),
        }),
      ),
      tie("node").map((one): Node => ({ text: `!(${one.text})`, holds: (token) => !one.holds(token) })),
    ),
  }))

  it("is read as what it says, with every nesting of and, or and not", () => {
    fc.assert(
      fc.property(node, ({ text, holds }) => {
        const read = alternativesOf(text)
        if (read === null) return // Too many alternatives, which is said.
        for (const sub of values) {
          for (const ref of [...values, "x"]) {
            const token = { sub, ref }
            const found = read.some((all) =>
              all.every(({ path, patterns, negated }) =>
                fulfils(token[path.replace("assertion.", "") as "sub"], [{ patterns, negated }]),
              ),
            )
            expect([text, token, found]).toEqual([text, token, holds(token)])
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it("binds and closer than or", () => {
    const read = alternativesOf("a.x == '1' || a.y == '2' && a.z == '3'")
    expect(read?.map((all) => all.map(({ path }) => path))).toEqual([["a.x"], ["a.y", "a.z"]])
  })

  it.each([
    "",
    "assertion.sub",
    "assertion.sub ==",
    "assertion.sub == 'a' &&",
    "(assertion.sub == 'a'",
    "assertion.sub in ['a'",
    "assertion.sub == 'a' 'b'",
    "'a' == 'a'",
    "true",
  ])("that is not complete is not read: %s", (text) => {
    expect(alternativesOf(text)).toBeNull()
  })
})

describe("a provider and bindings together", () => {
  const both = (condition: string, ...members: unknown[]) => {
    const expected = { issuer: BROKER, pools: [POOL] }
    const [one, other] = [provider(condition), binding(...members)].map((document) => {
      const door = readDoor(plain(document), expected, () => null)
      if (!door.ok) throw new Error(door.fault)
      return door.value
    })
    if (one === undefined || other === undefined) throw new Error("two documents")
    return compareTrust(poolOfBoth(one, other), {
      ...expected,
      audiences: ONE.audiences,
      door: null,
      subjects: [ONE],
      others: [],
      open: [],
      strangers: [],
      sendsTags: false,
    })
  }

  it("let in what both let in", () => {
    expect(both("assertion.repository_owner_id == '9001'", principal(ONE.subject)).findings).toMatchObject([
      { severity: "note", code: "condition_unread" },
    ])
    expect(codesOf(both(`assertion.sub == '${ONE.subject}'`, set("*")))).toEqual([])
    expect(codesOf(both("assertion.repository_owner_id == '9001'", set("*")))).toEqual(["subject_missing"])
    expect(codesOf(both("assertion.repository_owner_id == '9001'", principal("x")))).toEqual(["subject_stale"])
  })
})
