import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { UNIT_KINDS } from "../../../broker/core/families/units.ts"
import type { Claims, Identity } from "../../../broker/core/identity.ts"
import { identityTokenClaims } from "../../../broker/signing/identity-token.ts"
import { identityTokenSubject } from "../../../broker/wire/subject.ts"
import { runs } from "../../support/laws.ts"
import { job, withoutEnvironment } from "../job.ts"

const identity = (change: Partial<Identity> = {}) =>
  job({
    claims: {
      iss: "https://evil.example",
      sub: "evil",
      aud: "evil",
      sha: "8b42",
      azp: "sts.amazonaws.com",
      "https://aws.amazon.com/tags": { principal_tags: {} },
      "https://aws.amazon.com/tags/principal_tags/environment": "production",
      "https://aws.amazon.com/source_identity": "somebody",
    },
    ...change,
  })

describe("an identity token's subject", () => {
  it.each([
    [identity(), "aws-deploy", "github:repository:41:environment:production:grant:aws-deploy"],
    [withoutEnvironment(identity()), "aws-deploy", "github:repository:41:environment:-:grant:aws-deploy"],
    [identity({ issuer: "ghes" }), "g", "ghes:repository:41:environment:production:grant:g"],
    [identity({ environment: "-" }), "g", "github:repository:41:environment:%2D:grant:g"],
    [identity({ environment: "a:grant:b" }), "g", "github:repository:41:environment:a%3Agrant%3Ab:grant:g"],
    [identity({ environment: "*" }), "g", "github:repository:41:environment:%2A:grant:g"],
    [identity({ environment: "größe" }), "g", "github:repository:41:environment:gr%C3%B6%C3%9Fe:grant:g"],
  ])("of %#", (about, grant, subject) => {
    expect(identityTokenSubject(about, grant)).toBe(subject)
  })

  const part = fc.string({ unit: fc.constantFrom("a", ":", "-", "%", "2", "D", "*", "/"), minLength: 1, maxLength: 6 })
  const jobs = fc.record({ issuer: part, unitKind: part, unitId: part, environment: fc.option(part), grant: part })

  it("is never the same for two different issuers, units, environments or grants", () => {
    const parts = ["issuer", "unitKind", "unitId", "environment", "grant"] as const
    // The second differs from the first in some parts only, so that most of a subject is often the same.
    const pair = fc
      .tuple(jobs, jobs, fc.subarray([...parts], { minLength: 1 }))
      .map(
        ([one, other, changed]) =>
          [one, Object.assign({ ...one }, ...changed.map((name) => ({ [name]: other[name] })))] as const,
      )
    fc.assert(
      fc.property(pair, ([one, other]) => {
        fc.pre(parts.some((name) => one[name] !== other[name]))
        return identityTokenSubject(one, one.grant) !== identityTokenSubject(other, other.grant)
      }),
      { numRuns: runs(2000) },
    )
  })

  it("neither changes nor passes to another repository when a name of repository or owner is taken over", () => {
    const names = fc.record({ repository: part, owner: part, ownerId: part })
    fc.assert(
      fc.property(jobs, names, names, part, ({ environment, grant, ...ids }, before, after, otherId) => {
        const where = environment === null ? withoutEnvironment(identity()) : identity({ environment })
        const subject = identityTokenSubject({ ...where, ...ids, ...before }, grant)
        const renamed = identityTokenSubject({ ...where, ...ids, ...after }, grant)
        const taker = identityTokenSubject({ ...where, ...ids, ...before, unitId: otherId }, grant)
        return renamed === subject && (taker === subject) === (otherId === ids.unitId)
      }),
      { numRuns: runs(1000) },
    )
  })

  it("contains nothing but ASCII, and no character with a meaning in IAM's patterns", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1 }),
        fc.string({ unit: "grapheme" }),
        (environment, grant) => {
          expect(identityTokenSubject(identity({ environment }), grant)).toMatch(/^[A-Za-z0-9_.~%:-]+$/)
        },
      ),
      { numRuns: runs(500) },
    )
  })
})

describe("an identity token's claims", () => {
  const claimsOf = (extra: Claims, about = identity()) =>
    identityTokenClaims({
      issuer: "https://daypass.example",
      audience: "sts.amazonaws.com",
      identity: about,
      grant: "aws-deploy",
      extra,
      now: new Date("2026-11-22T12:00:00.900Z"),
      ttlSeconds: 300,
      id: "id-1",
    })

  it("are the broker's, the job's, and what was added", () => {
    expect(claimsOf({ team: "payments" })).toMatchObject({
      iss: "https://daypass.example",
      aud: "sts.amazonaws.com",
      sub: "github:repository:41:environment:production:grant:aws-deploy",
      iat: 1795348800,
      exp: 1795349100,
      jti: "id-1",
      repository_id: "41",
      sha: "8b42",
      team: "payments",
    })
  })

  it("have the session tags of the broker's own provider, and not those that a job's CI made", () => {
    const tags = "https://aws.amazon.com/tags"
    const added = { principal_tags: { repository_id: ["41"] }, transitive_tag_keys: ["repository_id"] }
    expect(claimsOf({ [tags]: added })[tags]).toEqual(added)
    expect(claimsOf({})[tags]).toBeUndefined()
  })

  it("take nothing over from the job's token that AWS reads as more than a fact", () => {
    expect(Object.keys(claimsOf({})).filter((name) => name === "azp" || name.includes("aws.amazon.com"))).toEqual([])
  })

  it.each([
    ["a job of GitHub", identity()],
    ["a job of Buildkite, whose own token has tags", identity({ issuer: "buildkite", unitKind: "pipeline" })],
  ])("have the session tags that the provider of AWS adds, and no others: %s", (_, about) => {
    const tags = { principal_tags: { environment: ["staging"] }, transitive_tag_keys: ["environment"] }
    const claims = claimsOf({ "https://aws.amazon.com/tags": tags }, about)
    expect(Object.entries(claims).filter(([name]) => name.includes("aws.amazon.com"))).toEqual([
      ["https://aws.amazon.com/tags", tags],
    ])
  })

  const FACTS = ["iss", "sub", "aud", "exp", "repository_id", "environment", "job_workflow_ref", "repo_property_tier"]
  /** Of units of other kinds, as the broker's tokens and those of other issuers name them. */
  const OTHERS = [
    "person_id",
    "stack_id",
    "workspace_id",
    "service_account_uid",
    "job_id",
    "project",
    "groups",
    "email",
  ]
  const OWNERS = UNIT_KINDS.flatMap((kind) => [kind, `${kind}_owner`, `${kind}_owner_id`])

  it.each([...FACTS, ...OTHERS, ...OWNERS])(
    "never let an addition pass for the fact %s, even when the job lacks it",
    (name) => {
      const about = withoutEnvironment({ ...identity(), claims: {} })
      expect(claimsOf({ [name]: "forged" }, about)[name]).not.toBe("forged")
    },
  )

  it.each([
    ...OTHERS.filter((name) => name !== "job_id"),
    "repository_id",
    "repository",
    "repository_owner_id",
    "event_name",
  ])(
    "of a job of Jenkins, whose administrators choose the names of claims, never have the fact %s of another unit",
    (name) => {
      const unit = "https://jenkins.example.com/job/shop/"
      const about = withoutEnvironment(identity({ unitKind: "job", unitId: unit, unit, ref: null, event: null }))
      const forged = { ...about, claims: { [name]: "forged", region: "eu", build_number: 42 } }
      expect(Object.keys(claimsOf({}, forged))).not.toContain(name)
      expect(claimsOf({}, forged)).toMatchObject({ region: "eu", build_number: 42, job_id: unit })
    },
  )

  it.each(["cnf", "act", "may_act"])("never have a %s of the job's token, which names a token's holder", (name) => {
    expect(Object.keys(claimsOf({}, identity({ claims: { [name]: { sub: "somebody" } } })))).not.toContain(name)
  })

  it("never live longer than five minutes", () => {
    const claims = identityTokenClaims({
      issuer: "https://daypass.example",
      audience: "a",
      identity: identity(),
      grant: "g",
      extra: {},
      now: new Date(0),
      ttlSeconds: 86_400,
      id: "i",
    })
    expect(claims["exp"]).toBe(300)
  })
})
