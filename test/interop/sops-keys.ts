import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { generateHybridIdentity, identityToRecipient } from "age-encryption"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { Secret } from "../../broker/core/secret.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { sops } from "../../broker/providers/sops/provider.ts"
import { job } from "../core/job.ts"
import { startGitHub } from "../support/github.ts"
import { makeProviderIo } from "../support/provider-io.ts"
import { startMoto, startMotoSts } from "./moto.ts"
import { startOpenBao } from "./openbao.ts"
import type { Check } from "./run.ts"
import type { Desk } from "./sops-desk.ts"

const SUBJECT = "github:repository:41:environment:production:grant:shop"
const ROLE = "arn:aws:iam::123456789012:role/daypass-sops"
const FILE = "token: canary\nnested: { list: [one, 2] }\n"

/** Files that the real sops encrypted under moto's KMS and OpenBao's transit engine, and split among keys of several kinds. */
export async function serviceKeys(desk: Desk, check: Check, programs: string): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const [github, moto, bao] = await Promise.all([startGitHub(), startMoto(programs), startOpenBao(programs)])
  for (const one of [github, moto, bao]) ends.defer(() => one.close())
  const trust = { issuer: github.issuer, audiences: ["daypass-aws-stores"], subject: { StringEquals: SUBJECT } }
  const sts = ends.adopt(await startMotoSts(moto.url, () => ({ ...trust, arn: ROLE, tagSession: true })), (it) =>
    it.close(),
  )

  const editor = {
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLEEXAMPLE00",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_REGION: "eu-west-1",
    AWS_DEFAULT_REGION: "eu-west-1",
    AWS_ENDPOINT_URL: moto.url,
    VAULT_ADDR: bao.url,
    VAULT_TOKEN: "token-of-an-editor",
  }
  await bao.set("sys/mounts/sops", { type: "transit" })
  await bao.set("sys/policies/acl/editor", { policy: 'path "sops/*" { capabilities = ["create", "update"] }' })
  await bao.set("sys/policies/acl/reader", { policy: 'path "sops/decrypt/shop" { capabilities = ["update"] }' })
  await bao.set("auth/token/create", { id: editor.VAULT_TOKEN, policies: ["editor"] })
  await bao.set("sops/keys/shop", { type: "aes256-gcm96" })
  await bao.set("sys/auth/jwt", { type: "jwt" })
  await bao.set("auth/jwt/config", { oidc_discovery_url: github.issuer, bound_issuer: github.issuer })
  await bao.set("auth/jwt/role/daypass-sops", {
    role_type: "jwt",
    user_claim: "sub",
    bound_audiences: [bao.url],
    bound_subject: SUBJECT,
    token_policies: ["reader"],
    token_ttl: "10m",
  })
  const made = await desk.run(
    `for n in 1 2; do aws --endpoint-url ${moto.url} kms create-key --query KeyMetadata.Arn --output text; done
     age-keygen -o key.txt 2>&1; age-keygen -y key.txt`,
    editor,
  )
  const [first = "", second = ""] = made.match(/arn:aws:kms:\S+/g) ?? []
  const recipient = /^age1\S+$/m.exec(made)?.[0] ?? ""
  const transit = `${bao.url}/v1/sops/keys/shop`

  const organisation = new Map(
    Object.entries({
      "aws-prod": { provider: "aws", region: "eu-west-1", accounts: ["123456789012"], endpoint: sts.url },
      "vault-prod": { provider: "vault", url: bao.url, roles: ["shop-*"] },
    }).map(([name, { provider, ...settings }]) => {
      return [name, { provider, settings: PROVIDERS.get(provider)?.connection.parse(settings) }] as const
    }),
  )
  const awsKey = (key: string) => ({ connection: "aws-prod", key, role: ROLE, endpoint: moto.url })
  const vaultKey = { connection: "vault-prod", key: transit, role: "daypass-sops" }
  const ageKey = { key: "env:SOPS_AGE_KEY" }

  /** The token in a file, and the keys that opened it. */
  async function opened(name: string, settings: object) {
    const joined = sops.join?.(sops.connection.parse(settings), organisation)
    assert.ok(joined?.ok, JSON.stringify(joined))
    const locator = `${name}#${name.endsWith(".env") ? "TOKEN" : "token"}`
    const { values, keys } = await sops.mint(
      {
        identity: job(),
        grantName: "shop",
        subject: SUBJECT,
        connectionName: "team-secrets",
        connection: joined.value,
        grant: sops.grant.parse({ read: { TOKEN: locator } }),
        ttlSeconds: 60,
        lease: "l",
        files: new Map([[name, readFileSync(join(desk.folder, name), "utf8")]]),
      },
      makeProviderIo({
        http: createHttp({ userAgent: "daypass-test/1" }),
        now: () => new Date(),
        secrets: { SOPS_AGE_KEY: readFileSync(join(desk.folder, "key.txt"), "utf8") },
        identityToken: async (audience, { claims = {} } = {}) =>
          new Secret(await github.mint({ sub: SUBJECT, ...claims }, { audience })),
      }),
    )
    const { value } = values["TOKEN"] ?? {}
    return [value instanceof Secret ? value.reveal() : value, keys?.[name]]
  }

  const encrypt = async (name: string, rule: object) => {
    desk.write(".sops.yaml", JSON.stringify({ creation_rules: [rule] }))
    desk.write(name, name.endsWith(".env") ? "TOKEN=canary\n" : name.endsWith(".json") ? '{"token": "canary"}' : FILE)
    await desk.run(`sops encrypt --in-place ${name}`, editor)
    assert.ok(!readFileSync(join(desk.folder, name), "utf8").includes("canary"))
  }
  const context = { app: "shop", "tier:a": "b" }
  const groups = {
    shamir_threshold: 2,
    key_groups: [
      { kms: [{ arn: first, context }], hc_vault: [transit] },
      { kms: [{ arn: second }] },
      { age: [recipient] },
    ],
  }
  for (const format of ["yaml", "json", "env"]) {
    await check(`a file of sops under moto's KMS, with an encryption context, opens: ${format}`, async () => {
      const name = `kms.sops.${format}`
      await encrypt(name, { key_groups: [{ kms: [{ arn: first, context }] }] })
      assert.deepEqual(await opened(name, { keys: [awsKey(first)] }), ["canary", first])
    })
    await check(`one under OpenBao's transit engine opens: ${format}`, async () => {
      const name = `transit.sops.${format}`
      await encrypt(name, { hc_vault_transit_uri: transit })
      assert.deepEqual(await opened(name, { keys: [vaultKey] }), ["canary", transit])
    })
    await check(`one that is split among keys of three kinds opens with any two: ${format}`, async () => {
      const name = `groups.sops.${format}`
      await encrypt(name, groups)
      const keys = [awsKey(first), awsKey(second)]
      assert.deepEqual(await opened(name, { keys }), ["canary", `${first} ${second}`])
      assert.deepEqual(await opened(name, { ...ageKey, keys: [vaultKey] }), ["canary", `${recipient} ${transit}`])
      await assert.rejects(opened(name, { keys: [awsKey(first), vaultKey] }), /fewer than 2 of the key groups/)
    })
  }
  await check("one for a post-quantum key of age opens", async () => {
    const identity = await generateHybridIdentity()
    const pq = await identityToRecipient(identity)
    await encrypt("pq.sops.yaml", { age: pq })
    desk.write("key.txt", `${readFileSync(join(desk.folder, "key.txt"), "utf8")}${identity}\n`)
    assert.deepEqual(await opened("pq.sops.yaml", ageKey), ["canary", pq])
  })
  await check("after sops updatekeys, another key opens a file", async () => {
    desk.write(".sops.yaml", JSON.stringify({ creation_rules: [{ kms: second }] }))
    await desk.run("sops updatekeys --yes transit.sops.yaml", editor)
    assert.deepEqual(await opened("transit.sops.yaml", { keys: [awsKey(second)] }), ["canary", second])
    await assert.rejects(opened("transit.sops.yaml", { keys: [vaultKey] }), /None of its keys can decrypt/)
  })
  await check("OpenBao's refusals are sentences", async () => {
    await bao.set("sys/policies/acl/reader", { policy: 'path "sops/decrypt/other" { capabilities = ["update"] }' })
    await assert.rejects(opened("transit.sops.json", { keys: [vaultKey] }), /needs update on sops\/decrypt\/shop/)
    await bao.set("sys/policies/acl/reader", { policy: 'path "sops/decrypt/*" { capabilities = ["update"] }' })
    await bao.set("sops/keys/shop/rotate", {})
    await bao.set("sops/keys/shop/config", { min_decryption_version: 2 })
    await assert.rejects(opened("transit.sops.json", { keys: [vaultKey] }), /too old. Run sops updatekeys/)
  })
}
