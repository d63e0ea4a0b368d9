import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type NodeBroker, startNodeBroker } from "../../support/broker-node.ts"
import { actionNode } from "../../support/runner.ts"
import gitlabJob from "../../vectors/claims/gitlab-protected-environment.json" with { type: "json" }
import { folderOf } from "../run-cli.ts"
import { endJobs, type JobRun, makeFolder, runJob } from "./job.ts"
import { leasesIn, recordsWith, WHOLE_LEASE } from "./trail.ts"

// The built command line against a broker that runs, in jobs whose CI gives them one token. The broker has the issuers' keys in
// its organisation file, as for a server that it cannot reach.

const CLUSTER = "https://kubernetes.example.com"
const ACCOUNT = { name: "deployer", uid: "9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35" }
const POD = { name: "deploy-28f6k", uid: "5e0bd49b-f040-43b0-99b7-22765a53f7f3" }

let broker: NodeBroker
let keys: Awaited<ReturnType<typeof generateKeyPair>>
let jobs = 3000

beforeAll(async () => {
  keys = await generateKeyPair("RS256", { extractable: true })
  const { kty, n, e } = await exportJWK(keys.publicKey)
  const jwks = JSON.stringify({ keys: [{ kty, n, e, kid: "k1", use: "sig", alg: "RS256" }] })
  const grants = `grants:
  vault: { connection: oidc, audience: "https://vault.example.com", env: VAULT_ID_TOKEN, ttl: 5m }
`
  const policies = folderOf({
    "daypass.yaml": `version: 1
issuers:
  gitlab: { family: gitlab, url: "${gitlabJob.iss}", owners: { my-group: "72" }, jwks: ${jwks} }
  cluster: { family: kubernetes, url: "${CLUSTER}", jwks: ${jwks} }
connections:
  oidc: { provider: identity-token, audiences: ["https://vault.example.com"] }
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
`,
    "project.yaml": `version: 1
issuer: gitlab
project: my-group/my-project
project_id: "20"
environment: production
allow:
  - { name: deploy from main, when: { ref_path: refs/heads/main, pipeline_source: push }, grants: [vault] }
${grants}`,
    "account.yaml": `version: 1
issuer: cluster
service_account: payments/deployer
service_account_uid: ${ACCOUNT.uid}
allow:
  - { name: the deployer, grants: [vault, aws] }
${grants}  aws: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/payments", ttl: 15m }
`,
  })
  broker = await startNodeBroker({ policies })
})
afterAll(async () => {
  await broker?.stop()
  endJobs()
})

const sign = (claims: JWTPayload, seconds: number) => {
  const now = Math.floor(Date.now() / 1000)
  const all = { ...claims, iat: now, nbf: now - 5, exp: now + seconds, jti: crypto.randomUUID() }
  return new SignJWT(all).setProtectedHeader({ alg: "RS256", kid: "k1", typ: "JWT" }).sign(keys.privateKey)
}
/** A job of GitLab, as its runner starts it. */
async function gitlab(seconds = 3600) {
  const job = String(++jobs)
  const token = await sign({ ...gitlabJob, aud: broker.url, job_id: job }, seconds)
  return { job, token, env: { GITLAB_CI: "true", DAYPASS_ID_TOKEN: token } }
}
const pod = (seconds: number, uid = POD.uid) =>
  sign(
    {
      iss: CLUSTER,
      aud: [broker.url],
      sub: "system:serviceaccount:payments:deployer",
      "kubernetes.io": { namespace: "payments", pod: { ...POD, uid }, serviceaccount: ACCOUNT },
    },
    seconds,
  )

const SHOW = [actionNode(), "-e", "console.log(process.env.VAULT_ID_TOKEN.split('.')[1])"]
const args = (...more: string[]) => ["--broker", broker.url, "--grants", "vault", ...more]
const payloadOf = (line: string) => decodeJwt(`e30.${line.trim()}.c2ln`)

/** Keeps a file fresh until there were so many different secrets, then sends SIGTERM. Calls `meanwhile` after each. */
async function keepFresh(
  options: readonly string[],
  env: Readonly<Record<string, string>>,
  count: number,
  meanwhile: (nth: number) => void = () => {},
): Promise<JobRun & { readonly secrets: number }> {
  const out = join(makeFolder(), "secret")
  const seen = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  const run = await runJob(["token", ...args("--out", out, "--refresh", ...options)], {
    env,
    watch(_, send) {
      timer ??= setInterval(() => {
        const secret = existsSync(out) ? readFileSync(out, "utf8") : ""
        if (secret === "" || seen.has(secret)) return
        seen.add(secret)
        meanwhile(seen.size)
        if (seen.size === count) send("SIGTERM")
      }, 20)
    },
  })
  clearInterval(timer)
  return { ...run, secrets: seen.size }
}

describe("a job of GitLab", () => {
  test("runs a command, and ends its lease with its one token", async () => {
    const { job, env } = await gitlab()
    const run = await runJob(["exec", ...args(), "--", ...SHOW], { env })
    expect([run.code, run.left]).toEqual([0, []])
    expect(payloadOf(run.out)).toMatchObject({
      aud: "https://vault.example.com",
      sub: "gitlab:project:20:environment:production:grant:vault",
    })
    const records = await recordsWith(job, broker)
    expect(records.map(({ event }) => event)).toEqual(WHOLE_LEASE)
    expect(new Set(records.map(({ token_digest }) => token_digest)).size).toBe(1)
  })

  test("gets, renews and ends with one token", async () => {
    const { job, env } = await gitlab()
    const run = await keepFresh(["--ttl", "2s"], env, 2)
    expect([run.code, run.secrets]).toEqual([0, 2])
    const records = await recordsWith(job, broker)
    expect(leasesIn(records).at(-1)).toEqual(WHOLE_LEASE)
    expect(new Set(records.map(({ token_digest }) => token_digest)).size).toBe(1)
  })

  test("has a second command that is told how to get a token of its own", async () => {
    const { token, env } = await gitlab()
    expect((await runJob(["exec", ...args(), "--", ...SHOW], { env })).code).toBe(0)
    const again = await runJob(["exec", ...args(), "--", ...SHOW], { env })
    expect([again.code, again.out]).toEqual([125, ""])
    expect(again.err).toContain("docs/codes.md#token_already_used")
    expect(again.err).toContain("add a second variable with the same `aud` to the job's `id_tokens`")
    expect(again.err).not.toContain(token)

    const second = { ...env, SECOND_ID_TOKEN: (await gitlab()).token }
    const mended = await runJob(["exec", ...args("--token-variable", "SECOND_ID_TOKEN"), "--", ...SHOW], {
      env: second,
    })
    expect(mended.code).toBe(0)
  })

  test("loses nothing to whoever copies its token afterwards, without a proof or with another key's", async () => {
    const { job, token, env } = await gitlab()
    await runJob(["exec", ...args(), "--", ...SHOW], { env })
    const [id = ""] = (await recordsWith(job, broker)).flatMap(({ lease }) => lease ?? [])
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
    const plain = await fetch(`${broker.url}/v1/exchange`, { method: "POST", headers, body: '{"grants":["vault"]}' })
    const end = await fetch(`${broker.url}/v1/leases/${id}`, { method: "DELETE", headers })
    expect([plain.status, end.status]).toEqual([401, 401])
  })

  test("gets nothing that outlives its token", async () => {
    const { token, env } = await gitlab(90)
    const run = await runJob(["exec", ...args(), "--", ...SHOW], { env })
    const seconds = Number(payloadOf(run.out).exp) - Number(decodeJwt(token).exp)
    // The grant alone lasts for five minutes. The broker rounds to whole seconds.
    expect([run.code, seconds <= 1 && seconds > -10]).toEqual([0, true])
  })
})

describe("a pod", () => {
  test("goes on with the token that the kubelet puts in the place of the old one", async () => {
    const file = join(makeFolder(), "token")
    const [first, second] = [await pod(600), await pod(600)]
    writeFileSync(file, first)
    const replace = () => {
      // As the kubelet does: a reader sees one or the other.
      writeFileSync(`${file}.new`, second)
      renameSync(`${file}.new`, file)
    }
    const run = await keepFresh(
      ["--ttl", "2s", "--token-file", file],
      { KUBERNETES_SERVICE_HOST: "10.0.0.1" },
      2,
      (nth) => (nth === 1 ? replace() : undefined),
    )
    expect([run.code, run.secrets]).toEqual([0, 2])
    const records = await recordsWith(POD.uid, broker)
    const minted = records.filter(({ event }) => event === "exchange.minted")
    expect(new Set(minted.map(({ token_digest }) => token_digest)).size).toBe(2)
    expect(leasesIn(records).at(-1)).toEqual(WHOLE_LEASE)
  })

  test("whose token is too short for a grant is told to give it a longer lifetime", async () => {
    const input = await pod(600)
    const options = ["--broker", broker.url, "--grants", "aws", "--token-file", "-"]
    const run = await runJob(["exec", ...options, "--", ...SHOW], { input })
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toMatch(
      /aws mints credentials for at least 15m\. What an ID token gets ends with the token, and it ends in 59\d s\./,
    )
    expect(run.err).toContain("in a pod with `expirationSeconds`")
    expect(run.err).toContain("docs/codes.md#ttl_too_short")
  })

  test("has one token in all containers, so a second process waits for the next one", async () => {
    const file = join(makeFolder(), "token")
    const uid = crypto.randomUUID()
    writeFileSync(file, await pod(600, uid))
    const exec = () => runJob(["exec", ...args("--token-file", file), "--", ...SHOW])
    expect((await exec()).code).toBe(0)
    const again = await exec()
    expect(again.code).toBe(125)
    expect(again.err).toContain("wait until this file has a new token")
    writeFileSync(file, await pod(600, uid))
    expect((await exec()).code).toBe(0)
  })
})
