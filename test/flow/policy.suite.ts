import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { appKeySuite } from "./app-key.suite.ts"
import {
  AUDIENCE,
  OWN_FILE,
  ownDeny,
  ownPolicy,
  REPOSITORIES,
  type RepositoryName,
  roleOf,
} from "./ceiling-policies.ts"
import { withoutOwnName } from "./own-words.ts"
import { passingTimeSuite } from "./passing-time.suite.ts"
import { type PolicyWorld, startPolicyWorld } from "./policy-world.ts"
import { expectSilence } from "./silence.ts"
import type { StartBroker } from "./world.ts"

const MINUTE = 60

/** What stands between policies and credentials, as a client sees it over HTTP: the same sentences hold in every runtime. */
export function policySuite(runtime: string, startBroker: StartBroker): void {
  describe(`policies on ${runtime}`, () => {
    let world: PolicyWorld
    beforeAll(async () => {
      world = await startPolicyWorld(startBroker)
      const { repositories } = world
      for (const name of ["site", "lonely", "private"] as const)
        repositories[name].push({ [OWN_FILE]: ownPolicy(name) })
      repositories.guard.push({ [OWN_FILE]: ownDeny("guard") })
      repositories.faulty.push({ [OWN_FILE]: ownPolicy("faulty").replace("when:", "wenn:") })
      const trusted = { issuer: world.broker.url, audiences: ["sts.amazonaws.com"], tagSession: true }
      for (const [role, repository, grant] of ROLES) {
        const subject = { StringEquals: subjectOf(repository, grant) }
        world.sts.addRole({ arn: roleOf(role), subject, ...trusted })
      }
    })
    afterAll(() => world?.close())
    beforeEach(() => void world.asked())

    const exchange = async (repository: RepositoryName, grant: string, claims?: Record<string, unknown>) =>
      world.exchange(await world.token(repository, claims), grant)
    const explain = async (repository: RepositoryName, grant: string, claims?: Record<string, unknown>) =>
      world.explain(await world.token(repository, claims), grant)

    describe("a ceiling", () => {
      it("lets through what is inside, for as long as its max_ttl says and not as long as the policy does", async () => {
        const answer = await exchange("shop", "aws-deploy")
        expect(answer.status).toBe(200)
        expect(world.sts.issued.at(-1)).toMatchObject({ roleArn: roleOf("shop-deploy"), durationSeconds: 20 * MINUTE })
        const expected = { event: "exchange.minted", grants: [{ name: "aws-deploy", ttl_seconds: 20 * MINUTE }] }
        expect(await world.lastRecord("shop")).toMatchObject(expected)
        expect((await explain("shop", "aws-deploy")).trace?.grants[0]).toMatchObject({
          outcome: "allow",
          ttl_seconds: 20 * MINUTE,
          boundaries: [{ name: "shop", matched: true, allows: true }],
        })
      })

      it.each([
        ["aws-admin", `role must be ${roleOf("shop-*")}, but is ${roleOf("admin")}`],
        ["elsewhere", `audience must be ${AUDIENCE}, but is https://elsewhere.example.com`],
      ])(
        "refuses %s, which the policy allows, and names its line and the field; nobody is asked",
        async (grant, miss) => {
          const before = world.sts.requests.length
          const answer = await exchange("shop", grant)
          const sentence = `The grant "${grant}" is outside the organisation's boundary "shop" (${world.placeOf("shop")}): ${miss}.`
          const change = "Change the grant, or ask the maintainers of the organisation file to change the boundary."
          const detail = `${grant}: ${sentence} ${change}`
          expect(answer).toMatchObject({ status: 403, code: "not_allowed", detail })
          expect(answer.trace?.grants[0]?.boundaries?.[0]?.fields).toHaveLength(1)
          expect(world.sts.requests.length).toBe(before)
          expect(await world.lastRecord("shop")).toMatchObject({
            event: "exchange.denied",
            decision: "deny",
            reason: `not_allowed: ${grant}`,
            grants: [],
            lease: null,
          })
        },
      )

      it("gives nothing when one of two grants is outside", async () => {
        const before = world.sts.requests.length
        const answer = await world.exchange(await world.token("shop"), "aws-deploy", "aws-admin")
        expect(answer).toMatchObject({ status: 403, credentials: {} })
        expect(world.sts.requests.length).toBe(before)
      })

      it("refuses a job that does not meet what a boundary requires, and names the claim", async () => {
        const answer = await exchange("shop", "vault", { runner_environment: "self-hosted" })
        const miss = "runner_environment must be github-hosted, but is self-hosted"
        const sentence = `The organisation's boundary "shop" (${world.placeOf("shop")}) requires more of this job: ${miss}.`
        const change =
          "Run a job whose runner_environment is github-hosted, or ask the maintainers of the organisation file to change the boundary."
        expect(answer).toMatchObject({ status: 403, code: "not_allowed", detail: `vault: ${sentence} ${change}` })
        const missing = await exchange("shop", "vault", { runner_environment: null })
        expect(missing.detail).toContain("the token has no such claim")
      })
    })

    describe("a policy for many repositories", () => {
      it.each(["svc-pay", "svc-mail"] as const)(
        "gives %s the role of its own name, under its own subject",
        async (name) => {
          expect((await exchange(name, "deploy")).status).toBe(200)
          const subject = subjectOf(name, "deploy")
          expect(world.sts.issued.at(-1)).toMatchObject({ roleArn: roleOf(`${name}-deploy`), subject })
          const granted = { name: "deploy", resource: roleOf(`${name}-deploy`) }
          expect(await world.lastRecord(name)).toMatchObject({ event: "exchange.minted", grants: [granted] })
        },
      )

      it("gives a repository that took over a name a subject that AWS does not trust, however alike the rest is", async () => {
        const before = world.sts.issued.length
        const taker = await exchange("svc-mail", "deploy", { repository: "acme/svc-pay" })
        expect(taker).toMatchObject({ code: "provider_denied", credentials: {} })
        expect(taker.detail).toContain(subjectOf("svc-mail", "deploy"))
        expect(world.sts.issued.length).toBe(before)
        expect((await exchange("svc-pay", "deploy")).status).toBe(200)
      })

      it.each([
        ["by-ref", "ref", {}],
        ["by-team", "repo_property_team", { repo_property_team: "a/b" }],
        ["by-team", "repo_property_team", { repo_property_team: ".." }],
        ["by-team", "repo_property_team", { repo_property_team: "x:role" }],
        ["by-team", "repo_property_team", { repo_property_team: "$" + "{ref}" }],
        ["by-team", "repo_property_team", { repo_property_team: "" }],
        ["by-team", "repo_property_team", { repo_property_team: ["pay"] }],
        ["by-team", "repo_property_team", {}],
      ])("refuses %s, whose gap would be filled with a %s that is no plain name: %j", async (grant, claim, claims) => {
        const before = world.sts.requests.length
        const answer = await exchange("svc-pay", grant, claims)
        expect(answer).toMatchObject({ status: 403, code: "not_allowed" })
        expect(answer.detail).toMatch(
          new RegExp(`"${grant}" \\(services.yaml:\\d+\\) cannot be filled in .*\\b${claim}\\b`),
        )
        expect(world.sts.requests.length).toBe(before)
      })

      it.each([
        ["acme/svc-pay/..", "token_claims_invalid"],
        ["acme/svc-pay/admin", "token_claims_invalid"],
        ["acme/svc-pay:x", "token_claims_invalid"],
        ["acme/..", "token_claims_invalid"],
        ["acme/svc-", "not_allowed"],
        ["acme/xsvc-pay", "not_allowed"],
        ["acme/SVC-pay", "not_allowed"],
      ])("is not for %s", async (repository, code) => {
        const answer = await exchange("svc-pay", "deploy", { repository, repository_id: "59" })
        expect(answer).toMatchObject({ code, trace: undefined, credentials: {} })
      })

      it("answers an owner who only looks alike as it answers any stranger", async () => {
        const ids = { repository_owner_id: "9002", repository_id: "66" }
        const stranger = { ...ids, repository: "globex/x", repository_owner: "globex" }
        const { status, code, detail, trace } = await exchange("svc-pay", "deploy", stranger)
        expect({ status, code, trace }).toEqual({ status: 403, code: "not_allowed", trace: undefined })
        for (const claims of [
          { ...ids },
          { ...ids, repository: "Acme/svc-pay", repository_owner: "Acme" },
          { ...ids, repository: "acme-/svc-pay", repository_owner: "acme-" },
          { repository_owner_id: "90010", repository_id: "66" },
        ]) {
          const answer = await exchange("svc-pay", "deploy", claims)
          expect(answer).toMatchObject({ status, code, trace: undefined })
          expect(withoutOwnName(String(answer.detail))).toBe(withoutOwnName(String(detail)))
        }
        expect(world.asked()).toEqual([])
        expect(await world.broker.trail(world.github.issuer, "66")).toEqual([])
      })
    })

    describe("a repository's own policy", () => {
      it("on its default branch gives what is inside the ceiling, and its version says which tree decided", async () => {
        const answer = await exchange("site", "own")
        expect(answer.status).toBe(200)
        expect(answer.credentials["own"]?.provider).toBe("identity-token")
        const version = `${await world.version()}+${treeOf(world, "site")}`
        expect(answer.policyVersion).toBe(version)
        expect(await world.lastRecord("site")).toMatchObject({ event: "exchange.minted", policy_version: version })
        const explained = await explain("site", "own")
        expect(explained).toMatchObject({ policyVersion: version, trace: { policies: [OWN_FILE], notes: [] } })
      })

      it("is read once for many jobs", async () => {
        await exchange("site", "own")
        world.asked()
        const answers = await Promise.all(Array.from({ length: 8 }, () => exchange("site", "own")))
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
        expect(world.asked()).toEqual([])
      })

      it("without a boundary is inert: GitHub is not asked, and the answer is that of a repository without any", async () => {
        const { status, code, detail, trace } = await exchange("lonely", "own")
        expect({ status, code, trace }).toEqual({ status: 403, code: "not_allowed", trace: undefined })
        const absent = await exchange("lonely", "own", { repository: "acme/none", repository_id: "99" })
        expect(absent).toMatchObject({ status, code, trace: undefined })
        expect(withoutOwnName(String(absent.detail))).toBe(withoutOwnName(String(detail)))
        expect(world.asked()).toEqual([])
      })

      it("refuses what the organisation's policy allows, where it has a deny", async () => {
        const refused = await exchange("guard", "vault")
        expect(refused).toMatchObject({ status: 403, code: "not_allowed" })
        expect(refused.detail).toContain(`The deny rule "frozen for the audit" (${OWN_FILE}:6) matches`)
        expect((await exchange("guard", "vault", { actor: "hubot" })).status).toBe(200)
      })

      it("with a fault gives nothing to anybody, and says where the fault is", async () => {
        const answer = await exchange("faulty", "own")
        expect(answer).toMatchObject({ status: 403, code: "policy_invalid" })
        expect(answer.detail).toMatch(/acme\/faulty .*\.github\/daypass\/production\.yaml:7:5: .*wenn/)
      })

      it("that the App cannot see is not taken for none: the job is told what to do, and its token stays good", async () => {
        const token = await world.token("private")
        const answer = await world.exchange(token, "own")
        expect(answer).toMatchObject({ status: 503, code: "policy_unavailable" })
        expect(answer.detail).toContain("The broker's GitHub App is not installed on acme/private: install it")
        expect(await world.lastRecord("private")).toBeUndefined()
        const again = await world.exchange(token, "own")
        expect(again.code, "refused for the same reason, not as a replay").toBe("policy_unavailable")
      })
    })

    it("have one version in the answer, the explanation, the record and the health", async () => {
      const version = await world.version()
      expect(version).toMatch(/^[0-9a-f]{64}$/)
      const answer = await exchange("shop", "vault")
      const explained = await explain("shop", "vault")
      const recorded = await world.lastRecord("shop")
      expect([answer.policyVersion, explained.policyVersion]).toEqual([version, version])
      expect(recorded).toMatchObject({ event: "exchange.minted", policy_version: version })
    })

    it("let out no form of the App's key, of its tokens and of those that it was given", () => expectSilence(world))
  })

  passingTimeSuite(runtime, startBroker)
  appKeySuite(runtime, startBroker)
}

/** Role, repository and grant: what AWS trusts of the broker. */
const ROLES: readonly [string, RepositoryName, string][] = [
  ["shop-deploy", "shop", "aws-deploy"],
  ["svc-pay-deploy", "svc-pay", "deploy"],
  ["svc-mail-deploy", "svc-mail", "deploy"],
]

const subjectOf = (repository: RepositoryName, grant: string) =>
  `github:repository:${REPOSITORIES[repository]}:environment:production:grant:${grant}`

/** Git's name for a repository's `.github/daypass`, from the stand-in's own objects. */
function treeOf({ repositories }: PolicyWorld, repository: RepositoryName): string {
  const { objects, branches } = repositories[repository]
  return [".github", "daypass"].reduce(
    (tree, name) => objects.tree(tree)?.entries.find(({ path }) => path === name)?.sha ?? "",
    branches.get("main") ?? "",
  )
}
