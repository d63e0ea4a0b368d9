import { createHash } from "node:crypto"
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ExchangeAnswer } from "../../broker/wire/exchange.ts"
import { newLeaseId } from "../../broker/wire/lease-id.ts"
import { ROLE, SUBJECT } from "../support/acme.ts"
import { gitlabJob } from "../support/ci-jobs.ts"
import { POLICY_COUNT } from "./cis/policies.ts"
import { cisSuite } from "./cis.suite.ts"
import { withoutOwnName } from "./own-words.ts"
import { sessionSuite } from "./session.suite.ts"
import { DEPLOYMENT, type FlowWorld, makeJobKey, type StartBroker, send, startFlowWorld } from "./world.ts"

/** The main job, as a client sees it over HTTP: the same sentences hold in every runtime. */
export function flowSuite(runtime: string, startBroker: StartBroker): void {
  describe(`the broker on ${runtime}`, () => {
    let world: FlowWorld
    beforeAll(async () => {
      world = await startFlowWorld(startBroker)
    })
    afterAll(() => world?.close())

    const tokenFor = (claims: Record<string, unknown> = {}, audience = world.broker.url) =>
      world.github.mint({ ...DEPLOYMENT, ...claims }, { audience })
    const exchange = (token: string, body: Record<string, unknown> = { grants: ["vault"] }) =>
      send(world.broker, "/v1/exchange", { token, body })
    const trail = () => world.broker.trail(world.github.issuer, "41")
    const lastRecord = async () => (await trail()).at(-1)?.record

    describe("an exchange", () => {
      it("gives the role's credentials, as AWS issued them, and records intent and outcome", async () => {
        const token = await tokenFor()
        const answer = await exchange(token, { grants: ["aws-deploy", "vault"], ttl: "15m" })
        expect(answer.status).toBe(200)
        expect(answer.headers.get("cache-control")).toBe("no-store")
        const { credentials, lease } = answer.json as unknown as ExchangeAnswer
        const issued = world.sts.issued.at(-1)
        expect(credentials["aws-deploy"]).toMatchObject({
          provider: "aws",
          revocation: "expires-only",
          values: {
            "access-key-id": { value: issued?.accessKeyId, secret: true, env: "AWS_ACCESS_KEY_ID" },
            "secret-access-key": { value: issued?.secretAccessKey, secret: true, env: "AWS_SECRET_ACCESS_KEY" },
            "session-token": { value: issued?.sessionToken, secret: true, env: "AWS_SESSION_TOKEN" },
            region: { value: "eu-west-1", secret: false, env: "AWS_REGION" },
          },
        })
        expect(issued).toMatchObject({
          roleArn: ROLE,
          subject: SUBJECT,
          durationSeconds: 900,
          sessionName: "acme.shop@7001.1",
        })
        expect(issued?.tags).toMatchObject({ repository: "acme/shop", environment: "production", run_id: "7001" })
        const records = (await trail()).slice(-2).map(({ record }) => record)
        expect(records).toMatchObject([
          {
            version: 2,
            event: "exchange.intended",
            decision: "allow",
            token_binding: "none",
            lease,
            identity: { unit_kind: "repository", unit: "acme/shop", unit_id: "41", environment: "production" },
            claims: { ref: "refs/heads/main", event_name: "push", runner_environment: "github-hosted" },
          },
          {
            version: 2,
            event: "exchange.minted",
            lease,
            grants: [
              {
                name: "aws-deploy",
                connection: "aws-prod",
                resource: ROLE,
                ttl_seconds: 900,
                ids: { "access-key-id": issued?.accessKeyId },
                fingerprints: { "session-token": sha256(issued?.sessionToken ?? "") },
              },
              { name: "vault", fingerprints: { token: sha256(credentials["vault"]?.values["token"]?.value ?? "") } },
            ],
          },
        ])
        expect(JSON.stringify(records)).not.toContain(token)
      })

      it("answers a key-bound request so that only the key's holder can open it", async () => {
        const key = await makeJobKey()
        const answer = await exchange(await tokenFor({}, `${world.broker.url}?jkt=${key.thumbprint}`), {
          grants: ["vault-bound"],
          key: key.jwk,
        })
        expect(answer.status).toBe(200)
        expect(answer.headers.get("content-type")).toBe("application/jose")
        const { credentials } = await key.open(answer.text)
        expect(credentials["vault-bound"]?.values["token"]?.secret).toBe(true)
        await expect((await makeJobKey()).open(answer.text)).rejects.toThrow()
      })

      it("signs identity tokens that anything which trusts OIDC can verify", async () => {
        const answer = await exchange(await tokenFor(), { grants: ["vault"], ttl: "1m" })
        const { credentials } = answer.json as unknown as ExchangeAnswer
        const token = credentials["vault"]?.values["token"]?.value ?? ""
        const discovery = await send(world.broker, "/.well-known/openid-configuration")
        expect(discovery.json).toMatchObject({ issuer: world.broker.url })
        const keys = createRemoteJWKSet(new URL(String(discovery.json["jwks_uri"])))
        const { payload } = await jwtVerify(token, keys, {
          issuer: world.broker.url,
          audience: "https://vault.example.com",
          algorithms: ["RS256"],
        })
        expect(payload).toMatchObject({
          sub: "github:repository:41:environment:production:grant:vault",
          repository_id: "41",
          grant: "vault",
        })
        expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60)
      })

      it("gives the policy for jobs without an environment to jobs without one, and to no other", async () => {
        const { environment: _, ...plain } = DEPLOYMENT
        const allowed = await exchange(await world.github.mint(plain, { audience: world.broker.url }), {
          grants: ["ci-token"],
        })
        expect(allowed.status).toBe(200)
        expect((await exchange(await tokenFor(), { grants: ["ci-token"] })).json["code"]).toBe("not_allowed")
        expect(
          (await exchange(await tokenFor({ environment: "staging" }), { grants: ["ci-token"] })).json["code"],
        ).toBe("not_allowed")
      })

      it("takes a subject token once, however many requests carry it at the same time", async () => {
        const token = await tokenFor()
        const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(token)))
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
        expect(answers.filter(({ json }) => json["code"] === "token_already_used")).toHaveLength(19)
        const digests = (await trail()).filter(({ record }) => record.event === "token.replayed")
        const replays = new Set(digests.map(({ record }) => record.token_digest))
        expect(replays.size, "a replay is recorded once a token").toBe(digests.length)
      })
    })

    describe("a refusal", () => {
      it("tells the policy's own repository which claim, which rule, and what it expected", async () => {
        const answer = await exchange(await tokenFor({ ref: "refs/heads/feature" }), { grants: ["aws-deploy"] })
        expect(answer.status).toBe(403)
        expect(answer.headers.get("content-type")).toBe("application/problem+json")
        expect(answer.json).toMatchObject({
          code: "not_allowed",
          trace: {
            grants: [
              {
                name: "aws-deploy",
                outcome: "deny",
                rules: expect.arrayContaining([
                  expect.objectContaining({
                    name: "deploy from main",
                    matched: false,
                    conditions: expect.arrayContaining([
                      { claim: "ref", expected: "refs/heads/main", actual: "refs/heads/feature", matched: false },
                    ]),
                  }),
                ]),
              },
            ],
          },
        })
        expect(await lastRecord()).toMatchObject({
          event: "exchange.denied",
          decision: "deny",
          reason: "not_allowed: aws-deploy",
        })
      })

      it.each([
        ["pull_request_target", { event_name: "pull_request_target" }],
        ["workflow_run", { event_name: "workflow_run" }],
        ["a runner of one's own", { runner_environment: "self-hosted" }],
      ])("meets a job on main by %s", async (_, claims) => {
        expect((await exchange(await tokenFor(claims))).json["code"]).toBe("not_allowed")
      })

      it("is the same for what is absent and for a stranger, and nothing of a stranger is stored", async () => {
        const strangers = {
          repository: "evil/shop",
          repository_id: "66",
          repository_owner: "evil",
          repository_owner_id: "666",
        }
        const stranger = await exchange(await tokenFor(strangers), { grants: ["aws-deploy"] })
        const absent = await exchange(await tokenFor({ repository: "acme/empty", repository_id: "55" }), {
          grants: ["aws-deploy"],
        })
        const said = ({ json }: typeof stranger) => ({
          ...json,
          detail: withoutOwnName(String(json["detail"])),
          request_id: "",
        })
        expect(said(stranger)).toEqual(said(absent))
        expect(stranger.json).not.toHaveProperty("trace")
        expect(await world.broker.trail(world.github.issuer, "66")).toEqual([])
      })

      it("meets the same name with another id: names can be taken over, ids cannot", async () => {
        const taken = await exchange(await tokenFor({ repository_id: "999" }), { grants: ["aws-deploy"] })
        expect(taken.json["code"]).toBe("not_allowed")
        expect(taken.json).not.toHaveProperty("trace")
      })

      it("meets a plain token where a bound one is demanded", async () => {
        expect((await exchange(await tokenFor(), { grants: ["vault-bound"] })).json["code"]).toBe(
          "bound_token_required",
        )
      })

      it("of a stolen bound token leaves it good for its owner", async () => {
        const [owner, thief] = [await makeJobKey(), await makeJobKey()]
        const token = await tokenFor({}, `${world.broker.url}?jkt=${owner.thumbprint}`)
        expect((await exchange(token, { grants: ["vault"] })).json["code"]).toBe("key_mismatch")
        expect((await exchange(token, { grants: ["vault"], key: thief.jwk })).json["code"]).toBe("key_mismatch")
        expect((await exchange(token, { grants: ["vault"], key: owner.jwk })).status).toBe(200)
      })

      it("of a lifetime that the provider cannot mint leaves the token good", async () => {
        const token = await tokenFor()
        expect((await exchange(token, { grants: ["aws-deploy"], ttl: "1m" })).json["code"]).toBe("ttl_too_short")
        expect((await exchange(token, { grants: ["aws-deploy"], ttl: "15m" })).status).toBe(200)
      })

      it.each([
        ["of a stranger's key", { key: "stranger" as const }, "token_signature_invalid"],
        ["that has expired", { issuedAt: 1_700_000_000 }, "token_expired"],
        ["from the future", { issuedAt: Math.floor(Date.now() / 1000) + 600 }, "token_not_yet_valid"],
        ["that lives too long", { lifetimeSeconds: 3600 }, "token_lifetime_too_long"],
        ["for another audience", { audience: "https://elsewhere.example" }, "token_audience_mismatch"],
      ])("meets a token %s", async (_, mint, code) => {
        const token = await world.github.mint(DEPLOYMENT, { audience: world.broker.url, ...mint })
        const answer = await exchange(token)
        expect(answer.json["code"]).toBe(code)
        expect(answer.headers.get("www-authenticate")).toBe("Bearer")
        expect(answer.text).not.toContain(token)
      })
    })

    describe("a malformed request", () => {
      const cases: readonly [string, () => Parameters<typeof send>[2], string, string][] = [
        ["without a token", () => ({ body: { grants: ["vault"] } }), "/v1/exchange", "token_missing"],
        [
          "with a token that is none",
          () => ({ token: "a.b.c", body: { grants: ["vault"] } }),
          "/v1/exchange",
          "token_malformed",
        ],
        [
          "with another scheme",
          () => ({ headers: { authorization: "Basic YTpi" }, body: { grants: ["vault"] } }),
          "/v1/exchange",
          "token_malformed",
        ],
        [
          "with a token in the URL",
          () => ({ body: { grants: ["vault"] } }),
          "/v1/exchange?access_token=x",
          "request_malformed",
        ],
        [
          "without JSON",
          () => ({ token: "x", raw: "grants=vault", headers: { "content-type": "text/plain" } }),
          "/v1/exchange",
          "media_type_unsupported",
        ],
        ["with broken JSON", () => ({ token: "x", raw: "{" }), "/v1/exchange", "request_malformed"],
        ["with no grants", () => ({ token: "x", body: { grants: [] } }), "/v1/exchange", "request_malformed"],
        [
          "with a grant twice",
          () => ({ token: "x", body: { grants: ["a", "a"] } }),
          "/v1/exchange",
          "request_malformed",
        ],
        [
          "with a member nobody knows",
          () => ({ token: "x", body: { grants: ["a"], role: "admin" } }),
          "/v1/exchange",
          "request_malformed",
        ],
        [
          "with a lifetime of zero",
          () => ({ token: "x", body: { grants: ["a"], ttl: "0s" } }),
          "/v1/exchange",
          "request_malformed",
        ],
        [
          "with a key off the curve",
          () => ({
            token: "x",
            body: { grants: ["a"], key: { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43) } },
          }),
          "/v1/exchange",
          "request_malformed",
        ],
        [
          "with a private key",
          () => ({
            token: "x",
            body: {
              grants: ["a"],
              key: { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43), d: "A".repeat(43) },
            },
          }),
          "/v1/exchange",
          "request_malformed",
        ],
        [
          "with a lease and no key",
          () => ({ token: "x", body: { grants: ["a"], lease: newLeaseId(new Date(), crypto.randomUUID()) } }),
          "/v1/exchange",
          "request_malformed",
        ],
        [
          "with a lease that is a random UUID",
          () => ({ token: "x", body: { grants: ["a"], lease: crypto.randomUUID() } }),
          "/v1/exchange",
          "request_malformed",
        ],
        [
          "with a body too large",
          () => ({ token: "x", raw: JSON.stringify({ grants: ["a"], ttl: "x".repeat(20_000) }) }),
          "/v1/exchange",
          "request_too_large",
        ],
        ["by another method", () => ({ method: "GET", token: "x" }), "/v1/exchange", "method_not_allowed"],
        ["for a path that is not there", () => ({ token: "x" }), "/v2/exchange", "route_not_found"],
        ["for an operators' path that is not there", () => ({ token: "x" }), "/v1/operate/nothing", "route_not_found"],
        ["for what operators may", () => ({ method: "GET", token: "x" }), "/v1/operate/policies", "token_malformed"],
        [
          "for a lease that cannot be one",
          () => ({ method: "DELETE", token: "x" }),
          "/v1/leases/..%2f",
          "request_malformed",
        ],
      ]
      it.each(cases)("%s is told so, and nobody is asked for anything", async (_, request, path, code) => {
        const before = [world.github.requests.length, world.sts.requests.length, (await trail()).length]
        const answer = await send(world.broker, path, request())
        expect(answer.json).toMatchObject({ code, status: answer.status, request_id: expect.any(String) })
        expect(answer.headers.get("content-type")).toBe("application/problem+json")
        expect(answer.headers.get("x-request-id"), "the log tells of it under this id").toBe(answer.json["request_id"])
        expect(answer.headers.get("cache-control")).toBe("no-store")
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
        expect([world.github.requests.length, world.sts.requests.length, (await trail()).length]).toEqual(before)
      })

      it("for where people sign in is answered without a token, with nothing of jobs", async () => {
        const { status, json, headers } = await send(world.broker, "/.well-known/daypass")
        expect({ status, json }).toEqual({ status: 200, json: { people: [] } })
        expect(headers.get("cache-control")).toBe("public, max-age=300")
      })

      it("at / is a page for a browser, which runs nothing, and for others the JSON of an unknown path", async () => {
        const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }
        const page = await send(world.broker, "/", { headers })
        expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"])
        expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none';(?!.*script)/)
        expect(page.headers.get("vary")).toBe("accept")
        expect(page.text).toContain(`<code>${world.broker.url}</code>`)
        for (const [, path = ""] of page.text.matchAll(/href="(\/[^"]*)"/g)) {
          // The console is there, and asks who it is.
          expect([200, 401, 403], path).toContain((await send(world.broker, path)).status)
        }
        for (const accept of ["*/*", "application/json", "application/json, text/htmlx"]) {
          const answer = await send(world.broker, "/", { headers: { accept } })
          expect([answer.status, answer.json["code"]], accept).toEqual([404, "route_not_found"])
        }
        expect((await send(world.broker, "/", { body: {}, headers })).json["code"]).toBe("route_not_found")
      })

      it("by another method is told which one the path takes", async () => {
        expect((await send(world.broker, "/v1/exchange")).headers.get("allow")).toBe("POST")
        expect((await send(world.broker, "/healthz", { method: "DELETE" })).headers.get("allow")).toBe("GET")
      })

      it("of an unlisted issuer causes no call to it", async () => {
        const before = world.github.requests.length
        const token = await world.github.mint(
          { ...DEPLOYMENT, iss: "http://127.0.0.1:1/evil" },
          { audience: world.broker.url },
        )
        expect((await exchange(token)).json["code"]).toBe("token_issuer_unknown")
        expect(world.github.requests.length).toBe(before)
      })
    })

    describe("a provider that fails", () => {
      it("names itself and its remedy, repeats nothing of what it was told, and hands out nothing", async () => {
        const answer = await exchange(await tokenFor(), { grants: ["vault", "unknown-role"] })
        expect(answer.status).toBe(502)
        expect(answer.json["code"]).toBe("provider_denied")
        expect(answer.json["detail"]).toContain("aws-prod")
        expect(answer.text).not.toContain("Not authorized")
        expect(await lastRecord()).toMatchObject({
          event: "exchange.failed",
          reason: "provider_denied: aws-prod; left alive: vault",
        })
      })

      it("and recovers is asked again", async () => {
        world.sts.fail("Throttling", 1)
        expect((await exchange(await tokenFor(), { grants: ["aws-deploy"] })).status).toBe(200)
      })

      it("by answering for another account is not believed", async () => {
        world.sts.fail("wrong-account", 1)
        expect((await exchange(await tokenFor(), { grants: ["aws-deploy"] })).json["code"]).toBe(
          "provider_response_invalid",
        )
      })
    })

    describe("an explanation", () => {
      it("says what an exchange would, and uses nothing up", async () => {
        const token = await tokenFor()
        const before = (await trail()).length
        const answer = await send(world.broker, "/v1/explain", { token, body: { grants: ["aws-deploy"] } })
        expect(answer.json).toMatchObject({
          decision: "allow",
          code: "allowed",
          trace: { grants: [{ outcome: "allow", ttl_seconds: 1800 }] },
        })
        expect((await trail()).length).toBe(before)
        expect((await exchange(token)).status).toBe(200)
      })

      it("of a denial carries the trace for the owner, and none for a stranger", async () => {
        const own = await send(world.broker, "/v1/explain", {
          token: await tokenFor({ ref: "refs/heads/x" }),
          body: { grants: ["vault"] },
        })
        expect(own.json).toMatchObject({
          decision: "deny",
          code: "not_allowed",
          trace: { grants: [{ outcome: "deny" }] },
        })
        const stranger = await tokenFor({
          repository: "evil/x",
          repository_id: "66",
          repository_owner: "evil",
          repository_owner_id: "666",
        })
        const other = await send(world.broker, "/v1/explain", { token: stranger, body: { grants: ["vault"] } })
        // The version is everybody's: that of the whole set, as /healthz says it.
        const { version } = (await send(world.broker, "/healthz")).json["policies"] as { version: string }
        expect(other.json).toEqual({
          decision: "deny",
          code: "not_allowed",
          grants: ["vault"],
          policy_version: version,
        })
      })
    })

    describe("a lease", () => {
      const open = async () => (await exchange(await tokenFor(), { grants: ["aws-deploy"] })).json["lease"] as string
      const close = async (lease: string, claims: Record<string, unknown> = {}, audience?: string) =>
        send(world.broker, `/v1/leases/${lease}`, { method: "DELETE", token: await tokenFor(claims, audience) })

      it("is closed by its own run, and says honestly what only expires", async () => {
        const lease = await open()
        const closed = await close(lease)
        expect(closed.status).toBe(200)
        expect(closed.json).toMatchObject({ lease, credentials: { "aws-deploy": { outcome: "expires-only" } } })
        const records = (await trail()).slice(-2).map(({ record }) => record)
        expect(records).toMatchObject([
          { event: "lease.revoking", lease },
          { event: "lease.closed", lease },
        ])
      })

      it("is closed once: the second call answers what the first came to", async () => {
        const lease = await open()
        const first = await close(lease)
        const length = (await trail()).length
        const second = await close(lease)
        expect(second.json).toEqual(first.json)
        expect((await trail()).length).toBe(length)
      })

      it("is closed with a token that is bound to a key nobody has", async () => {
        const { thumbprint } = await makeJobKey()
        expect((await close(await open(), {}, `${world.broker.url}?jkt=${thumbprint}`)).status).toBe(200)
      })

      it.each([
        ["another run", { run_id: "7002" }],
        ["another attempt", { run_attempt: "2" }],
        ["another repository", { repository: "acme/other", repository_id: "42" }],
        [
          "a stranger",
          { repository: "evil/x", repository_id: "66", repository_owner: "evil", repository_owner_id: "666" },
        ],
      ])("is not there for %s", async (_, claims) => {
        const lease = await open()
        const refused = await close(lease, claims)
        const unknown = await close("00000000-0000-7000-8000-000000000000")
        expect({ ...refused.json, request_id: "" }).toEqual({ ...unknown.json, request_id: "" })
        expect(refused.json["code"]).toBe("lease_not_found")
        expect((await close(lease)).status).toBe(200)
      })
    })

    describe("one token for a whole job of GitHub", () =>
      sessionSuite(() => world, {
        mint: (mint) => world.github.mint({ ...DEPLOYMENT, run_id: "7300" }, { audience: world.broker.url, ...mint }),
        trail: () => world.broker.trail(world.github.issuer, "41"),
        advice: "Use the Daypass action",
      }))

    describe("one token for a whole job of GitLab", () =>
      sessionSuite(() => world, {
        mint: (mint) => world.cis.gitlab.mint(gitlabJob(), { audience: world.broker.url, ...mint }),
        trail: () => world.broker.trail(world.cis.gitlab.issuer, "42"),
        advice: "The audience of a token of GitLab CI/CD cannot name one.",
      }))

    describe("a job of another CI", () => cisSuite(() => world))

    it("tells its health, and no secret", async () => {
      const health = await send(world.broker, "/healthz")
      expect(health.status).toBe(200)
      expect(health.json).toMatchObject({
        status: "ok",
        policies: { policies: 2 + POLICY_COUNT, version: expect.stringMatching(/^[0-9a-f]{64}$/) },
      })
    })

    it("prints no token and no secret", async () => {
      const token = await tokenFor()
      const { credentials, lease } = (await exchange(token, { grants: ["aws-deploy", "vault"] }))
        .json as unknown as ExchangeAnswer
      const secrets = Object.values(credentials).flatMap(({ values }) =>
        Object.values(values).filter(({ secret }) => secret),
      )
      // It does tell of the exchange: an output that nobody collects would hold no secret either.
      await expect.poll(() => world.broker.output()).toContain(lease)
      const output = world.broker.output()
      for (const secret of [token, ...secrets.map(({ value }) => value)]) {
        for (const form of [secret, btoa(secret), encodeURIComponent(secret)]) expect(output.includes(form)).toBe(false)
      }
      expect(decodeJwt(token)["jti"]).toBeDefined()
      expect(output).not.toContain(String(decodeJwt(token)["jti"]))
    })
  })
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
