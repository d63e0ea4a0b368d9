// What a role of Vault's JWT auth method lets in (Vault API documentation, "JWT/OIDC auth method").
import { describe, expect, it } from "vitest"
import { codesOf, compared, notesOf, open, SHOP, subject } from "./support.ts"

const AUDIENCE = "https://vault.example.com"
const ONE = subject({ audiences: [AUDIENCE], door: "shop-deploy" })
const TWO = subject({ audiences: [AUDIENCE], door: "shop-deploy", unitId: "42" })

/** As `vault read` prints a role, with everything that a role has and that is left at its default. */
const role = (changes: object) => ({
  allowed_redirect_uris: null,
  bound_audiences: [AUDIENCE],
  bound_claims: null,
  bound_claims_type: "string",
  bound_subject: ONE.subject,
  claim_mappings: null,
  clock_skew_leeway: 0,
  expiration_leeway: 0,
  groups_claim: "",
  max_age: 0,
  not_before_leeway: 0,
  oidc_scopes: null,
  role_type: "jwt",
  token_bound_cidrs: [],
  token_policies: ["shop"],
  token_type: "batch",
  user_claim: "sub",
  user_claim_json_pointer: false,
  verbose_oidc_logging: false,
  ...changes,
})

describe("a role that lets in exactly what the policies give", () => {
  it.each([
    { name: "bound_subject", document: role({}) },
    {
      name: "as vault read prints it",
      document: { request_id: "7c1f", lease_id: "", renewable: false, data: role({}), warnings: null },
    },
    {
      name: "bound_claims for sub",
      document: role({ bound_subject: "", bound_claims: { sub: [ONE.subject, TWO.subject] } }),
    },
    { name: "a JSON pointer", document: role({ bound_subject: "", bound_claims: { "/sub": ONE.subject } }) },
    {
      name: "a glob without a star",
      document: role({ bound_subject: "", bound_claims_type: "glob", bound_claims: { sub: ONE.subject } }),
    },
    { name: "the audience as a bound claim", document: role({ bound_audiences: [], bound_claims: { aud: AUDIENCE } }) },
    { name: "further claims", document: role({ bound_claims: { ref: "refs/heads/main", repository: "acme/shop" } }) },
  ])("is proved: $name", ({ document }) => {
    const found = compared(document, { subjects: [ONE, TWO] })
    expect(codesOf(found)).toEqual([])
    expect(found.proved).toBe(true)
    // A role does not say whose tokens it lets in.
    expect(notesOf(found)).toContain("issuer_unknown")
  })
})

describe("a role that lets in more", () => {
  it.each([
    { name: "no subject", changes: { bound_subject: "" }, codes: ["subject_missing"] },
    { name: "no audience", changes: { bound_audiences: null }, codes: ["audience_missing"] },
    {
      name: "another audience",
      changes: { bound_audiences: [AUDIENCE, "https://other.example.com"] },
      codes: ["audience_beyond"],
    },
    {
      name: "a glob",
      changes: { bound_subject: "", bound_claims_type: "glob", bound_claims: { sub: "github:repository:41:*" } },
      codes: ["subject_wildcard"],
    },
    {
      name: "a glob among others",
      changes: { bound_subject: "", bound_claims_type: "glob", bound_claims: { sub: [ONE.subject, "*"] } },
      codes: ["subject_wildcard"],
    },
    {
      name: "only the repository's id",
      changes: { bound_subject: "", bound_claims: { repository_id: "41" } },
      codes: ["subject_missing"],
    },
    {
      name: "only the repository's name",
      changes: { bound_subject: "", bound_claims: { repository: "acme/shop" } },
      codes: ["subject_missing", "condition_on_name"],
    },
    {
      name: "only the owner's name, by a pointer",
      changes: { bound_subject: "", bound_claims: { "/repository_owner": "acme" } },
      codes: ["subject_missing", "condition_on_name"],
    },
    {
      name: "a subject of GitHub's own",
      changes: { bound_subject: "repo:acme/shop:ref:refs/heads/main" },
      codes: ["subject_by_name"],
    },
    { name: "people with a browser", changes: { role_type: "oidc" }, codes: ["principal_other"] },
    { name: "bound_claims that are no map", changes: { bound_claims: ["sub"] }, codes: ["not_understood"] },
    { name: "a subject that is a number", changes: { bound_subject: 7 }, codes: ["not_understood", "subject_missing"] },
    { name: "a sub that is a map", changes: { bound_claims: { sub: { a: 1 } } }, codes: ["not_understood"] },
  ])("is told: $name", ({ changes, codes }) => {
    const found = compared(role(changes), { subjects: [ONE, TWO] })
    expect(codesOf(found)).toEqual(codes)
    expect(found.proved).toBe(false)
  })

  it("takes a star in a string for a star, and a question mark for itself", () => {
    const claims = { bound_subject: "", bound_claims: { sub: "github:*" } }
    expect(codesOf(compared(role(claims), { subjects: [ONE] }))).toEqual(["subject_stale"])
    const glob = {
      bound_subject: "",
      bound_claims_type: "glob",
      bound_claims: { sub: ONE.subject.replace("41", "4?") },
    }
    expect(codesOf(compared(role(glob), { subjects: [ONE] }))).toEqual(["subject_stale"])
  })

  it("cannot be proved where a policy has a pattern", () => {
    const found = compared(role({ bound_subject: SHOP.subject.replace("41", "77") }), {
      subjects: [ONE],
      open: [open({ audiences: [AUDIENCE] })],
    })
    expect(codesOf(found)).toEqual(["subject_unproven"])
  })
})

it("notes what the policies give and the role does not let in", () => {
  const found = compared(role({}), { subjects: [ONE, TWO] })
  expect(found.findings.find(({ code }) => code === "not_let_in")).toMatchObject({
    severity: "note",
    example: TWO.subject,
  })
})
