import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { Claims } from "../../../broker/core/identity.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { identify as identifyAs } from "../../../broker/issuers/identify.ts"
import { runs } from "../../support/laws.ts"
import branch from "../../vectors/claims/github-branch.json" with { type: "json" }
import branchImmutable from "../../vectors/claims/github-branch-immutable.json" with { type: "json" }
import customProperties from "../../vectors/claims/github-custom-properties.json" with { type: "json" }
import customSub from "../../vectors/claims/github-custom-sub-owner-visibility.json" with { type: "json" }
import enterpriseSlug from "../../vectors/claims/github-enterprise-slug.json" with { type: "json" }
import environment from "../../vectors/claims/github-environment.json" with { type: "json" }
import environmentImmutable from "../../vectors/claims/github-environment-immutable.json" with { type: "json" }
import gheCom from "../../vectors/claims/github-ghe-com.json" with { type: "json" }
import ghes from "../../vectors/claims/github-ghes.json" with { type: "json" }
import pullRequest from "../../vectors/claims/github-pull-request.json" with { type: "json" }
import reusableWorkflow from "../../vectors/claims/github-reusable-workflow.json" with { type: "json" }
import tag from "../../vectors/claims/github-tag.json" with { type: "json" }
import { issuer, type Json } from "./fixture.ts"

const identify = (claims: Json) =>
  identifyAs(JSON.parse(JSON.stringify(claims)) as Claims, issuer({ url: String(claims["iss"]) }), githubActions)

describe("a job is identified", () => {
  test.each([
    ["on a branch", branch, undefined],
    ["on a branch, with ids in its sub", branchImmutable, undefined],
    ["with custom properties", customProperties, undefined],
    ["with a customised sub", customSub, undefined],
    ["of an enterprise with an issuer of its own", enterpriseSlug, undefined],
    ["in an environment", environment, "Production"],
    ["in an environment with a colon in its name", environmentImmutable, "Production:V1"],
    ["on ghe.com", gheCom, undefined],
    ["on an enterprise server", ghes, undefined],
    ["of a pull request", pullRequest, undefined],
    ["in a reusable workflow, with a customised sub", reusableWorkflow, "prod"],
    ["on a tag", tag, undefined],
  ])("%s", (_, claims, expectedEnvironment) => {
    const identified = identify(claims)
    if (!identified.ok) throw new Error(identified.fault)
    const { claims: kept, ...identity } = identified.value
    expect({ ...kept }).toEqual({ ...claims, outsider: claims === pullRequest, interactive: false })
    expect(identity).toEqual({
      issuer: "github",
      issuerUrl: claims.iss,
      unitKind: "repository",
      unit: claims.repository,
      unitId: "456789",
      owner: claims.repository_owner,
      ownerId: "123456",
      ...(expectedEnvironment && { environment: expectedEnvironment }),
      ref: claims.ref,
      refType: claims.ref_type,
      event: claims.event_name,
      actor: "octocat",
      actorId: "actor_id" in claims ? claims.actor_id : null,
      runId: "10988497055",
      runAttempt: "1",
      cautions:
        claims === pullRequest
          ? [{ fact: "outsider", why: "outsiders can cause it", claim: "event_name", value: "pull_request" }]
          : [],
    })
  })

  test("on an older server, which sends fewer claims", () => {
    const { check_run_id, runner_environment, ref_protected, workflow_ref, workflow_sha, job_workflow_sha, ...older } =
      ghes
    expect(identify(older).ok).toBe(true)
  })

  test("when a deployment of a bare commit has no ref", () => {
    expect(
      identify({ ...branch, event_name: "deployment", ref: "", ref_type: "", sub: "repo:octo-org/octo-repo:ref:" }).ok,
    ).toBe(true)
  })

  test.each([
    [
      "raw colons, as servers up to 3.18 write them",
      "repo:octo-org/octo-repo:environment:Production:V1",
      { environment: "Production:V1" },
    ],
    ["escaped colons", "repo:octo-org/octo-repo:environment:Production%3AV1", { environment: "Production:V1" }],
    [
      "an environment that is itself named with %3A",
      "repo:octo-org/octo-repo:environment:a%3Ab",
      { environment: "a%3Ab" },
    ],
    ["more behind the environment", "repo:octo-org/octo-repo:environment:prod:actor:octocat", { environment: "prod" }],
    ["more behind the ref", "repo:octo-org/octo-repo:ref:refs/heads/main:actor:octocat", {}],
    [
      "the ref although there is an environment",
      "repo:octo-org/octo-repo:ref:refs/heads/main",
      { environment: "prod" },
    ],
    ["the repository alone", "repo:octo-org/octo-repo", {}],
    ["another context behind the repository", "repo:octo-org/octo-repo:actor:someone", {}],
    ["a pull request's review", "repo:octo-org/octo-repo:pull_request", { event_name: "pull_request_review" }],
    ["nothing that claims repeat", "anything at all", {}],
    ["nothing", "", {}],
    ["another repository under a customised key", "repository:evil/repo", {}],
  ])("whose sub has %s", (_, sub, overrides) => {
    expect(identify({ ...branch, ...overrides, sub }).ok).toBe(true)
  })

  test.each(["dependabot[bot]", "octo-cat", "octo_cat"])("whose actor is %s", (actor) => {
    expect(identify({ ...branch, actor }).ok).toBe(true)
  })
})

test("a job in no environment has no environment, not even one that is undefined", () => {
  const identified = identify(branch)
  expect(identified.ok && Object.keys(identified.value)).not.toContain("environment")
})

describe("a job is refused", () => {
  test.each([
    ["another owner", "repo:evil/octo-repo:ref:refs/heads/main", "repository"],
    ["another repository", "repo:octo-org/other:ref:refs/heads/main", "repository"],
    ["a repository that begins alike", "repo:octo-org/octo-repo2:ref:refs/heads/main", "repository"],
    ["a repository in other letters", "repo:Octo-Org/octo-repo:ref:refs/heads/main", "repository"],
    ["another owner's id", "repo:octo-org@1/octo-repo@456789:ref:refs/heads/main", "repository_owner_id"],
    ["another repository's id", "repo:octo-org@123456/octo-repo@1:ref:refs/heads/main", "repository_id"],
    ["the two ids exchanged", "repo:octo-org@456789/octo-repo@123456:ref:refs/heads/main", "repository_owner_id"],
    ["one id of two", "repo:octo-org@123456/octo-repo:ref:refs/heads/main", "both ids, or neither"],
    ["the other id of two", "repo:octo-org/octo-repo@456789:ref:refs/heads/main", "both ids, or neither"],
    [
      "an id that is none",
      "repo:octo-org@x/octo-repo@456789:ref:refs/heads/main",
      "must name a repository after repo:",
    ],
    ["no repository behind repo:", "repo:octo-org:ref:refs/heads/main", "must name a repository after repo:"],
    [
      "another repository in front of its own",
      "repo:evil:repo:octo-org/octo-repo:ref:refs/heads/main",
      "must name a repository after repo:",
    ],
    ["too many slashes", "repo:octo-org/octo-repo/x:ref:refs/heads/main", "must name a repository after repo:"],
    ["another ref", "repo:octo-org/octo-repo:ref:refs/heads/mainx", "sub and ref disagree"],
    ["less than the ref", "repo:octo-org/octo-repo:ref:refs/heads/mai", "sub and ref disagree"],
    [
      "an environment that the claims have not",
      "repo:octo-org/octo-repo:environment:Production",
      "sub and environment disagree",
    ],
    ["a pull request in a push", "repo:octo-org/octo-repo:pull_request", "sub and event_name disagree"],
    ["a pull request and more in a push", "repo:octo-org/octo-repo:pull_request:x", "sub and event_name disagree"],
  ])("whose sub has %s", (_, sub, fault) => {
    expect(identify({ ...branch, sub })).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })

  test("whose sub has another environment than its claims", () => {
    expect(identify({ ...environment, environment: "staging" })).toEqual({
      ok: false,
      fault: "the claims sub and environment disagree",
    })
  })

  test.each([
    ["empty", ""],
    ["null", null],
    ["a list", ["Production"]],
    ["a number", 1],
    ["false", false],
  ])("whose environment is %s", (_, value) => {
    expect(identify({ ...environment, environment: value, sub: "customised" })).toMatchObject({
      ok: false,
      fault: expect.stringContaining("environment"),
    })
  })

  test.each(
    ["repository_id", "repository_owner_id", "run_id", "run_attempt"].flatMap((name) =>
      ["", "0", "01", "-1", "+1", "1.0", "1e3", " 1", "1 ", "0x1", "١", "1".repeat(21), "1\n"].map(
        (value) => [name, value] as const,
      ),
    ),
  )("whose %s is %j", (name, value) => {
    expect(identify({ ...branch, [name]: value })).toEqual({
      ok: false,
      fault: `the claim ${name} must be an id in decimal digits`,
    })
  })

  test.each(["event_name", "actor"])("whose %s is empty", (name) => {
    expect(identify({ ...branch, [name]: "" })).toEqual({ ok: false, fault: `the claim ${name} must not be empty` })
  })

  test.each([
    "octo-repo",
    "/octo-repo",
    "octo-org/",
    "octo-org/octo-repo/x",
    "octo-org//octo-repo",
    "octo-org/..",
    "octo-org/.",
    "octo-org/octo repo",
    "octo-org/octo-repo\n",
    "octo-org/octo:repo",
    "octo-org/octo@repo",
    "octo-org/octo*",
    "octo-org/%2e%2e",
    "осто-org/octo-repo", // Cyrillic
    "octo-org/octo-rеpo", // one Cyrillic letter
    "octo-org/octo-repo\u200b",
    "ｏcto-org/octo-repo",
    `octo-org/${"x".repeat(101)}`,
  ])("whose repository is %j", (repository) => {
    const claims = { ...branch, repository, repository_owner: repository.split("/")[0], sub: "customised" }
    expect(identify(claims)).toMatchObject({ ok: false, fault: expect.stringContaining("repository") })
  })

  test.each(["evil/octo-org/octo-repo", "é/octo-org/octo-repo", "\nocto-org/octo-repo", "осто-octo-org/octo-repo"])(
    "whose repository is %j, which only ends like one of its owner's",
    (repository) => {
      expect(identify({ ...branch, repository, sub: "customised" })).toEqual({
        ok: false,
        fault: "the claim repository must be an owner and a name in ASCII, such as acme/shop",
      })
    },
  )

  test.each(["evil", "Octo-Org", "octo-or", "octo-org/", ""])("of octo-org/octo-repo whose owner is %j", (owner) => {
    expect(identify({ ...branch, repository_owner: owner })).toMatchObject({
      ok: false,
      fault: expect.stringContaining("two different owners"),
    })
  })
})

test("no text in sub decides: whatever it is, the identity is the one that the claims tell, or none", () => {
  const without = identify({ ...environment, sub: "customised" })
  const piece = fc.constantFrom(
    "repo:",
    "octo-org/octo-repo",
    "octo-org",
    "/",
    ":",
    "@",
    "123456",
    "environment:",
    "Production",
    "ref:",
    "refs/heads/main",
    "pull_request",
    "%3A",
    "x",
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join("")),
      ),
      (sub) => {
        const identified = identify({ ...environment, sub })
        if (!identified.ok || !without.ok) return
        expect({ ...identified.value, claims: null }).toEqual({ ...without.value, claims: null })
      },
    ),
    { numRuns: runs(1000) },
  )
})

test("no claims make it throw, and no fault quotes them", () => {
  const value = fc.oneof(fc.constant("canary"), fc.constant("canary/canary"), fc.jsonValue({ maxDepth: 2 }))
  const names = fc.constantFrom(...Object.keys(environment))
  fc.assert(
    fc.property(fc.dictionary(names, value), (overrides) => {
      const identified = identify({ ...environment, ...overrides })
      if (!identified.ok) expect(identified.fault).not.toContain("canary")
    }),
    { numRuns: runs(1000) },
  )
})
