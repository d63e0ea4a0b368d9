import { describe, expect, it } from "vitest"
import { SAMPLES } from "../../../analysis/policy-tests/samples.ts"
import { canHave } from "../../../analysis/scopes/claim-values.ts"
import { markedValues } from "../../../broker/core/families/cautions.ts"
import { type ClaimFact, FORMS, TOKEN_CLAIMS } from "../../../broker/core/families/claim-fact.ts"
import {
  claimFact,
  claimNames,
  isKnownClaim,
  isUnitClaim,
  requiredClaims,
} from "../../../broker/core/families/families.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import { isJobClaim } from "../../../broker/core/job-claims.ts"
import { compilePattern, matchPattern, type Pattern } from "../../../broker/core/policy/pattern.ts"
import branch from "../../vectors/claims/github-branch.json" with { type: "json" }
import branchImmutable from "../../vectors/claims/github-branch-immutable.json" with { type: "json" }
import properties from "../../vectors/claims/github-custom-properties.json" with { type: "json" }
import customSubject from "../../vectors/claims/github-custom-sub-owner-visibility.json" with { type: "json" }
import enterprise from "../../vectors/claims/github-enterprise-slug.json" with { type: "json" }
import environment from "../../vectors/claims/github-environment.json" with { type: "json" }
import environmentImmutable from "../../vectors/claims/github-environment-immutable.json" with { type: "json" }
import gheCom from "../../vectors/claims/github-ghe-com.json" with { type: "json" }
import ghes from "../../vectors/claims/github-ghes.json" with { type: "json" }
import pullRequest from "../../vectors/claims/github-pull-request.json" with { type: "json" }
import reusable from "../../vectors/claims/github-reusable-workflow.json" with { type: "json" }
import tag from "../../vectors/claims/github-tag.json" with { type: "json" }

// The table of claims against real tokens.

const FAMILY = "github-actions"
const TOKENS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  branch,
  branchImmutable,
  properties,
  customSubject,
  enterprise,
  environment,
  environmentImmutable,
  gheCom,
  ghes,
  pullRequest,
  reusable,
  tag,
  ...Object.fromEntries(
    Object.entries(SAMPLES).map(([name, { claims }]) => [`sample ${name}`, { ...claims, ...DERIVED() }]),
  ),
}

/** What a sample leaves to be derived. */
function DERIVED() {
  const { iss, sub, repository_id, repository_owner, repository_owner_id, ref_type } = branch
  return { iss, sub, repository_id, repository_owner, repository_owner_id, ref_type }
}

const pattern = (source: string): Pattern => {
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new Error(compiled.fault)
  return compiled.value
}
const literal = (text: string) => pattern(text.replaceAll("*", "\\*"))
const rows = [...GITHUB_ACTIONS.claims].filter(([, { derived }]) => !derived)

describe.each(Object.entries(TOKENS))("the token %s", (_, token) => {
  it("has no claim that the table does not know", () => {
    expect(Object.keys(token).filter((claim) => claimFact(FAMILY, claim) === undefined)).toEqual([])
  })

  it("has every claim that the table calls always sent, as a text where an identity needs it", () => {
    const always = rows.flatMap(([claim, { sent }]) => (sent === "always" ? [claim] : []))
    expect(always.filter((claim) => !(claim in token))).toEqual([])
    expect(requiredClaims(GITHUB_ACTIONS).filter((claim) => typeof token[claim] !== "string")).toEqual([])
  })

  it("has only values that the table allows", () => {
    const strange = Object.entries(token).filter(([claim, value]) => {
      const fact = claimFact(FAMILY, claim) as ClaimFact
      if (value === "") return !fact.ofPullRequests
      return typeof value === "string" && !canHave(fact, literal(value))
    })
    expect(strange).toEqual([])
  })
})

describe("the table", () => {
  it("has samples and closed values of the forms that it names", () => {
    for (const [claim, { samples = [], values, form }] of rows) {
      expect(values !== undefined && form !== undefined, claim).toBe(false)
      for (const sample of samples)
        expect(canHave(claimFact(FAMILY, claim) as ClaimFact, literal(sample)), sample).toBe(true)
    }
  })

  it("has forms whose patterns compile and do not contradict their characters", () => {
    for (const [form, { patterns, characters }] of Object.entries(FORMS)) {
      for (const source of patterns) {
        const spelt = pattern(source).steps.filter((step) => typeof step === "number")
        expect(
          spelt.every((unit) => characters.test(String.fromCharCode(unit))),
          form,
        ).toBe(true)
      }
    }
  })

  it("has refs of values that are refs", () => {
    const refs = rows.flatMap(([, { values }]) => [...(values?.values() ?? [])].flatMap((value) => value.refs ?? []))
    expect(refs.length).toBeGreaterThan(0)
    for (const ref of refs) expect(canHave(claimFact(FAMILY, "ref") as ClaimFact, pattern(ref)), ref).toBe(true)
    const fits = (token: Readonly<Record<string, unknown>>, claim: string) => {
      const allowed = claimFact(FAMILY, claim)?.values?.get(String(token[claim]))?.refs
      return allowed?.some((one) => matchPattern(pattern(one), String(token["ref"]))) ?? true
    }
    for (const [name, token] of Object.entries(TOKENS)) {
      // A sample's kind of ref is derived from the ref.
      expect([fits(token, "event_name"), name.startsWith("sample") || fits(token, "ref_type")], name).toEqual([
        true,
        true,
      ])
    }
  })
})

describe("what derives from it", () => {
  it("requires what an identity is made of", () => {
    expect([...requiredClaims(GITHUB_ACTIONS)].sort()).toEqual(
      [
        ...["sub", "repository", "repository_id", "repository_owner", "repository_owner_id"],
        ...["ref", "ref_type", "event_name", "actor", "run_id", "run_attempt"],
      ].sort(),
    )
    expect(requiredClaims(GITHUB_ACTIONS, "digits")).toEqual([
      "repository_id",
      "repository_owner_id",
      "run_id",
      "run_attempt",
    ])
  })

  it("takes ceilings by what identifies a repository, and by no setting", () => {
    expect(
      rows
        .map(([claim]) => claim)
        .filter((claim) => isUnitClaim(FAMILY, claim))
        .sort(),
    ).toEqual(
      [
        ...["iss", "enterprise", "enterprise_id"],
        ...["repository", "repository_id", "repository_owner", "repository_owner_id"],
      ].sort(),
    )
  })

  it("knows each event of outsiders, and none that a writer alone can cause", () => {
    expect(
      markedValues(GITHUB_ACTIONS)
        .flatMap(([, values]) => [...values.keys()])
        .sort(),
    ).toEqual(
      [
        ...["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"],
        ...["workflow_run", "check_run", "check_suite", "status", "issue_comment", "issues"],
        ...["discussion", "discussion_comment", "fork", "watch", "gollum"],
      ].sort(),
    )
  })

  it("reserves every claim, and every custom property, from policies that add claims", () => {
    for (const claim of [...claimNames(FAMILY), "repo_property_x", "grant", "subject_issuer", "runner_id"])
      expect(isJobClaim(claim), claim).toBe(true)
    expect(isJobClaim("team")).toBe(false)
    expect(isKnownClaim("grant")).toBe(false)
    for (const claim of TOKEN_CLAIMS) expect(claimFact(FAMILY, claim)?.tells).toBe("token")
    expect(claimFact("no-such-family", "ref")).toBeUndefined()
  })
})
