import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { deployment } from "../support/acme.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { builtCli } from "../support/built-cli.ts"
import { startGitHub } from "../support/github.ts"
import { type ActionRun, runAction } from "../support/runner.ts"
import { runCommand } from "./command.ts"
import { startMoto, startMotoSts } from "./moto.ts"
import { fillStores, KEYSTORE, NAMES, openAccount, READER, STRIPE, VERSION } from "./moto-account.ts"
import type { Check } from "./run.ts"

const GRANTS: Readonly<Record<string, { readonly connection: string; readonly [read: string]: unknown }>> = {
  secrets: {
    connection: "secrets",
    read: {
      KEY: "shop/stripe#api_key",
      KEY_BEFORE: "shop/stripe:AWSPREVIOUS#api_key",
      KEY_BY_ID: `shop/stripe:${VERSION}#api_key`,
      KEYSTORE: { from: "shop/keystore", as: "file" },
      PLAIN: "plain",
    },
  },
  parameters: {
    connection: "parameters",
    read: {
      ...Object.fromEntries(NAMES.map((name, index) => [`PARAMETER_${index}`, name])),
      REGION: "region",
      ZONES: "/shop/zones",
      FIRST: "/shop/key-0:1",
      LIVE: "/shop/key-0:live",
      USER: "/shop/db#user",
    },
  },
  "whole-path": { connection: "parameters", read_all: { from: "/shop/whole/", prefix: "WHOLE_" } },
  "whole-secret": { connection: "secrets", read_all: { from: "shop/stripe", prefix: "STRIPE_" } },
  "no-path": { connection: "parameters", read_all: { from: "/shop/none/", prefix: "WHOLE_" } },
  "no-json": { connection: "secrets", read_all: { from: "plain", prefix: "PLAIN_" } },
  clash: { connection: "parameters", read_all: { from: "/shop/clash/", prefix: "CLASH_" } },
  "no-secret": { connection: "secrets", read: { KEY: "shop/stripe", OTHER: "shop/none" } },
  "no-version": { connection: "secrets", read: { KEY: "shop/stripe:AWSPENDING" } },
  "no-field": { connection: "secrets", read: { KEY: "shop/stripe#none" } },
  deleted: { connection: "secrets", read: { KEY: "shop/gone" } },
  "no-parameter": { connection: "parameters", read: { KEY: "/shop/key-0", OTHER: "/shop/none" } },
  "no-label": { connection: "parameters", read: { KEY: "/shop/key-0:none" } },
}

/** The built action and the real broker read what moto keeps, which verifies each signature with the session's key. */
export async function storesCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-stores-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const moto = ends.adopt(await startMoto(programs), (it) => it.close())
  const account = await openAccount(moto.url)
  await fillStores(account)
  await account.makeBucket("acme-audit")
  let issuer = ""
  const role = () => ({
    arn: READER,
    issuer,
    audiences: ["daypass-aws-stores", "sts.amazonaws.com"],
    // The second is the broker itself, for what it exports.
    subject: {
      StringLike: [
        "github:repository:41:environment:production:grant:*",
        "_daypass:service_account:broker:environment:-:grant:archive",
      ],
    },
    tagSession: true,
  })
  const sts = ends.adopt(await startMotoSts(moto.url, role, account.signForm), (it) => it.close())
  writeStorePolicies(folder, { issuer: github.issuer, sts: sts.url, moto: moto.url })
  const broker = await startNodeBroker({ policies: folder })
  ends.defer(async () => void (await broker.stop()))
  issuer = broker.url
  await account.demandSignatures()

  await check("moto takes no call that is signed with another key than the session's", async () => {
    const { status, body } = await account.callWithAnotherKey("secretsmanager.GetSecretValue", { SecretId: "plain" })
    assert.equal(status, 403)
    assert.match(body, /SignatureDoesNotMatch/)
  })

  let runs = 4001
  const run = async (...grants: readonly string[]): Promise<ActionRun> => {
    const job = github.job(deployment("refs/heads/main", `${runs++}`))
    const inputs = { broker: broker.url, grants: grants.join() }
    return await runAction({ entry: "main", inputs, idToken: { url: job.requestUrl, requestToken: job.requestToken } })
  }

  await check("secrets arrive by field, label, version and as a file", async () => {
    const { exitCode, log, env, written } = await run("secrets")
    assert.equal(exitCode, 0, log)
    assert.deepEqual(
      [env["KEY"], env["KEY_BEFORE"], env["KEY_BY_ID"], env["PLAIN"]],
      [STRIPE.now, STRIPE.before, STRIPE.before, "a plain text"],
    )
    assert.ok(Object.values(written).some(({ bytes }) => bytes.equals(KEYSTORE)))
  })

  await check(
    "parameters of every type arrive, more than one call may ask for, and in versions by number and label",
    async () => {
      const { exitCode, log, env } = await run("parameters")
      assert.equal(exitCode, 0, log)
      for (const [index] of NAMES.entries()) assert.equal(env[`PARAMETER_${index}`], `value ${index}`)
      const { REGION, ZONES, FIRST, LIVE, USER } = env
      assert.deepEqual([REGION, ZONES, FIRST, LIVE, USER], ["eu-west-1", "a,b", "first", "first", "shop"])
    },
  )

  await check(
    "a path arrives as a whole, in pages and without what is below it, and so does a secret's JSON",
    async () => {
      const { exitCode, log, env } = await run("whole-path", "whole-secret")
      assert.equal(exitCode, 0, log)
      const whole = Object.keys(env).filter((name) => name.startsWith("WHOLE_"))
      assert.equal(whole.length, NAMES.length)
      for (const [index] of NAMES.entries()) assert.equal(env[`WHOLE_KEY_${index}`], `whole ${index}`)
      assert.deepEqual([env["STRIPE_API_KEY"], env["STRIPE_PORT"]], [STRIPE.now, "5432"])
    },
  )

  const refused = async (run: ActionRun, code: string, named: string) => {
    assert.equal(run.exitCode, 1)
    assert.deepEqual(Object.keys({ ...run.env, ...run.written }), [])
    assert.ok(run.log.includes(code) && run.log.includes(named), run.log)
    for (const secret of Object.values(STRIPE)) assert.ok(!(run.stdout + run.stderr).includes(secret))
  }

  for (const [grant, code, named] of [
    ["no-secret", "secret_not_found", "shop/none"],
    ["no-version", "secret_not_found", "shop/stripe:AWSPENDING"],
    ["no-field", "secret_not_found", "shop/stripe#none"],
    ["deleted", "secret_unusable", "shop/gone"],
    ["no-parameter", "secret_not_found", "/shop/none"],
    ["no-path", "secret_not_found", "/shop/none/"],
    ["no-json", "secret_unusable", "plain"],
    ["clash", "secret_unusable", "CLASH_API_KEY"],
    ["no-label", "secret_not_found", "/shop/key-0:none"],
  ] as const) {
    await check(`${grant} is ${code}, and the job gets nothing`, async () => refused(await run(grant), code, named))
  }

  await check("the record arrives in a bucket of S3, whole, written with the broker's own session", async () => {
    const archive = join(folder, "archive")
    const verified = async () => {
      for (const [key, text] of Object.entries(await account.objectsIn("acme-audit"))) {
        mkdirSync(dirname(join(archive, key)), { recursive: true })
        writeFileSync(join(archive, key), text)
      }
      return await runCommand(process.execPath, [await builtCli(), "audit", "verify", join(archive, "daypass")], {
        timeoutMs: 30_000,
      })
    }
    let last = await verified()
    for (
      const end = Date.now() + 30_000;
      Date.now() < end && !/^unit "41"/m.test(last.output);
      last = await verified()
    ) {
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.equal(last.exitCode, 0, last.output)
    assert.match(last.output, /^unit "41" of "[^"]+": [1-9][0-9]* records/m)
  })

  await check("a role that may no longer read gives the job nothing, whatever else it asked for", async () => {
    await account.forbidReading("ssm:GetParameters")
    await refused(await run("secrets", "parameters"), "provider_denied", "parameters")
  })
}

function writeStorePolicies(
  folder: string,
  at: { readonly issuer: string; readonly sts: string; readonly moto: string },
): void {
  mkdirSync(join(folder, "acme/shop"), { recursive: true })
  const settings = `region: eu-west-1, role: "${READER}", endpoint: "${at.moto}", sts_endpoint: "${at.sts}"`
  writeFileSync(
    join(folder, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${at.issuer}", owners: { acme: "9001" } }
connections:
  secrets: { provider: aws-secrets-manager, ${settings} }
  parameters: { provider: aws-parameter-store, ${settings} }
  archive: { provider: aws, region: eu-west-1, accounts: ["111122223333"], endpoint: "${at.sts}" }
exports:
  archive: { kind: s3, connection: archive, role: "${READER}", bucket: acme-audit, prefix: daypass, endpoint: "${at.moto}" }
`,
  )
  writeFileSync(
    join(folder, "acme/shop/production.yaml"),
    `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - name: from main
    when: { ref: refs/heads/main }
    grants: ${JSON.stringify(Object.keys(GRANTS))}
grants: ${JSON.stringify(GRANTS)}
`,
  )
}
