// What federated identity credentials let in (Microsoft Graph, "federatedIdentityCredential", and "flexible" ones).
import { describe, expect, it } from "vitest"
import { BROKER, codesOf, compared, notesOf, subject } from "./support.ts"

const AUDIENCE = "api://AzureADTokenExchange"
const ONE = subject({ audiences: [AUDIENCE], door: "4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f" })

/** As `az ad app federated-credential show` prints one. */
const credential = (changes: object = {}) => ({
  "@odata.context":
    "https://graph.microsoft.com/v1.0/$metadata#applications('0d0e')/federatedIdentityCredentials/$entity",
  audiences: [AUDIENCE],
  description: null,
  id: "8d2c",
  issuer: BROKER,
  name: "daypass",
  subject: ONE.subject,
  ...changes,
})
const flexible = (value: unknown) =>
  credential({ subject: null, claimsMatchingExpression: { languageVersion: 1, value } })

describe("credentials that let in exactly what the policies give", () => {
  it.each([
    { name: "one", document: credential() },
    { name: "a list of the command line", document: [credential()] },
    { name: "a list of Microsoft Graph", document: { "@odata.context": "x", value: [credential()] } },
    { name: "with an empty expression", document: credential({ claimsMatchingExpression: null }) },
    { name: "by an expression with eq", document: flexible(`claims['sub'] eq '${ONE.subject}'`) },
    {
      name: "by two comparisons",
      document: flexible(`claims['sub'] matches '${ONE.subject.slice(0, -1)}?' and claims['sub'] eq '${ONE.subject}'`),
    },
  ])("are proved: $name", ({ document }) => {
    const found = compared(document, { subjects: [ONE] })
    expect(found.findings).toEqual([])
    expect(found.proved).toBe(true)
  })
})

describe("credentials that let in more", () => {
  it.each([
    { name: "another issuer", document: credential({ issuer: "https://login.example.com" }), codes: ["issuer_other"] },
    { name: "the URL with a slash", document: credential({ issuer: `${BROKER}/` }), codes: ["issuer_other"] },
    {
      name: "GitHub's own issuer",
      document: credential({
        issuer: "https://token.actions.githubusercontent.com",
        subject: "repo:acme/shop:environment:production",
      }),
      codes: ["issuer_other", "subject_by_name"],
    },
    {
      name: "another audience",
      document: credential({ audiences: [AUDIENCE, "api://other"] }),
      codes: ["audience_beyond"],
    },
    { name: "no audience", document: credential({ audiences: [] }), codes: ["audience_missing"] },
    {
      name: "a stale subject",
      document: credential({ subject: subject({ grant: "old" }).subject }),
      codes: ["subject_stale"],
    },
    {
      name: "another case",
      document: credential({ subject: ONE.subject.replace("github", "GitHub") }),
      codes: ["subject_stale"],
    },
    {
      name: "a pattern",
      document: flexible("claims['sub'] matches 'github:repository:41:*'"),
      codes: ["subject_wildcard"],
    },
    {
      name: "a pattern of one character",
      document: flexible(`claims['sub'] matches '${ONE.subject.slice(0, -1)}?'`),
      codes: ["subject_wildcard"],
    },
    {
      name: "a claim with a name",
      document: flexible("claims['job_workflow_ref'] matches 'acme/shop/*'"),
      codes: ["subject_missing", "condition_on_name"],
    },
    {
      name: "an expression that cannot be read",
      document: flexible("claims['sub'] startsWith 'x'"),
      codes: ["not_understood", "subject_missing"],
    },
    {
      name: "an escape in an expression",
      document: flexible(String.raw`claims['sub'] eq 'x\'y'`),
      codes: ["not_understood", "subject_missing"],
    },
    { name: "an expression that is a number", document: flexible(7), codes: ["not_understood", "subject_missing"] },
    {
      name: "one of a list",
      document: [credential(), credential({ subject: "x", name: "old" })],
      codes: ["subject_stale"],
    },
  ])("are told: $name", ({ document, codes }) => {
    const found = compared(document, { subjects: [ONE] })
    expect(codesOf(found)).toEqual(codes)
    expect(found.proved).toBe(false)
  })

  it("are named", () => {
    const found = compared([credential(), credential({ subject: "x", name: "old" })], { subjects: [ONE] })
    expect(found.findings[0]?.place).toBe('credential "old"')
  })
})

it("notes a subject without a credential", () => {
  const two = subject({ audiences: [AUDIENCE], unitId: "42" })
  const found = compared(credential(), { subjects: [ONE, two] })
  expect(notesOf(found)).toEqual(["not_let_in"])
  expect(found.proved).toBe(true)
})
