import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Identity } from "../../../broker/core/identity.ts"
import { identityTokenClaims, identityTokenSubject } from "../../../broker/signing/identity-token.ts"
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
    [identity(), "aws-deploy", "repository:acme/shop:environment:production:grant:aws-deploy"],
    [withoutEnvironment(identity()), "aws-deploy", "repository:acme/shop:environment:-:grant:aws-deploy"],
    [identity({ environment: "-" }), "g", "repository:acme/shop:environment:%2D:grant:g"],
    [identity({ environment: "a:grant:b" }), "g", "repository:acme/shop:environment:a%3Agrant%3Ab:grant:g"],
    [identity({ environment: "*" }), "g", "repository:acme/shop:environment:%2A:grant:g"],
    [identity({ environment: "größe" }), "g", "repository:acme/shop:environment:gr%C3%B6%C3%9Fe:grant:g"],
  ])("of %#", (about, grant, subject) => {
    expect(identityTokenSubject(about, grant)).toBe(subject)
  })

  it("is never the same for two different jobs or grants", () => {
    const part = fc.string({
      unit: fc.constantFrom("a", ":", "-", "%", "2", "D", "*", "/"),
      minLength: 1,
      maxLength: 6,
    })
    const job = fc.record({ environment: fc.option(part), grant: part })
    fc.assert(
      fc.property(job, job, (one, two) => {
        fc.pre(one.environment !== two.environment || one.grant !== two.grant)
        const subject = ({ environment, grant }: typeof one) =>
          identityTokenSubject(environment === null ? withoutEnvironment(identity()) : identity({ environment }), grant)
        return subject(one) !== subject(two)
      }),
      { numRuns: runs(1000) },
    )
  })
})

describe("an identity token's claims", () => {
  const claimsOf = (extra: Record<string, string>, about = identity()) =>
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
      sub: "repository:acme/shop:environment:production:grant:aws-deploy",
      iat: 1795348800,
      exp: 1795349100,
      jti: "id-1",
      repository_id: "41",
      sha: "8b42",
      team: "payments",
    })
  })

  it("take nothing over from the job's token that AWS reads as more than a fact", () => {
    expect(Object.keys(claimsOf({})).filter((name) => name === "azp" || name.includes("aws.amazon.com"))).toEqual([])
  })

  it.each(["iss", "sub", "aud", "exp", "repository_id", "environment", "job_workflow_ref", "repo_property_tier"])(
    "never let an addition pass for the fact %s, even when the job lacks it",
    (name) => {
      const about = withoutEnvironment({ ...identity(), claims: {} })
      expect(claimsOf({ [name]: "forged" }, about)[name]).not.toBe("forged")
    },
  )

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
