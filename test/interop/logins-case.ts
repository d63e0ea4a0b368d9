import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startNodeBroker } from "../support/broker-node.ts"
import { startDoppler } from "../support/doppler.ts"
import { startGitHub } from "../support/github.ts"
import { TokenRefusal, verifyIdentityToken } from "../support/relying-party.ts"
import { runAction } from "../support/runner.ts"
import { toolsJob, trustBroker, writeToolsPolicy } from "../support/vendor-world.ts"
import { makeCertificate } from "./clients/tls-front.ts"
import { CLUSTER_GRANT, FOREIGN_TOKEN, jobOf, useGit, useOthers } from "./logins/clients.ts"
import { makeHome, makePackage, makeRepository } from "./logins/made.ts"
import { clusterService, gitService, npmService, registryService, tarballIn } from "./logins/services.ts"
import { basic, bearer, startSite } from "./logins/site.ts"
import type { Check } from "./run.ts"
import { installSystemTool } from "./tools.ts"

const AUDIENCE = "https://kubernetes.logins.example"
const [IDENTITY, STORE_AUDIENCE] = ["0c8f6f0e-9a51-4d3b-8a57-2f1f0d6f7b11", "https://logins.example"]
const STORE_GRANT = "logins-store"
const random = (prefix: string) => `${prefix}${randomBytes(24).toString("hex")}`

/** Installs the clients that are not of Node or Python, where they are missing. @throws when they cannot be had */
export async function installLoginClients(): Promise<void> {
  for (const [program, name] of [
    ["git", "git"],
    ["curl", "curl"],
    ["skopeo", "skopeo"],
    ["kubectl", "kubernetes-client"],
  ] as const)
    await installSystemTool(program, name)
}

/**
 * git, npm, curl, Python's requests, skopeo and kubectl log in with what the built action wrote, at servers that take exactly
 * the right password or token: git's own server, and strict stand-ins. The cluster verifies the broker's own token.
 */
export async function loginsCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-logins-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const passwords = { NPM: random("npm_"), GIT: random("g:/@ "), REGISTRY: random("dckr_"), FILES: random("f=") }
  const certificate = await makeCertificate(programs, folder)
  await makePackage(folder)
  await makeRepository(folder)
  let issuer = ""
  const site = ends.adopt(
    await startSite(certificate, (host) => [
      [
        "/git/",
        basic("x-access-token", passwords.GIT, gitService("/git/", join(folder, "repositories")), FOREIGN_TOKEN),
      ],
      ["/npm/", bearer((token) => token === passwords.NPM, npmService("/npm/", host, tarballIn(folder)))],
      ["/files/", basic("deploy", passwords.FILES, () => ({ status: 200, body: "the file" }))],
      ["/v2/", basic("robot$acme", passwords.REGISTRY, registryService)],
      ...["/api", "/version"].map(
        (path) => [path, bearer((token) => isBrokers(token, issuer), clusterService)] as const,
      ),
    ]),
    (it) => it.close(),
  )
  const { host } = site
  const store = ends.adopt(await startDoppler(), (it) => it.close())
  store.addConfig(
    "logins/prd",
    Object.fromEntries(
      Object.entries(passwords).map(([name, raw]) => [name, { raw, computed: raw, visibility: "masked" as const }]),
    ),
  )
  const from = (name: keyof typeof passwords) => ({ from: `logins/prd/${name}` })
  const grants = {
    [STORE_GRANT]: {
      connection: "logins",
      read: {
        NPM: { ...from("NPM"), as: "npmrc", host: `${host}/npm` },
        GIT: { ...from("GIT"), as: "git", host, user: "x-access-token" },
        REGISTRY: { ...from("REGISTRY"), as: "docker", host, user: "robot$acme" },
        FILES: { ...from("FILES"), as: "netrc", host: "127.0.0.1", user: "deploy" },
      },
    },
    [CLUSTER_GRANT]: {
      connection: "tokens",
      audience: AUDIENCE,
      as: "kubeconfig",
      server: `https://${host}`,
      certificate_authority: readFileSync(certificate.authority, "utf8").replaceAll("\r\n", "\n"),
      namespace: "shop",
    },
  }
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const policies = join(folder, "policies")
  mkdirSync(policies)
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  tokens: { provider: identity-token, audiences: ["${AUDIENCE}"] }
  logins: { provider: doppler, identity: "${IDENTITY}", audience: "${STORE_AUDIENCE}", projects: [logins], url: "${store.url}" }
`,
  )
  writeToolsPolicy(policies, [{ grants }])
  const broker = await startNodeBroker({ policies })
  ends.defer(async () => void (await broker.stop()))
  issuer = broker.url
  const trust = (about: { readonly issuer: string; subject(grant: string): string }) =>
    store.addIdentity({
      id: IDENTITY,
      issuer: about.issuer,
      audience: STORE_AUDIENCE,
      subject: about.subject(STORE_GRANT),
      configs: ["logins/prd"],
    })
  await trustBroker([{ trust }], broker.url)

  const home = makeHome(folder)
  const ci = github.job(toolsJob("4101"))
  const step = {
    inputs: { broker: broker.url, grants: Object.keys(grants).join() },
    idToken: { url: ci.requestUrl, requestToken: ci.requestToken },
    temp: join(folder, "temp"),
    env: { HOME: home, GITHUB_WORKSPACE: folder },
  }
  const main = await runAction({ ...step, entry: "main" })
  if (main.exitCode !== 0) throw new Error(`nothing was delivered:\n${main.log}\n${main.stderr}`)

  await check("no variable and no line of the log has a password", () => {
    for (const password of Object.values(passwords))
      assert.ok(![main.log, main.stderr, ...Object.values(main.files)].some((text) => text.includes(password)))
  })
  const job = jobOf(folder, home, main, { authority: certificate.authority, programs })
  await Promise.all([useGit(job, check, host, passwords.GIT), useOthers(job, check, host)])
  const post = await runAction({ ...step, entry: "post", state: main.state })
  await check("after the post step, no login is left, and git works on", async () => {
    assert.equal(post.exitCode, 0, post.log)
    assert.notEqual((await job.run("git", ["clone", "-q", `https://${host}/git/shop.git`, "after"])).exitCode, 0)
    assert.match((await job.run("git", ["config", "user.name"])).output, /^Own Name/)
    assert.notEqual((await job.run("npm", ["whoami", `--registry=https://${host}/npm/`])).exitCode, 0)
  })
  await check("the servers knew all that was asked", () => site.assertClean())
}

const isBrokers = async (token: string, issuer: string): Promise<boolean> => {
  try {
    await verifyIdentityToken(token, [{ issuer, audiences: [AUDIENCE] }])
    return true
  } catch (error) {
    if (error instanceof TokenRefusal) return false
    throw error
  }
}
