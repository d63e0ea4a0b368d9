import { describe, expect, it } from "vitest"
import { PROBES } from "../../../broker/operate/probes.ts"
import { granted, refused as stsRefused } from "../../../broker/providers/aws/recorded.ts"
import { FOREIGN_TEXT, type Reply } from "../../../broker/providers/case.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { PROBE_SUBJECT, type ProbeIo } from "../../../broker/providers/probe.ts"
import { makeProviderIo, PROVIDER_IO_TOKEN, ScriptedHttp } from "../../support/provider-io.ts"

const json = (status: number, body: object): Reply => ({ status, body: JSON.stringify(body) })
const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const ROLE = "arn:aws:iam::111122223333:role/daypass-read"

const SETTINGS: Readonly<Record<string, object>> = {
  aws: { region: "eu-west-1", accounts: ["111122223333"] },
  "aws-secrets-manager": { region: "eu-west-1", role: ROLE },
  azure: { tenant: CLIENT, client_ids: [CLIENT] },
  google: {
    workload_identity_provider: "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker",
  },
  vault: { url: "https://vault.acme.example", roles: ["deploy", "shop-*"] },
  infisical: { identity_id: CLIENT },
  doppler: { identity: "abc" },
  conjur: { url: "https://conjur.acme.example", account: "acme", authenticator: "daypass" },
  "1password": { url: "https://connect.acme.example", token: "env:OP_TOKEN" },
}

async function ask(provider: string, replies: readonly Reply[], change: object = {}) {
  const other = new ScriptedHttp(replies)
  const io: ProbeIo = makeProviderIo({ http: other.http, secrets: { OP_TOKEN: "a-secret-of-the-operator" } })
  const settings = PROVIDERS.get(provider)?.connection.parse({ ...SETTINGS[provider], ...change })
  const findings = (await PROBES.get(provider)?.ask("the-connection", settings, io)) ?? []
  return { findings, states: findings.map(({ state }) => state), sent: other.sent }
}

const entra = (code: number) =>
  json(400, { error: "invalid_client", error_codes: [code], error_description: FOREIGN_TEXT })
const google = (error: string) => json(400, { error, error_description: FOREIGN_TEXT })
const vault = (text: string, status = 400) => json(status, { errors: [`${FOREIGN_TEXT} ${text}`] })
const token = { access_token: "ya29.abcdefghijkl", token_type: "Bearer", expires_in: 60 }

describe("the other side of a connection", () => {
  it.each<readonly [string, string, Reply]>([
    ["aws", "trusted", stsRefused(403, "AccessDenied")],
    ["aws", "not_trusted", stsRefused(400, "InvalidIdentityToken")],
    ["aws", "not_trusted", stsRefused(403, "IDPRejectedClaim")],
    ["aws", "not_trusted", stsRefused(400, "IDPCommunicationError")],
    ["aws", "not_trusted", stsRefused(400, "ExpiredTokenException")],
    ["aws", "unknown", stsRefused(403, "RegionDisabledException")],
    ["aws", "unknown", stsRefused(400, "Throttling")],
    ["aws", "unreachable", stsRefused(503, "ServiceUnavailable")],
    ["aws", "unreachable", { failure: "timeout" }],
    // Not from STS: a proxy that refuses has no code.
    ["aws", "unknown", { status: 403, body: FOREIGN_TEXT }],
    ["aws", "too_open", granted()],
    ["aws-secrets-manager", "trusted", stsRefused(403, "AccessDenied")],
    ["aws-secrets-manager", "too_open", granted()],
    ["azure", "trusted", entra(700213)],
    ["azure", "not_trusted", entra(700211)],
    ["azure", "not_trusted", entra(700212)],
    ["azure", "not_trusted", entra(700016)],
    ["azure", "not_trusted", entra(50166)],
    // These do not say which part of the credential did not match.
    ["azure", "unknown", entra(70021)],
    ["azure", "unknown", entra(123)],
    ["azure", "unreachable", { failure: "unreachable" }],
    ["azure", "too_open", json(200, token)],
    ["google", "trusted", google("unauthorized_client")],
    ["google", "not_trusted", google("invalid_grant")],
    ["google", "not_trusted", google("invalid_target")],
    ["google", "reachable", google("invalid_request")],
    ["google", "unknown", google("something_new")],
    ["google", "unreachable", json(503, {})],
    ["vault", "trusted", vault("error validating token: invalid subject (sub) claim: does not match")],
    ["vault", "trusted", vault('error validating claims: claim "sub" does not match')],
    ["vault", "not_trusted", vault("error validating token: invalid issuer (iss) claim")],
    ["vault", "not_trusted", vault("error verifying token signature: no known key")],
    ["vault", "not_trusted", vault("error validating token: invalid audience (aud) claim")],
    ["vault", "not_trusted", vault("permission denied", 403)],
    ["vault", "reachable", vault('role "deploy" could not be found')],
    ["vault", "unknown", vault("something new")],
    ["vault", "unreachable", vault("Vault is sealed", 503)],
    ["infisical", "trusted", json(403, { error: "ForbiddenRequestError" })],
    ["infisical", "not_trusted", json(404, { error: "NotFound" })],
    ["infisical", "reachable", json(401, { error: "UnauthorizedError" })],
    ["infisical", "unreachable", json(502, {})],
    ["doppler", "reachable", json(401, { messages: [FOREIGN_TEXT] })],
    ["doppler", "too_open", json(200, { token: "dp.sa.0123456789", expires_at: "2026-11-22T13:00:00Z" })],
    ["conjur", "reachable", { status: 401, body: "" }],
    ["conjur", "not_trusted", json(404, { error: { code: "not_found" } })],
    ["1password", "trusted", json(200, {})],
    ["1password", "not_trusted", json(401, { message: FOREIGN_TEXT })],
  ])("of %s is %s by its answer", async (provider, state, reply) => {
    const { findings, sent } = await ask(provider, [reply])
    expect(findings.map((finding) => finding.state)).toEqual([state])
    expect(sent).toHaveLength(1)
    const said = JSON.stringify(findings)
    for (const never of [FOREIGN_TEXT, PROVIDER_IO_TOKEN, "a-secret-of-the-operator", "ya29"]) {
      expect(said).not.toContain(never)
    }
  })

  it("of Vault that lets the question in gets its token revoked", async () => {
    const auth = {
      client_token: "hvs.let-in",
      lease_duration: 60,
      renewable: false,
      token_type: "service",
      policies: [],
    }
    const { states, sent } = await ask("vault", [json(200, { auth }), { status: 204, body: "" }])
    expect(states).toEqual(["too_open"])
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST https://vault.acme.example/v1/auth/jwt/login",
      "POST https://vault.acme.example/v1/auth/token/revoke-self",
    ])
    expect(sent[1]?.headers?.["X-Vault-Token"]).toBe("hvs.let-in")
  })

  it("is told of one by one, so that one that fails hides no other, and no more than some are asked", async () => {
    const accounts = Array.from({ length: 10 }, (_, index) => `11112222333${index}`)
    const replies = accounts.map((_, index) =>
      index === 3 ? ({ failure: "timeout" } as const) : stsRefused(403, "AccessDenied"),
    )
    const { findings, sent } = await ask("aws", replies, { accounts })
    expect(sent).toHaveLength(8)
    expect(findings.map(({ state }) => state)).toEqual([
      ...["trusted", "trusted", "trusted", "unreachable", "trusted", "trusted", "trusted", "trusted"],
      "unknown",
    ])
    expect(findings.at(-1)?.about).toBe("2 more")
    expect(sent[0]?.body).toContain(encodeURIComponent(`role/${PROBE_SUBJECT}`))
  })

  it("can be asked for every provider that calls somebody", () => {
    const silent = ["broker", "identity-token", "sops"]
    expect([...PROVIDERS.keys()].filter((name) => !PROBES.has(name))).toEqual(silent)
  })
})
