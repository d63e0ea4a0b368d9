import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { OWN_FILE, ownDeny, ownPolicy, type RepositoryName } from "./ceiling-policies.ts"
import { type PolicyWorld, startPolicyWorld } from "./policy-world.ts"
import { expectSilence } from "./silence.ts"
import type { StartBroker } from "./world.ts"

const MINUTE = 60
const REVIEWER = { login: "hubot", id: 17 }

/** What changes at GitHub, and what happens while GitHub cannot be asked. */
export function passingTimeSuite(runtime: string, startBroker: StartBroker): void {
  describe(`policies as time goes by on ${runtime}`, () => {
    let world: PolicyWorld
    beforeAll(async () => {
      world = await startPolicyWorld(startBroker)
    })
    afterAll(() => world?.close())

    const exchange = async (repository: RepositoryName, grant: string, claims?: Record<string, unknown>) =>
      world.exchange(await world.token(repository, claims), grant)
    const askedOfEnvironments = () => world.asked().filter((line) => line.includes("/environments/"))
    const bank = () => world.repositories.bank.environments
    const afterFiveMinutes = () => world.advance(5 * MINUTE + 1)

    describe("a protected environment", () => {
      it("that GitHub made without protection opens nothing, and the job is told what to do to it", async () => {
        bank().set("production", {})
        const answer = await exchange("bank", "vault")
        const todo = 'add required reviewers; turn on "Prevent self-review"'
        expect(answer).toMatchObject({ status: 403, code: "not_allowed" })
        const change = "Change the environment in the repository's settings, then run the job again."
        expect(answer.detail).toBe(`vault: The environment production must be protected: ${todo}. ${change}`)
        expect(askedOfEnvironments()).toEqual(["GET /repositories/61/environments/production 200"])
        expect(await world.lastRecord("bank")).toMatchObject({ event: "exchange.denied", reason: "not_allowed: vault" })
      })

      it("opens once reviewers are there, and GitHub is asked once for many jobs in five minutes", async () => {
        bank().set("production", { reviewers: [REVIEWER], preventSelfReview: true })
        await afterFiveMinutes()
        expect((await exchange("bank", "vault")).status).toBe(200)
        await world.advance(4 * MINUTE)
        const answers = await Promise.all(Array.from({ length: 8 }, () => exchange("bank", "vault")))
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
        expect(askedOfEnvironments()).toEqual(["GET /repositories/61/environments/production 200"])
      })

      it("closes within five minutes of losing its protection", async () => {
        bank().set("production", { reviewers: [], preventSelfReview: true })
        await afterFiveMinutes()
        expect((await exchange("bank", "vault")).detail).toContain("must be protected: add required reviewers")
        askedOfEnvironments()
      })

      it("is not asked about for a job that is refused anyway", async () => {
        await afterFiveMinutes()
        for (const [grant, claims] of [
          ["vault", { ref: "refs/heads/feature" }],
          ["nothing-of-the-kind", {}],
          ["vault", { environment: "staging" }],
          ["vault", { repository: "acme/bank", repository_owner_id: "666" }],
        ] as const) {
          expect((await exchange("bank", grant, claims)).status).toBe(403)
        }
        expect(world.asked()).toEqual([])
      })

      it("is unknown while GitHub is down, which is no, and opens when GitHub is back", async () => {
        bank().set("production", { reviewers: [REVIEWER], preventSelfReview: true })
        await afterFiveMinutes()
        world.api.fail("unavailable")
        const answer = await exchange("bank", "vault")
        expect(answer).toMatchObject({ status: 403, code: "not_allowed" })
        expect(answer.detail).toContain(
          "The protection of the environment is unknown. GitHub answered with status 503.",
        )
        world.api.fail(null)
        await world.advance(5)
        expect((await exchange("bank", "vault")).status).toBe(200)
      })

      it("that a boundary demands is named with the boundary, and opens for what it demands", async () => {
        const live = { environment: "live" }
        world.repositories.mint.environments.set("live", { reviewers: [REVIEWER], branches: "custom" })
        const answer = await exchange("mint", "vault", live)
        expect(answer.detail).toContain(
          "vault: The environment live must be protected: limit its deployment branches to protected branches. Change ",
        )
        const guarded = answer.trace?.grants[0]?.boundaries?.find(({ name }) => name === "live is guarded")
        expect(guarded?.environment).toEqual(["limit its deployment branches to protected branches"])
        world.repositories.mint.environments.set("live", { reviewers: [REVIEWER], branches: "protected" })
        await afterFiveMinutes()
        expect((await exchange("mint", "vault", live)).status).toBe(200)
      })

      it("that nobody made is refused, and the job is told to make it", async () => {
        await exchange("mint", "vault", { environment: "live" })
        world.repositories.mint.environments.delete("live")
        await afterFiveMinutes()
        const answer = await exchange("mint", "vault", { environment: "live" })
        expect(answer.detail).toContain('GitHub shows no environment "live" of acme/mint')
      })
    })

    describe("a repository's own policy", () => {
      const site = () => world.repositories.site

      it("counts on the default branch only, whatever branch the job runs on", async () => {
        site().push({ [OWN_FILE]: ownPolicy("site") }, "feature")
        site().tag("main", { [OWN_FILE]: ownPolicy("site") })
        for (const ref of ["refs/heads/feature", "refs/heads/main", "refs/tags/main"]) {
          expect(await exchange("site", "own", { ref })).toMatchObject({ status: 403, code: "not_allowed" })
        }
        site().push({ [OWN_FILE]: ownPolicy("site") })
        await world.advance(MINUTE)
        expect((await exchange("site", "own", { ref: "refs/heads/feature" })).status).toBe(200)
      })

      it("cannot climb over the ceiling", async () => {
        site().push({ [OWN_FILE]: ownPolicy("site", "https://elsewhere.example.com") })
        await world.advance(MINUTE)
        const answer = await exchange("site", "own")
        expect(answer).toMatchObject({ status: 403, code: "not_allowed" })
        expect(answer.detail).toContain(
          `outside the organisation's boundary "teams" (${world.placeOf("teams")}): audience`,
        )
        site().push({ [OWN_FILE]: ownPolicy("site") })
        await world.advance(MINUTE)
        expect((await exchange("site", "own")).status).toBe(200)
      })

      it.each([
        ["answers with 500", (api: PolicyWorld["api"]) => api.override(/^\/repositories\/71/, SERVER_ERROR)],
        ["breaks the connection", (api: PolicyWorld["api"]) => api.fail("reset")],
        [
          "limits the broker's requests",
          (api: PolicyWorld["api"]) => api.limit({ kind: "secondary", status: 403, retryAfterSeconds: 30 }),
        ],
      ])(
        "stays in force as GitHub last confirmed it while GitHub %s, and the trace says so",
        async (_, breakGitHub) => {
          await world.advance(MINUTE)
          const { policyVersion } = await exchange("site", "own")
          await world.advance(MINUTE)
          breakGitHub(world.api)
          expect(await exchange("site", "own")).toMatchObject({ status: 200, policyVersion })
          const explained = await world.explain(await world.token("site"), "own")
          expect(explained.trace?.notes).toEqual([expect.stringContaining("own policies are those of ")])
          mend(world.api)
          await world.advance(MINUTE)
          expect((await world.explain(await world.token("site"), "own")).trace?.notes).toEqual([])
        },
      )

      it("stays in force for ten minutes at most, and is refused then, not forgotten", async () => {
        site().push({ [OWN_FILE]: ownPolicy("site") })
        await world.advance(MINUTE)
        expect((await exchange("site", "own")).status).toBe(200)
        world.api.fail("unavailable")
        await world.advance(10 * MINUTE - 10)
        expect((await exchange("site", "own")).status).toBe(200)
        await world.advance(10)
        expect(await exchange("site", "own")).toMatchObject({ status: 503, code: "policy_unavailable" })
        mend(world.api)
        await world.advance(MINUTE)
        expect((await exchange("site", "own")).status).toBe(200)
      })

      it("that was never read is unavailable while GitHub is down, and the job is told when to come back", async () => {
        world.repositories.guard.push({ [OWN_FILE]: ownDeny("guard") })
        world.api.override(/^\/repositories\/72/, SERVER_ERROR)
        const answer = await exchange("guard", "vault")
        expect(answer).toMatchObject({ status: 503, code: "policy_unavailable", retryAfter: "5" })
        expect(answer.detail).toContain("The policies in the repository acme/guard cannot be read. GitHub answered")
        mend(world.api)
        await world.advance(6)
        expect((await exchange("guard", "vault", { actor: "hubot" })).status).toBe(200)
      })

      it("that the App may no longer see is refused when it is next read, and not forgotten or kept", async () => {
        site().push({ [OWN_FILE]: ownPolicy("site") })
        await world.advance(MINUTE)
        expect((await exchange("site", "own")).status).toBe(200)
        world.api.uninstall(world.installation)
        await world.advance(MINUTE)
        expect(await exchange("site", "own")).toMatchObject({ status: 503, code: "policy_unavailable" })
      })
    })

    it("let out no form of the App's key, of its tokens and of those that it was given", () => expectSilence(world))
  })
}

const SERVER_ERROR = { status: 500, body: { message: "Server Error" } }

function mend(api: PolicyWorld["api"]): void {
  api.override(/^\/repositories\/71/, null)
  api.override(/^\/repositories\/72/, null)
  api.fail(null)
  api.limit(null)
}
