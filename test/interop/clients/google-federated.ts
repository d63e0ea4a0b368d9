import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { decodeJwt } from "jose"
import { startGoogle } from "../../support/google.ts"
import { toolsJob } from "../../support/vendor-world.ts"
import type { FederatedWorld } from "../federated-case.ts"
import { startTlsFront } from "./tls-front.ts"
import { assertRefused } from "./vendor.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const ACCOUNT = "clients@acme-clients.iam.gserviceaccount.com"
const PROJECT = { id: "acme-clients", number: "345678901234" }
const SECRET = `projects/${PROJECT.id}/secrets/key/versions/latest`
/** Google's access tokens end so soon that each library sees the end of its first one. */
const TOKEN_SECONDS = 4
/** Python's library shows the body alone, and the others the status. */
const REFUSAL = '{"Code":"Unauthorized"}'
const CLIENTS = {
  "google-auth for Python": "google-adc.py",
  "google-auth-library for Node": "google-adc.mjs",
  "golang.org/x/oauth2": "google-oauth2",
  "cloud.google.com/go/auth": "google-auth",
}

/** Google's libraries by Application Default Credentials, from a source on loopback. */
export async function googleFederated({ folder, github, certificate, run, check }: FederatedWorld): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const google = ends.adopt(await startGoogle({ endAfterSeconds: TOKEN_SECONDS }), (it) => it.close())
  const tls = ends.adopt(await startTlsFront(google.url, certificate), (it) => it.close())
  const mint = () => github.mint(toolsJob("6001"), { audience: `https://iam.googleapis.com/${PROVIDER}` })
  const principal = `principal://iam.googleapis.com/${POOL}/subject/${decodeJwt(await mint()).sub}`
  const value = randomBytes(24).toString("hex")
  google.addProject(PROJECT)
  google.addProvider({ name: PROVIDER, issuer: github.issuer })
  google.addServiceAccount({
    email: ACCOUNT,
    bindings: [{ role: "roles/iam.workloadIdentityUser", members: [principal] }],
  })
  const accessors = [`serviceAccount:${ACCOUNT}`]
  google.addSecret({ project: PROJECT.id, id: "key", versions: [{ payload: value }], accessors })
  const source = ends.adopt(await startTokenSource(mint), (it) => it.close())

  const configuration = (name: string, more: object, authorization = source.authorization) => {
    const path = join(folder, `${name}.json`)
    const external = {
      type: "external_account",
      audience: `//iam.googleapis.com/${PROVIDER}`,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${tls.url}/v1/token`,
      credential_source: {
        url: source.url,
        headers: { Authorization: authorization },
        format: { type: "json", subject_token_field_name: "token" },
      },
      ...more,
    }
    writeFileSync(path, JSON.stringify(external))
    return path
  }
  const impersonation = `/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`
  const account = {
    service_account_impersonation_url: `${tls.url}${impersonation}`,
    service_account_impersonation: { token_lifetime_seconds: 900 },
  }
  const paths = {
    loopback: configuration("loopback", account),
    foreign: configuration("foreign", {}, "foreign"),
  }
  const settings = { endpoint: google.url, secret: SECRET, sleepSeconds: TOKEN_SECONDS + 1 }
  const use = (client: string, path: string) =>
    run(client, settings, {
      GOOGLE_APPLICATION_CREDENTIALS: path,
      // Without it, two of the libraries ask Google's Resource Manager for the project before anything else.
      GOOGLE_CLOUD_PROJECT: PROJECT.id,
    })

  // Most of the time goes into waiting for the end of the first access tokens.
  await Promise.all(
    Object.entries(CLIENTS).flatMap(([name, client]) => [
      check(`${name} reads by a source on loopback, and asks it again for the next token`, async () =>
        assert.deepEqual((await use(client, paths.loopback))["adc"], { read: [value, value], tokens: 2 }),
      ),
      check(`${name} tells of a source that refuses`, async () =>
        assertRefused(await use(client, paths.foreign), "adc", /401|Unauthorized/),
      ),
    ]),
  )
  await check("Google's libraries asked the source as they should, once for each access token", () => {
    assert.deepEqual(source.faults, [])
    assert.equal(source.given(), google.requests.filter((line) => line === "ExchangeToken 200").length)
  })
  await check("the stand-in for Google knew all that was asked", () => google.assertClean())
}

/**
 * Serves identity tokens on loopback: a new one for each request, as JSON, for the authorization that the configuration names,
 * and to nobody else.
 */
async function startTokenSource(mint: () => Promise<string>) {
  const authorization = randomBytes(32).toString("base64url")
  const faults: string[] = []
  let given = 0
  let host = ""
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    if (method !== "GET" || url !== "/google/clients" || headers.host !== host) faults.push(`${method} ${url}`)
    if (headers.authorization !== authorization) return void response.writeHead(401).end(REFUSAL)
    given += 1
    void mint().then((token) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token })),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}/google/clients`,
    authorization,
    faults,
    given: () => given,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
