import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { decodeProtectedHeader } from "jose"
import { expect, it } from "vitest"
import type { KeysReport, RotationReport } from "../../broker/wire/keys.ts"
import { openOperator } from "../../cli/operate/client.ts"
import { scriptedIo } from "../cli/run-cli.ts"
import { startGitHub } from "../support/github.ts"
import { type StartBroker, send } from "./world.ts"

const OPS = { repository: "acme/ops", repository_id: "77", repository_owner_id: "9001", ref: "refs/heads/main" }

/** An operator rotates the signing keys of a broker, and replaces them at once. */
export function keysSuite(runtime: string, startBroker: StartBroker): void {
  it(`the signing keys of a broker on ${runtime} are rotated by an operator, and replaced at once`, async () => {
    await using ends = new AsyncDisposableStack()
    const folder = mkdtempSync(join(tmpdir(), "daypass-rotation-"))
    ends.defer(() => rmSync(folder, { recursive: true, force: true }))
    const github = await startGitHub()
    ends.defer(() => github.close())
    const policies = join(folder, "policies")
    mkdirSync(join(policies, "acme"), { recursive: true })
    writeFileSync(
      join(policies, "daypass.yaml"),
      `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  operators: { provider: broker, may: [keys.rotate, stop] }
  oidc: { provider: identity-token, audiences: ["https://vault.example.com"] }
`,
    )
    writeFileSync(
      join(policies, "acme/ops.yaml"),
      `version: 1
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [operator, part, vault] }
grants:
  operator: { connection: operators, may: [keys.rotate] }
  part: { connection: operators, may: [keys.rotate], owners: ["github:9001"] }
  vault: { connection: oidc, audience: "https://vault.example.com", ttl: 5m }
`,
    )
    const broker = await startBroker({ policies })
    ends.defer(async () => void (await broker.stop()))
    let runs = 0
    const mint = () => github.mint({ ...OPS, run_id: `${++runs}` }, { audience: broker.url })
    const operator = async (grant = "operator") => {
      const file = join(folder, `token-${runs}`)
      writeFileSync(file, await mint())
      const io = { ...scriptedIo(), out: () => {}, err: () => {} }
      const client = await openOperator({ broker: broker.url, "token-file": file, grant }, io)
      return async <Answer>(method: "GET" | "POST", act: string, json?: Record<string, unknown>): Promise<Answer> => {
        const reply = await client.call({ method, path: `/v1/operate/keys${act}`, ...(json ? { json } : {}) })
        return JSON.parse(reply.body.toString("utf8")) as Answer
      }
    }
    const published = async () =>
      ((await send(broker, "/.well-known/jwks.json")).json["keys"] as { kid: string }[]).map(({ kid }) => kid)
    const signs = async () => {
      const answer = await send(broker, "/v1/exchange", { token: await mint(), body: { grants: ["vault"] } })
      const { values } = (answer.json["credentials"] as Record<string, { values: Record<string, { value: string }> }>)[
        "vault"
      ] ?? { values: {} }
      return decodeProtectedHeader(Object.values(values)[0]?.value ?? "").kid
    }

    const call = await operator()
    const { keys } = await call<KeysReport>("GET", "")
    const [first = ""] = keys.map(({ kid }) => kid)
    expect(keys).toMatchObject([{ kid: first, state: "active", sealed_under: "current" }])
    const next = await call<RotationReport>("POST", "/rotate", {})
    expect([next.outcome, await published(), await signs()]).toEqual(["published", [first, next.kid], first])
    await expect((await operator("part"))("POST", "/rotate", { now: true })).rejects.toMatchObject({
      code: "not_allowed",
    })

    const replaced = await call<RotationReport>("POST", "/rotate", { now: true })
    expect([replaced.outcome, await published(), await signs()]).toEqual(["replaced", [replaced.kid], replaced.kid])
    // This operator's own token was signed with a key that is gone.
    await expect(call("GET", "")).rejects.toMatchObject({ code: "token_signature_invalid" })

    expect(
      (await broker.trail(github.issuer, "77"))
        .map(({ record }) => record)
        .filter(({ event }) => event === "keys.changed")
        .map(({ reason, identity }) => [reason.replaceAll(/[\w-]{43}/g, "KID"), identity?.unit]),
    ).toEqual([
      ["the next signing key KID is published", "acme/ops"],
      ["the new signing key KID signs at once, and these leave the key set: KID, KID", "acme/ops"],
    ])
  })
}
