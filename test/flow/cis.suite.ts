import { createHash, randomUUID } from "node:crypto"
import { decodeJwt } from "jose"
import { describe, expect, it } from "vitest"
import { makeJobKey as makeProofKey } from "../../action/key.ts"
import { dpopProof } from "../../action/proof/dpop.ts"
import type { ExchangeAnswer } from "../../broker/wire/exchange.ts"
import type { CiClaims, CiMintOptions } from "../support/ci-issuer.ts"
import {
  buildkiteJob,
  clusterJob,
  forkJob,
  forkJobOfOldServer,
  gitlabJob,
  PIPELINE,
  terraformJob,
} from "../support/ci-jobs.ts"
import { REFUSED } from "./cis/bad-tokens.ts"
import { DENIED } from "./cis/pitfalls.ts"
import { JOBS, OWN_LEASES } from "./cis/rows.ts"
import { SUBJECT_OF } from "./cis/subjects.ts"
import type { Ci } from "./cis/world.ts"
import { type FlowWorld, makeJobKey, send } from "./world.ts"

/** The same role for jobs of other CIs than GitHub, each with its own kind of unit, its own proofs and its own pitfalls. */
export function cisSuite(world: () => FlowWorld): void {
  const mint = (ci: Ci, claims: CiClaims, options: Partial<CiMintOptions> = {}) =>
    world().cis[ci].mint(claims, { audience: audienceOf(ci, world().broker.url), ...options })
  const exchange = (token: string, ...grants: string[]) =>
    send(world().broker, "/v1/exchange", { token, body: { grants } })
  const recordsOf = async (ci: Ci, unitId: string) =>
    (await world().broker.trail(world().cis[ci].issuer, unitId)).map(({ record }) => record)

  describe("gets the role and an identity token, recorded with its unit", () => {
    it.each(JOBS)("$name", async ({ ci, claims, unit, environment, session, about, read, binding }) => {
      const answer = await exchange(await mint(ci, claims()), "aws-deploy", "vault")
      expect([answer.status, answer.json["detail"]]).toEqual([200, undefined])
      const { credentials, lease } = answer.json as unknown as ExchangeAnswer
      const issued = world().sts.issued.at(-1)
      expect(credentials["aws-deploy"]?.values["access-key-id"]?.value).toBe(issued?.accessKeyId)
      const [kind, name, id] = unit
      const own = { [kind]: name, [`${kind}_${kind === "service_account" ? "uid" : "id"}`]: id }
      expect(issued).toMatchObject({ subject: SUBJECT_OF[ci], sessionName: session, durationSeconds: 1800 })
      // AWS takes no % and no other characters in a tag's value.
      expect(issued?.tags).toMatchObject({ [kind]: name.replace(/[{}%]/g, "_"), grant: "aws-deploy" })
      const token = credentials["vault"]?.values["token"]?.value ?? ""
      expect(decodeJwt(token)).toMatchObject({
        sub: SUBJECT_OF[ci].replace("grant:aws-deploy", "grant:vault"),
        subject_issuer: world().cis[ci].issuer,
        grant: "vault",
        ...(kind === "job" ? { job: name } : own),
      })
      const issuer = world().cis[ci].issuer
      const identity = { issuer, unit_kind: kind, unit: name, unit_id: id, environment, ...about }
      expect((await recordsOf(ci, id)).slice(-2)).toMatchObject([
        {
          version: 2,
          event: "exchange.intended",
          decision: "allow",
          token_binding: binding,
          lease,
          identity,
          claims: read,
        },
        {
          version: 2,
          event: "exchange.minted",
          token_binding: binding,
          lease,
          identity,
          grants: [
            { name: "aws-deploy", ids: { "access-key-id": issued?.accessKeyId } },
            { name: "vault", fingerprints: { token: createHash("sha256").update(token).digest("hex") } },
          ],
        },
      ])
    })

    it("GitLab's with a DPoP proof, which binds the token", async () => {
      const [token, key] = [await mint("gitlab", gitlabJob()), makeProofKey()]
      const call = { method: "POST", url: `${world().broker.url}/v1/exchange`, token, now: new Date() }
      const answer = await send(world().broker, "/v1/exchange", {
        token,
        headers: { dpop: dpopProof(key, { ...call, jti: randomUUID() }) },
        body: { grants: ["aws-deploy"], key: key.publicJwk },
      })
      expect(answer.status).toBe(200)
      const { credentials } = key.open(answer.text) as ExchangeAnswer
      expect(credentials["aws-deploy"]?.values["access-key-id"]?.value).toBe(world().sts.issued.at(-1)?.accessKeyId)
      expect((await recordsOf("gitlab", "42")).at(-1)).toMatchObject({ version: 2, token_binding: "dpop" })
    })

    it("Buildkite's with a key that its token names, which nothing else does for a connection that demands it", async () => {
      const key = await makeJobKey()
      const audience = `${world().broker.url}?jkt=${key.thumbprint}`
      const token = await mint("buildkite", buildkiteJob(), { audience })
      const body = { grants: ["vault-bound"], key: key.jwk }
      const answer = await send(world().broker, "/v1/exchange", { token, body })
      expect((await key.open(answer.text)).credentials["vault-bound"]?.values["token"]?.secret).toBe(true)
      expect((await recordsOf("buildkite", PIPELINE)).at(-1)).toMatchObject({ token_binding: "thumbprint" })
      const plain = await exchange(await mint("gitlab", gitlabJob()), "vault-bound")
      expect(plain.json).toMatchObject({
        code: "bound_token_required",
        detail: expect.stringContaining("The audience of a token of GitLab CI/CD cannot name one."),
      })
    })
  })

  describe("ends its own lease, and no other job does", () => {
    it.each(OWN_LEASES)("of %s", async (_, ci, own, others) => {
      const { lease } = (await exchange(await mint(ci, own()), "vault")).json as unknown as ExchangeAnswer
      const end = async (by: Ci, claims: CiClaims) =>
        send(world().broker, `/v1/leases/${lease}`, { method: "DELETE", token: await mint(by, claims) })
      for (const [by, claims] of others) expect((await end(by, claims)).json["code"]).toBe("lease_not_found")
      const closed = await end(ci, own())
      expect(closed.json).toMatchObject({ lease, credentials: { vault: { outcome: "expires-only" } } })
    })
  })

  describe("gets nothing", () => {
    it.each(DENIED)("%s", async (_, ci, claims, grant, words, unitId) => {
      const before = [world().sts.requests.length, (await recordsOf(ci, unitId)).length]
      const answer = await exchange(await mint(ci, claims), grant)
      expect([answer.status, answer.json["code"]]).toEqual([403, "not_allowed"])
      expect(answer.text).toContain(words)
      const records = await recordsOf(ci, unitId)
      expect([world().sts.requests.length, records.length - 1]).toEqual(before)
      expect(records.at(-1)).toMatchObject({ version: 2, event: "exchange.denied", identity: { unit_id: unitId } })
    })

    it.each(REFUSED)("with a token %s", async (_, ci, claims, options, code, words) => {
      const { signer, ...more } = options
      const by = signer === undefined ? {} : { signer: world().cis[signer] }
      const token = await mint(ci, claims, { ...more, ...by })
      const answer = await exchange(token, "vault")
      expect([answer.status, answer.json["code"]]).toEqual([401, code])
      expect(answer.json["detail"]).toContain(words)
      expect(answer.text).not.toContain(token)
    })

    it("with a legacy token of a cluster, and is told what to mount instead", async () => {
      const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...claims } = clusterJob()
      const legacy = { ...claims, iss: "kubernetes/serviceaccount" }
      const answer = await exchange(await world().cis.cluster.sign(legacy), "vault")
      expect(answer.json).toMatchObject({
        code: "token_issuer_unknown",
        detail: expect.stringContaining("Mount a projected serviceAccountToken volume"),
      })
    })

    it("of a group that the organisation does not list, and nothing of it is stored", async () => {
      const stranger = forkJob({
        project_id: "666",
        namespace_id: "66",
        namespace_path: "evil",
        project_path: "evil/s",
      })
      const answer = await exchange(await mint("gitlab", stranger), "vault")
      expect(answer.json["code"]).toBe("not_allowed")
      expect(answer.json).not.toHaveProperty("trace")
      expect(await recordsOf("gitlab", "666")).toEqual([])
    })

    it("of another CI by the same id: an id is one of its issuer", async () => {
      const job = await world().github.mint(
        { repository: "acme/shop", repository_id: "42", repository_owner_id: "9001", environment: "production" },
        { audience: world().broker.url },
      )
      expect((await exchange(job, "aws-deploy")).json["code"]).toBe("not_allowed")
    })
  })

  it("takes a token once that two processes of a run show at the same time", async () => {
    const token = await mint("terraform", terraformJob())
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(token, "vault")))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ json }) => json["code"] === "token_already_used")).toHaveLength(7)
  })

  it("gets what a rule names that is about such jobs: a merge request by an older server, and a plan that reads", async () => {
    const review = forkJobOfOldServer({ environment: "review", environment_protected: "false" })
    expect((await exchange(await mint("gitlab", review), "vault")).status).toBe(200)
    const plan = await mint("terraform", terraformJob({ terraform_run_phase: "plan" }))
    expect((await exchange(plan, "vault")).status).toBe(200)
  })

  it("makes the broker ask its issuer for two documents, and one whose keys are listed for none", async () => {
    for (const { ci, claims } of JOBS) {
      const token = await mint(ci, claims())
      const explained = await send(world().broker, "/v1/explain", { token, body: { grants: ["vault"] } })
      expect([ci, explained.json["decision"]]).toEqual([ci, "allow"])
      const { length } = world().cis[ci].requests
      expect([ci, length]).toEqual([ci, { cluster: 0, jenkins: 1 }[ci as string] ?? 2])
    }
  })
}

const audienceOf = (ci: Ci, broker: string): string | readonly string[] => {
  if (ci === "azure") return "api://AzureADTokenExchange"
  return ci === "jenkins" || ci === "cluster" ? [broker] : broker
}
