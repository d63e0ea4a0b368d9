import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createRemoteJWKSet, jwtVerify } from "jose"
import * as oauth from "oauth4webapi"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type GitHub, startGitHub } from "../support/github.ts"
import type { Vendor } from "../support/vendor.ts"
import { connectionLines, TOOLS, toolsJob, vendorSecrets } from "../support/vendor-world.ts"
import { startGitHubVendor } from "../support/vendors/github.ts"
import { makeJobKey, type RunningBroker, type StartBroker, send } from "./world.ts"

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
const TYPE = "urn:ietf:params:oauth:token-type:"
const AUDIENCE = "https://vault.example.com"
/** The broker of a test is at http on loopback. */
const ON_LOOPBACK = { [oauth.allowInsecureRequests]: true }

/** Clients of standards at the broker's other doors: oauth4webapi, and requests as clients of octo-sts send them. */
export function standardsSuite(runtime: string, startBroker: StartBroker): void {
  describe(`clients of standards, with the broker on ${runtime}`, () => {
    const ends = new AsyncDisposableStack()
    let github: GitHub
    let vendor: Vendor
    let broker: RunningBroker
    let runs = 9000

    beforeAll(async () => {
      const policies = mkdtempSync(join(tmpdir(), "daypass-standards-"))
      ends.defer(() => rmSync(policies, { recursive: true, force: true }))
      github = await startGitHub()
      ends.defer(() => github.close())
      vendor = await startGitHubVendor()
      ends.defer(() => vendor.close())
      writeFileSync(
        join(policies, "daypass.yaml"),
        `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"], endpoint: "http://127.0.0.1:9" }
  broker: { provider: identity-token, audiences: ["${AUDIENCE}"] }
  broker-bound: { provider: identity-token, audiences: ["${AUDIENCE}"], require_bound_token: true }
${connectionLines([vendor])}`,
      )
      mkdirSync(join(policies, "acme/tools"), { recursive: true })
      writeFileSync(
        join(policies, "acme/tools/production.yaml"),
        `version: 1
repository: ${TOOLS.repository}
repository_id: "${TOOLS.repository_id}"
environment: production
allow:
  - name: from main
    when: { ref: refs/heads/main }
    grants: [aws-deploy, vault, vault-bound, github-release]
grants:
  aws-deploy: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/deploy" }
  vault: { connection: broker, audience: "${AUDIENCE}" }
  vault-bound: { connection: broker-bound, audience: "${AUDIENCE}" }
  github-release: ${JSON.stringify(vendor.grants["github-release"])}
`,
      )
      broker = await startBroker({ policies, settings: vendorSecrets([vendor]) })
      ends.defer(async () => void (await broker.stop()))
    })
    afterAll(() => ends.disposeAsync())

    const tokenFor = (claims: Record<string, unknown> = {}, audience = broker.url) =>
      github.mint({ ...toolsJob(`${runs++}`), run_attempt: "1", ...claims }, { audience })
    const records = async () => (await broker.trail(github.issuer, TOOLS.repository_id)).map(({ record }) => record)
    const opens = async (token: string) => {
      const answer = await fetch(
        `${(vendor.connections["github-acme"] as { api_url: string }).api_url}/repositories/42`,
        {
          headers: { authorization: `Bearer ${token}`, "user-agent": "a-step-of-the-job" },
        },
      )
      await answer.arrayBuffer()
      return answer.status === 200
    }
    const discovered = async () => {
      const issuer = new URL(broker.url)
      const answer = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...ON_LOOPBACK })
      return await oauth.processDiscoveryResponse(issuer, answer)
    }
    /** What oauth4webapi makes of an exchange: the answer, or its error. */
    const exchangeBy = async (parameters: Record<string, string>) => {
      const server = await discovered()
      const client: oauth.Client = { client_id: "a-job" }
      const answer = await oauth.genericTokenEndpointRequest(
        server,
        client,
        oauth.None(),
        EXCHANGE,
        { subject_token_type: `${TYPE}id_token`, ...parameters },
        ON_LOOPBACK,
      )
      return {
        headers: answer.headers,
        result: await oauth.processGenericTokenEndpointResponse(server, client, answer),
      }
    }
    const errorOf = async (parameters: Record<string, string>) => {
      const error = await exchangeBy(parameters).catch((reason: unknown) => reason)
      if (error instanceof oauth.ResponseBodyError) return { status: error.status, ...error.cause }
      throw error
    }
    const post = (form: string, path = "/v1/token") =>
      send(broker, path, { raw: form, headers: { "content-type": "application/x-www-form-urlencoded" } })
    const formOf = (token: string, changes: Record<string, string> = {}) =>
      new URLSearchParams({
        grant_type: EXCHANGE,
        subject_token: token,
        subject_token_type: `${TYPE}jwt`,
        scope: "vault",
        ...changes,
      }).toString()

    describe("POST /v1/token", () => {
      it("is found by its metadata, and gives the broker's own token for a service", async () => {
        const { headers, result } = await exchangeBy({ subject_token: await tokenFor(), scope: "vault" })
        expect(headers.get("cache-control")).toBe("no-store")
        expect(result).toMatchObject({
          issued_token_type: `${TYPE}jwt`,
          token_type: "bearer",
          scope: "vault",
          lease: expect.stringMatching(/^[0-9a-f-]{36}$/),
        })
        expect(result.expires_in).toBeGreaterThan(290)
        expect(result.expires_in).toBeLessThanOrEqual(300)
        const keys = createRemoteJWKSet(new URL((await discovered()).jwks_uri ?? ""))
        const { payload } = await jwtVerify(result.access_token, keys, { issuer: broker.url, audience: AUDIENCE })
        expect(payload.sub).toBe("github:repository:42:environment:production:grant:vault")
      })

      it("is the act of POST /v1/exchange: the same records, and a lease that its job can end", async () => {
        const run = { run_id: `${runs++}` }
        const { result } = await exchangeBy({
          subject_token: await tokenFor(run),
          subject_token_type: `${TYPE}jwt`,
          requested_token_type: `${TYPE}access_token`,
          scope: "github-release",
        })
        expect(result.issued_token_type).toBe(`${TYPE}access_token`)
        expect(await opens(result.access_token)).toBe(true)
        const lease = String(result["lease"])
        expect((await records()).slice(-2)).toMatchObject([
          { event: "exchange.intended", decision: "allow", lease, grants: [{ name: "github-release" }] },
          { event: "exchange.minted", lease, grants: [{ fingerprints: { token: expect.any(String) } }] },
        ])
        const revoked = await send(broker, `/v1/leases/${lease}`, { method: "DELETE", token: await tokenFor(run) })
        expect(revoked.json).toMatchObject({ credentials: { "github-release": { outcome: "revoked" } } })
        expect(await opens(result.access_token)).toBe(false)
      })

      it("and the other door use up the same token", async () => {
        const token = await tokenFor()
        expect((await send(broker, "/v1/exchange", { token, body: { grants: ["vault"] } })).status).toBe(200)
        expect(await errorOf({ subject_token: token, scope: "vault" })).toMatchObject({
          status: 400,
          error: "invalid_request",
          code: "token_already_used",
        })
      })

      it("says what a policy refuses, in ASCII, and records the denial", async () => {
        const refused = await errorOf({ subject_token: await tokenFor({ ref: "refs/heads/f\u00fc" }), scope: "vault" })
        expect(refused).toMatchObject({
          status: 400,
          error: "invalid_scope",
          code: "not_allowed",
          request_id: expect.any(String),
          error_description: expect.stringMatching(/^vault: [\x20\x21\x23-\x5b\x5d-\x7e]+$/),
        })
        expect((await records()).at(-1)).toMatchObject({ event: "exchange.denied", reason: "not_allowed: vault" })
      })

      it("refuses a grant that is not one token before it mints, and does not use up the token", async () => {
        const before = (await records()).length
        const token = await tokenFor()
        expect(await errorOf({ subject_token: token, scope: "aws-deploy" })).toMatchObject({
          error: "invalid_request",
          code: "request_malformed",
          error_description: expect.stringContaining("aws-deploy is not one token"),
        })
        expect(
          await errorOf({ subject_token: token, scope: "github-release", requested_token_type: `${TYPE}jwt` }),
        ).toMatchObject({ error: "invalid_request", error_description: expect.stringContaining("not a JWT") })
        expect((await records()).length).toBe(before)
        expect((await exchangeBy({ subject_token: token, scope: "vault" })).result.access_token).not.toBe("")
      })

      it("takes no token that is bound to a key, because its answer would be for everybody", async () => {
        const { thumbprint } = await makeJobKey()
        const bound = await tokenFor({}, `${broker.url}?jkt=${thumbprint}`)
        expect(await errorOf({ subject_token: bound, scope: "vault" })).toMatchObject({ code: "key_mismatch" })
        expect((await records()).at(-1)).toMatchObject({ event: "token.unbound", token_binding: "thumbprint" })
        expect(await errorOf({ subject_token: await tokenFor(), scope: "vault-bound" })).toMatchObject({
          code: "bound_token_required",
        })
      })

      it.each([
        ["no grant type", { grant_type: "" }, "invalid_request", "request_malformed"],
        ["another grant type", { grant_type: "client_credentials" }, "unsupported_grant_type", "request_malformed"],
        ["no token", { subject_token: "" }, "invalid_request", "token_missing"],
        ["a token that is none", { subject_token: "a b" }, "invalid_request", "token_malformed"],
        ["a token of no issuer", { subject_token: "a.b.c" }, "invalid_request", "token_malformed"],
        ["no type of the token", { subject_token_type: "" }, "invalid_request", "request_malformed"],
        ["a SAML assertion", { subject_token_type: `${TYPE}saml2` }, "invalid_request", "request_malformed"],
        ["no scope", { scope: "" }, "invalid_scope", "request_malformed"],
        ["two scopes", { scope: "vault github-release" }, "invalid_scope", "request_malformed"],
        ["a resource", { resource: AUDIENCE }, "invalid_target", "request_malformed"],
        ["an audience", { audience: AUDIENCE }, "invalid_target", "request_malformed"],
        ["an actor", { actor_token: "a.b.c" }, "invalid_request", "request_malformed"],
        ["another type", { requested_token_type: `${TYPE}refresh_token` }, "invalid_request", "request_malformed"],
      ])("refuses a form with %s", async (_, changes, error, code) => {
        const { status, json } = await post(formOf("x.y.z", changes))
        expect([status, json["error"], json["code"]]).toEqual([400, error, code])
      })

      it("refuses a parameter that is there twice", async () => {
        const { status, json } = await post(`${formOf("x.y.z")}&scope=vault`)
        expect([status, json]).toMatchObject([400, { error: "invalid_request", error_description: "Send scope once." }])
      })

      it("ignores what it does not know, and treats what is empty as absent", async () => {
        const form = `${formOf(await tokenFor())}&client_id=a&resource=&actor_token=&something=else&something=else`
        expect((await post(form)).status).toBe(200)
      })

      it("refuses JSON, a query, a form that is too large, and other methods", async () => {
        const json = await send(broker, "/v1/token", { body: { scope: "vault" } })
        expect([json.status, json.json]).toMatchObject([
          400,
          { error: "invalid_request", code: "media_type_unsupported" },
        ])
        const query = await post(formOf("x.y.z"), "/v1/token?scope=vault")
        expect([query.status, query.json["code"]]).toEqual([400, "request_malformed"])
        const large = await post(formOf("x".repeat(30_000)))
        expect([large.status, large.json["code"]]).toEqual([413, "request_too_large"])
        const get = await send(broker, "/v1/token")
        expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"])
      })
    })

    it("describes itself by RFC 8414 and RFC 9728, which may be cached", async () => {
      expect(await discovered()).toEqual({
        issuer: broker.url,
        token_endpoint: `${broker.url}/v1/token`,
        token_endpoint_auth_methods_supported: ["none"],
        grant_types_supported: [EXCHANGE],
        response_types_supported: [],
        jwks_uri: `${broker.url}/.well-known/jwks.json`,
      })
      const resource = new URL(broker.url)
      const answer = await oauth.resourceDiscoveryRequest(resource, ON_LOOPBACK)
      expect(answer.headers.get("cache-control")).toBe("public, max-age=300")
      expect(await oauth.processResourceDiscoveryResponse(resource, answer)).toEqual({
        resource: broker.url,
        bearer_methods_supported: ["header"],
        resource_name: "Daypass",
      })
    })

    describe("/sts/exchange, as clients of octo-sts use it", () => {
      const octo = (token: string, query: string, init: RequestInit = {}) =>
        fetch(`${broker.url}/sts/exchange${query}`, {
          ...init,
          headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
        })
      /** Its clients ask for the audience that is the server's bare host. */
      const octoToken = (claims: Record<string, unknown> = {}) => tokenFor(claims, new URL(broker.url).host)
      const QUERY = "?scope=acme/tools&identity=github-release"

      it.each<[string, string, RequestInit]>([
        ["GET, with the slash as it is", QUERY, {}],
        ["GET, with parameters that it does not know", "?scope=acme%2Ftools&scopes=a&identity=github-release", {}],
        ["POST, with a query", QUERY, { method: "POST" }],
        [
          "POST, with JSON",
          "",
          {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ scope: "acme/docs", identity: "github-release", cluster: "" }),
          },
        ],
        ["the owner as scope, in another case", "?scope=Acme&identity=github-release", {}],
      ])("gives a token of GitHub for %s", async (_, query, init) => {
        const run = { run_id: `${runs++}` }
        const answer = await octo(await octoToken(run), query, init)
        expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"])
        const body = (await answer.json()) as { token: string }
        expect(Object.keys(body)).toEqual(["token"])
        expect(await opens(body.token)).toBe(true)
        const lease = answer.headers.get("daypass-lease") ?? ""
        expect((await records()).at(-1)).toMatchObject({ event: "exchange.minted", lease })
        await send(broker, `/v1/leases/${lease}`, { method: "DELETE", token: await tokenFor(run) })
        expect(await opens(body.token)).toBe(false)
      })

      it("takes the broker's own audience, too, and only there the bare host", async () => {
        const answer = await octo(await tokenFor(), QUERY)
        expect(answer.status).toBe(200)
        await answer.arrayBuffer()
        const elsewhere = await send(broker, "/v1/exchange", { token: await octoToken(), body: { grants: ["vault"] } })
        expect([elsewhere.status, elsewhere.json["code"]]).toEqual([401, "token_audience_mismatch"])
        const { thumbprint } = await makeJobKey()
        const bound = await tokenFor({}, `${new URL(broker.url).host}?jkt=${thumbprint}`)
        expect((await octo(bound, QUERY)).status).toBe(401)
      })

      it.each<[string, string, number, number, string]>([
        ["a repository that the grant is not for", "?scope=acme/ops&identity=github-release", 403, 7, "not_allowed"],
        ["a repository that begins as one", "?scope=acme/tool&identity=github-release", 403, 7, "not_allowed"],
        ["another owner", "?scope=evil/tools&identity=github-release", 403, 7, "not_allowed"],
        ["a grant that does not exist", "?scope=acme/tools&identity=other", 403, 7, "not_allowed"],
        ["a grant that is no token of GitHub", "?scope=acme/tools&identity=vault", 400, 3, "request_malformed"],
        ["a grant that is no token", "?scope=acme/tools&identity=aws-deploy", 400, 3, "request_malformed"],
        ["no scope", "?identity=github-release", 400, 3, "request_malformed"],
        ["no identity", "?scope=acme/tools", 400, 3, "request_malformed"],
        ["two identities", "?scope=acme/tools&identity=a&identity=b", 400, 3, "request_malformed"],
        ["a scope that is a path", "?scope=acme/tools/x&identity=github-release", 400, 3, "request_malformed"],
      ])("refuses %s with a sentence for its client", async (_, query, status, code, ours) => {
        const before = vendor.requests.length
        const answer = await octo(await octoToken(), query)
        expect([answer.status, await answer.json()]).toEqual([
          status,
          { code, message: expect.stringMatching(`^${ours}: .+\\.$`), details: [] },
        ])
        expect(vendor.requests.slice(before), "nothing was minted").toEqual([])
      })

      it("refuses a request without a token, a used one, and one that asks for nothing", async () => {
        const missing = await fetch(`${broker.url}/sts/exchange${QUERY}`)
        expect([missing.status, missing.headers.get("www-authenticate")]).toEqual([401, "Bearer"])
        expect(await missing.json()).toMatchObject({ code: 16, message: expect.stringMatching(/^token_missing: /) })
        const token = await octoToken()
        const head = await octo(token, QUERY, { method: "HEAD" })
        expect(head.status).toBe(405)
        // A HEAD request has not used it up.
        expect((await octo(token, QUERY)).status).toBe(200)
        const again = await octo(token, QUERY)
        expect([again.status, await again.json()]).toMatchObject([401, { code: 16 }])
        const put = await octo(token, QUERY, { method: "PUT" })
        expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, POST"])
      })
    })

    it("prints no token of any of these doors", async () => {
      const token = await tokenFor()
      const { result } = await exchangeBy({ subject_token: token, scope: "github-release" })
      await expect.poll(() => broker.output()).toContain(String(result["lease"]))
      const said = [broker.output(), broker.stored(), JSON.stringify(await records())].join()
      for (const secret of [token, result.access_token]) {
        for (const form of [secret, btoa(secret), encodeURIComponent(secret)]) expect(said.includes(form)).toBe(false)
      }
      expect(said).toContain('"route":"octo-sts"')
      expect(said).toContain('"route":"token"')
    })
  })
}
