import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { deployment } from "../support/acme.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { type ActionRun, runAction } from "../support/runner.ts"
import { runCommand } from "./command.ts"
import { startOpenBao } from "./openbao.ts"
import { type GRANTS, setUp, writeVaultPolicies } from "./openbao-world.ts"
import { startPostgres } from "./postgres.ts"
import type { Check } from "./run.ts"

const BIN = fileURLToPath(new URL("../../cli/bin.js", import.meta.url))
const TTL_SECONDS = 600
const GONE_TIMEOUT_MS = 10_000
/** The broker looks every 15 s for what is to be taken back. */
const SWEPT_TIMEOUT_MS = 25_000

/** The built action and the real broker against OpenBao, which makes users in a PostgreSQL. */
export async function openbaoCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-vault-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const postgres = ends.adopt(await startPostgres(), (it) => it.close())
  const bao = ends.adopt(await startOpenBao(programs), (it) => it.close())
  writeVaultPolicies(folder, { issuer: github.issuer, url: bao.url })
  const broker = await startNodeBroker({ policies: folder, movableClock: true })
  ends.defer(async () => void (await broker.stop()))
  /** What the broker is told about two roles: one that will trust it, and one that is not there. */
  const trusted = async (run: string) => {
    const file = join(folder, `token-${run}`)
    writeFileSync(file, await github.mint(deployment("refs/heads/main", run), { audience: broker.url }))
    const args = ["doctor", broker.url, "--grant", "doctor", "--token-file", file, "--json"]
    const { output } = await runCommand(process.execPath, [BIN, ...args], { timeoutMs: 60_000 })
    const { findings } = JSON.parse(output) as { findings: { check: string; detail: string }[] }
    return findings.filter(({ check: one }) => one === "trust vault").map(({ detail }) => detail.split(". ")[0])
  }
  const before = await trusted("3999")
  await setUp(bao, postgres, broker.url)

  const job = github.job(deployment("refs/heads/main", "4001"))
  const step = (...grants: (keyof typeof GRANTS)[]) => ({
    inputs: { broker: broker.url, grants: grants.join(",") },
    idToken: { url: job.requestUrl, requestToken: job.requestToken },
    temp: join(folder, "temp"),
  })
  const begin = (...grants: (keyof typeof GRANTS)[]) => runAction({ ...step(...grants), entry: "main" })
  const end = (main: ActionRun) => runAction({ ...step(), entry: "post", state: main.state })
  const userOf = ({ env }: ActionRun) => ({ user: env["PGUSER"] ?? "", password: env["PGPASSWORD"] ?? "" })
  const users = () => postgres.query("select count(*) from pg_roles where rolname like 'v-%'")
  const tokens = async () => ((await bao.ask("LIST", "auth/token/accessors")).data as { keys: string[] }).keys.length
  const renew = (run: ActionRun) => bao.cli(["token", "renew", "-increment=24h", "-format=json"], run.env)
  const livesFor = ({ output }: { readonly output: string }) =>
    (JSON.parse(output) as { auth: { lease_duration: number } }).auth.lease_duration
  const leases = async () => (await bao.ask("LIST", "sys/leases/lookup/database/creds/shop-rw")).status

  await check("the doctor says whether OpenBao trusts the broker, before and after it does", async () => {
    assert.deepEqual(before, ["role shop-kv: not trusted", "role shop-nowhere: not trusted"])
    assert.deepEqual(await trusted("4000"), ["role shop-kv: trusted", "role shop-nowhere: reachable"])
  })

  const main = await begin("vault-kv", "vault-database", "vault-token", "vault-tls")

  await check("secrets of KV engines of both versions are in the job, and an older version", () => {
    assert.equal(main.exitCode, 0, main.log)
    const { SHOP_KEY, SHOP_OLD_KEY, SHOP_PORT, SHOP_ODD } = main.env
    assert.deepEqual(
      [SHOP_KEY, SHOP_OLD_KEY, SHOP_PORT, SHOP_ODD],
      ["the second key", "the first key", "5432", "an odd name"],
    )
  })

  await check("a version of a secret is in the job as a whole, each field in a variable of its name", () => {
    const { SHOP_WHOLE_API_KEY, SHOP_WHOLE_API_URL, SHOP_WHOLE_PORT } = main.env
    assert.deepEqual([SHOP_WHOLE_API_KEY, SHOP_WHOLE_API_URL, SHOP_WHOLE_PORT], ["a whole one", "https://x", "5432"])
  })

  await check("so is a secret of version 1 of the engine, while unsafe fields refuse a secret as a whole", async () => {
    assert.equal((await begin("vault-whole-1")).env["SHOP_USER"], "of version 1")
    for (const [grant, variable] of [
      ["vault-clash", "SHOP_API_KEY"],
      ["vault-editor", "SHOP_EDITOR"],
    ] as const) {
      const denied = await begin(grant)
      assert.equal(denied.exitCode, 1)
      assert.ok(denied.log.includes("secret_unusable") && denied.log.includes(variable), denied.log)
      assert.deepEqual(Object.keys(denied.env), [])
    }
  })

  await check("PostgreSQL lets in the user that OpenBao made, and no other password of theirs", async () => {
    const { user, password } = userOf(main)
    assert.equal(await postgres.query("select current_user", { user, password }), user)
    assert.equal(await postgres.query("select current_user", { user, password: `${password}x` }), null)
  })

  await check("the user's hour was shortened to what was granted, in OpenBao and in PostgreSQL", async () => {
    const { user } = userOf(main)
    const left = await postgres.query(
      `select extract(epoch from rolvaliduntil - now()) from pg_roles where rolname = '${user}'`,
    )
    // OpenBao gives the database five seconds more than the lease.
    assert.ok(Number(left) > TTL_SECONDS - 60 && Number(left) <= TTL_SECONDS + 5, `${left} s`)
    const { data } = await bao.ask("LIST", "sys/leases/lookup/database/creds/shop-rw")
    const [id = ""] = (data as { keys: string[] }).keys
    const lease = await bao.ask("POST", "sys/leases/lookup", { lease_id: `database/creds/shop-rw/${id}` })
    assert.ok(Number((lease.data as { ttl: number }).ttl) <= TTL_SECONDS, JSON.stringify(lease.data))
  })

  await check("OpenBao's command line takes the job's token, which lives as long as was granted", async () => {
    const read = await bao.cli(["kv", "get", "-mount=secret", "-field=key", "shop/api"], main.env)
    assert.equal(read.output.trim(), "the second key")
    const self = await bao.cli(["token", "lookup", "-format=json"], main.env)
    const { ttl } = (JSON.parse(self.output) as { data: { ttl: number } }).data
    assert.ok(ttl > TTL_SECONDS - 60 && ttl <= TTL_SECONDS, `${ttl} s`)
  })

  await check("a certificate ends when its grant does", () => {
    const certificate = new X509Certificate(main.env["SHOP_TLS_CERTIFICATE"] ?? "")
    const left = (Date.parse(certificate.validTo) - Date.now()) / 1000
    assert.ok(left > TTL_SECONDS - 60 && left <= TTL_SECONDS, `${left} s`)
    assert.ok(certificate.checkIssued(new X509Certificate(main.env["SHOP_TLS_CHAIN"] ?? "")))
  })

  const post = await end(main)

  await check("the post step says what it revoked, and what it could not revoke", () => {
    assert.equal(post.exitCode, 0, post.log)
    assert.match(post.log, /Revoked vault-database\./)
    assert.match(post.log, /Revoked vault-token\./)
    assert.match(post.log, /Cannot revoke vault-kv\. It stays valid until it is changed in its store\./)
    assert.match(post.log, /Cannot revoke vault-tls\. It expires at /)
  })

  await check("then the user is gone from PostgreSQL, and so are its lease and all tokens", async () => {
    assert.equal(await postgres.query("select current_user", userOf(main)), null)
    assert.equal(await users(), "0")
    assert.equal(await leases(), 404)
    assert.notEqual((await bao.cli(["token", "lookup"], main.env)).exitCode, 0)
    // What is left is the administrator's.
    assert.equal(await tokens(), 1)
  })

  await check("a role that may not revoke leases has them revoked with its token, a moment later", async () => {
    const frugal = await begin("vault-frugal")
    assert.equal(await postgres.query("select 1", userOf(frugal)), "1", frugal.log)
    assert.match((await end(frugal)).log, /Revoked vault-frugal\./)
    const deadline = Date.now() + GONE_TIMEOUT_MS
    while ((await users()) !== "0" && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(await users(), "0")
  })

  await check("a token that the job revoked itself counts as taken back", async () => {
    const run = await begin("vault-token")
    assert.equal((await bao.cli(["token", "revoke", "-self"], run.env)).exitCode, 0)
    assert.match((await end(run)).log, /Revoked vault-token\./)
  })

  await check("a role that is bound to another subject gives the job nothing", async () => {
    const denied = await begin("vault-stranger")
    assert.equal(denied.exitCode, 1)
    assert.match(denied.log, /bound_subject must be exactly the grant's subject/)
    assert.deepEqual(Object.keys(denied.env), [])
    assert.equal(await users(), "0")
  })

  await check("a version that was deleted is said to be, and nothing else of the exchange is left", async () => {
    const gone = await begin("vault-deleted", "vault-database")
    assert.equal(gone.exitCode, 1)
    assert.match(gone.log, /was deleted in version 1/)
    assert.deepEqual(Object.keys(gone.env), [])
    assert.equal(await users(), "0")
    assert.equal(await leases(), 404)
  })

  await check("a user that cannot be dropped now is not said to be", async () => {
    const run = await begin("vault-database")
    const { user } = userOf(run)
    // What a user owns keeps OpenBao from dropping it.
    await postgres.query(`create table theirs (); alter table theirs owner to "${user}"`)
    const early = await end(run)
    assert.match(early.log, /vault-database is not revoked yet/)
    assert.equal(await users(), "1")
    await postgres.query("drop table theirs")
  })

  await check("a token that renewals keep alive for ever is not handed out", async () => {
    const denied = await begin("vault-periodic")
    assert.match(denied.log, /token_period/)
    assert.deepEqual(Object.keys(denied.env), [])
  })

  await check("what KV engines keep is not handed out as minted, be they of version 1 or 2", async () => {
    for (const grant of ["vault-kept-1", "vault-kept-2"] as const) {
      const denied = await begin(grant)
      assert.match(denied.log, /was not minted/)
      assert.deepEqual(Object.keys(denied.env), [])
    }
  })

  await check("a token with a hard end is not renewed beyond it", async () => {
    const run = await begin("vault-hard-end")
    assert.ok(livesFor(await renew(run)) <= 15 * 60, run.log)
    await end(run)
    assert.notEqual((await bao.cli(["token", "lookup"], run.env)).exitCode, 0)
  })

  // The last one: from here on the broker is ahead of everybody else.
  await check("a token that the job renewed is taken back when the granted time is over", async () => {
    const run = await begin("vault-token")
    assert.ok(livesFor(await renew(run)) > 10 * TTL_SECONDS, run.log)
    await broker.advance(TTL_SECONDS + 1)
    const deadline = Date.now() + SWEPT_TIMEOUT_MS
    const isKnown = async () => (await bao.cli(["token", "lookup"], run.env)).exitCode === 0
    while ((await isKnown()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 500))
    assert.equal(await isKnown(), false)
  })
}
