import { randomUUID } from "node:crypto"
import { request } from "node:http"
import { expect, it } from "vitest"
import { makeJobKey } from "../../action/key.ts"
import { dpopProof, type ProofKey } from "../../action/proof/dpop.ts"
import type { ChainedRecord } from "../../broker/ports/ledger.ts"
import type { ExchangeAnswer, RevokeAnswer } from "../../broker/wire/exchange.ts"
import { newLeaseId } from "../../broker/wire/lease-id.ts"
import { type FlowWorld, send } from "./world.ts"

/** A job that has one token. */
export interface SessionJob {
  /** Mints the job's token, for the broker's audience. */
  mint(options: { readonly lifetimeSeconds?: number }): Promise<string>
  trail(): Promise<readonly ChainedRecord[]>
  /** What its CI's jobs are told for whom the token has to name a key. */
  readonly advice: string
}

/** What holds for a CI that gives a job one token in a variable, whose audience names no key. */
export function sessionSuite(world: () => FlowWorld, job: SessionJob): void {
  const tokenOfJob = (mint: { readonly lifetimeSeconds?: number } = {}) => job.mint(mint)
  const proofOf = (key: ProofKey, method: string, path: string, token: string, jti: string = randomUUID()) =>
    dpopProof(key, { method, url: `${world().broker.url}${path}`, token, now: new Date(), jti })
  const exchange = (token: string, key: ProofKey, proof?: string, body: object = {}) =>
    send(world().broker, "/v1/exchange", {
      token,
      headers: { dpop: proof ?? proofOf(key, "POST", "/v1/exchange", token) },
      body: { grants: ["vault"], key: key.publicJwk, ...body },
    })
  const end = (lease: string, token: string, proof: string | undefined) =>
    send(world().broker, `/v1/leases/${lease}`, {
      method: "DELETE",
      token,
      ...(proof === undefined ? {} : { headers: { dpop: proof } }),
    })
  const recordsOf = async (lease: string) =>
    (await job.trail()).map(({ record }) => record).filter((record) => record.lease === lease)
  const replays = async () => (await job.trail()).filter(({ record }) => record.event === "token.replayed").length

  it("is exchanged, renewed, explained and revoked with one token", async () => {
    const [token, key] = [await tokenOfJob(), makeJobKey()]
    const path = "/v1/explain"
    const explained = await send(world().broker, path, {
      token,
      headers: { dpop: proofOf(key, "POST", path, token) },
      body: { grants: ["vault"], key: key.publicJwk },
    })
    expect(explained.json).toMatchObject({ decision: "allow" })

    const leases = [newLeaseId(new Date(), randomUUID()), newLeaseId(new Date(), randomUUID())]
    for (const lease of leases) {
      const answer = await exchange(token, key, undefined, { lease })
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/jose"])
      const opened = key.open(answer.text) as ExchangeAnswer
      expect(opened.credentials["vault"]?.values["token"]?.secret).toBe(true)
      expect(opened.lease).toBe(lease)
    }
    for (const lease of leases) {
      const closed = await end(lease, token, proofOf(key, "DELETE", `/v1/leases/${lease}`, token))
      expect(closed.status).toBe(200)
      expect((closed.json as unknown as RevokeAnswer).credentials["vault"]?.outcome).toBe("expires-only")
      const events = (await recordsOf(lease)).map(({ event }) => event)
      expect(events).toEqual(["exchange.minted", "lease.revoking", "lease.closed"])
    }
    const records = (await Promise.all(leases.map(recordsOf))).flat()
    expect(new Set(records.map((record) => record.token_digest)).size).toBe(1)
    expect(new Set(records.map((record) => record.token_binding))).toEqual(new Set(["dpop"]))
  })

  it("is nobody else's: not with the token alone, another key, a repeated call, or a proof of another call", async () => {
    const [token, key, thief] = [await tokenOfJob(), makeJobKey(), makeJobKey()]
    const proof = proofOf(key, "POST", "/v1/exchange", token)
    const lease = newLeaseId(new Date(), randomUUID())
    expect((await exchange(token, key, proof, { lease })).status).toBe(200)
    const before = await replays()
    const path = `/v1/leases/${lease}`
    const codes = [
      await send(world().broker, "/v1/exchange", { token, body: { grants: ["vault"] } }),
      await exchange(token, thief),
      await exchange(token, key, proof),
      await exchange(token, key, proof, { lease }),
      await end(lease, token, undefined),
      await end(lease, token, proofOf(thief, "DELETE", path, token)),
    ]
    expect(codes.map(({ json }) => json["code"])).toEqual(codes.map(() => "token_already_used"))
    expect(await replays()).toBe(before + 1)

    const misused = [
      await end(lease, token, proof),
      await end(lease, token, proofOf(key, "DELETE", "/v1/leases/00000000-0000-7000-8000-000000000000", token)),
      await exchange(token, key, proofOf(key, "POST", "/v1/exchange", await tokenOfJob())),
      await exchange(token, key, proofOf(key, "POST", "/v1/explain", token)),
      await exchange(token, key, ""),
    ]
    expect(misused.map(({ json }) => json["code"])).toEqual(misused.map(() => "proof_invalid"))
    expect(misused[0]?.status).toBe(401)

    const jti = randomUUID()
    expect((await end(lease, token, proofOf(key, "DELETE", path, token, jti))).status).toBe(200)
    const again = await end(lease, token, proofOf(key, "DELETE", path, token, jti))
    expect(again.json["code"], "the same jti in another proof").toBe("token_already_used")
  })

  it("belongs to the key that is first, however many race for it", async () => {
    const token = await tokenOfJob()
    const keys = [makeJobKey(), makeJobKey()]
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const key = keys[index % 2] ?? makeJobKey()
        const { status, json } = await exchange(token, key)
        return { thumbprint: key.thumbprint, status, code: json["code"] }
      }),
    )
    const admitted = answers.filter(({ status }) => status === 200)
    expect(admitted).toHaveLength(6)
    expect(new Set(admitted.map(({ thumbprint }) => thumbprint)).size).toBe(1)
    expect(answers.filter(({ code }) => code === "token_already_used")).toHaveLength(6)
  })

  it("never had a proof when its first use had none", async () => {
    const [token, key] = [await tokenOfJob(), makeJobKey()]
    const plain = await send(world().broker, "/v1/exchange", { token, body: { grants: ["vault"] } })
    expect(plain.status).toBe(200)
    expect((await exchange(token, key)).json["code"]).toBe("token_already_used")
  })

  it("has one DPoP header in a call, and its key in the body", async () => {
    const [token, key] = [await tokenOfJob(), makeJobKey()]
    const proof = () => proofOf(key, "POST", "/v1/exchange", token)
    const body = JSON.stringify({ grants: ["vault"], key: key.publicJwk })
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": body.length,
        dpop: [proof(), proof()],
      }
      const call = request(`${world().broker.url}/v1/exchange`, { method: "POST", headers }, (response) => {
        let text = ""
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk
        })
        response.on("end", () => resolve(text))
      })
      call.on("error", reject).end(body)
    })
    expect(JSON.parse(answer)).toMatchObject({
      code: "proof_invalid",
      detail: "The DPoP proof must come in exactly one DPoP header.",
    })
    const keyless = { token, headers: { dpop: proof() }, body: { grants: ["vault"] } }
    expect((await send(world().broker, "/v1/exchange", keyless)).json["code"]).toBe("key_mismatch")
    expect((await exchange(token, makeJobKey(), proof())).json["code"]).toBe("key_mismatch")
    // None of it used the token up.
    expect((await exchange(token, key)).status).toBe(200)
  })

  it("does not do where a token that names its key is demanded", async () => {
    const [token, key] = [await tokenOfJob(), makeJobKey()]
    const { json } = await exchange(token, key, undefined, { grants: ["vault-bound"] })
    expect(json).toMatchObject({ code: "bound_token_required", detail: expect.stringContaining(job.advice) })
  })

  it("gives nothing that outlives the token", async () => {
    const lifetimeSeconds = 120
    const endsAt = Math.floor(Date.now() / 1000) + lifetimeSeconds
    const [token, key] = [await tokenOfJob({ lifetimeSeconds }), makeJobKey()]
    const answer = await exchange(token, key)
    const { expires_at } = key.open(answer.text) as ExchangeAnswer
    // The grant alone would last for 300 s.
    expect(Date.parse(expires_at)).toBeLessThanOrEqual((endsAt + 5) * 1000)
    const long = await exchange(token, key, undefined, { grants: ["aws-deploy"] })
    expect(long.json).toMatchObject({ code: "ttl_too_short", detail: expect.stringContaining("ends with it") })
  })
}
