import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { RECORD_FILE } from "../../action/fingerprints/record.ts"
import { type Azure, startAzure } from "../support/azure.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { type Google, startGoogle } from "../support/google.ts"
import { runAction } from "../support/runner.ts"
import { toolsJob, trustBroker, writeToolsFolder } from "../support/vendor-world.ts"
import { installClients, shellLine, toldIn } from "./clients/command-lines.ts"
import { makeCertificate, startTlsFront } from "./clients/tls-front.ts"
import { assertRefused } from "./clients/vendor.ts"
import { trustIn } from "./federated-case.ts"
import type { Check } from "./run.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const ACCOUNT = "clients@acme-clients.iam.gserviceaccount.com"
const PROJECT = { id: "acme-clients", number: "345678901234" }
const CLIENT = "3f7a2c58-9b14-4d06-a1e2-5c80d7f64b93"
const ENTRA_AUDIENCE = "api://AzureADTokenExchange"
const [IMPERSONATED, DIRECT, AZURE] = ["run-account", "run-principal", "run-azure"]
/** Google's access tokens end so soon that each library sees the end of its first one. */
const TOKEN_SECONDS = 4
const LIBRARIES = {
  "google-auth for Python": "google-adc.py",
  "google-auth-library for Node": "google-adc.mjs",
  "golang.org/x/oauth2": "google-oauth2",
  "cloud.google.com/go/auth": "google-auth",
}

/**
 * Google's and Azure's own libraries as commands of the action's `run`. They log in by themselves with tokens that a real broker
 * signs, and log in again when their access token is over.
 */
export async function runCloudsCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-clouds-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const clients = await installClients(programs)
  const certificate = await makeCertificate(programs, folder)
  const google = ends.adopt(await startGoogle({ endAfterSeconds: TOKEN_SECONDS }), (it) => it.close())
  const azure = ends.adopt(await startAzure(), (it) => it.close())
  const login = ends.adopt(await startTlsFront(azure.url, certificate), (it) => it.close())
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const values = { [IMPERSONATED]: randomBytes(24).toString("hex"), [DIRECT]: randomBytes(24).toString("hex") }
  const vendor = cloudsOf({ google, azure, login: login.url, values })
  const policies = join(folder, "policies")
  writeToolsFolder(policies, github.issuer, [vendor])
  const broker = await startNodeBroker({ policies })
  ends.defer(async () => void (await broker.stop()))
  await trustBroker([vendor], broker.url)

  const fileOf = (name: string, grant: string) => join(folder, `${name} ${grant}`.replace(/[^\w-]/g, "-"))
  const settings = (grant: string) => ({
    endpoint: google.url,
    secret: `projects/${PROJECT.id}/secrets/${grant}/versions/latest`,
    sleepSeconds: TOKEN_SECONDS + 1,
  })
  const line = (library: string, client: string, grant: string, name = grant, before = "") =>
    shellLine(clients, client, settings(grant), { path: fileOf(library, name), before })
  const step = (runId: string, grants: readonly string[], commands: readonly string[]) => {
    const ci = github.job(toolsJob(runId))
    return runAction({
      entry: "main",
      inputs: { broker: broker.url, grants: grants.join(), run: [...commands, "wait"].join("\n") },
      idToken: { url: ci.requestUrl, requestToken: ci.requestToken },
      temp: join(folder, `temp-${runId}`),
      env: { HOME: folder, ...trustIn(certificate.authority) },
    })
  }
  const each = (make: (library: string, client: string) => string) =>
    Object.entries(LIBRARIES).map(([library, client]) => make(library, client))
  // Of several logins, a workflow names the one that a program uses, and the project: two of the libraries would ask Google's
  // Resource Manager for it.
  const of = (grant: string) =>
    `GOOGLE_APPLICATION_CREDENTIALS="$DAYPASS_GOOGLE_FOLDER/${grant}.json" GOOGLE_CLOUD_PROJECT=${PROJECT.id} `
  // Most of the time goes into waiting for the end of the first access tokens.
  const [one, two] = await Promise.all([
    step(
      "7001",
      [IMPERSONATED, AZURE],
      [
        ...each((library, client) => line(library, client, IMPERSONATED)),
        shellLine(clients, "azure-workload.py", {}, { path: fileOf("azure", AZURE) }),
      ],
    ),
    step(
      "7002",
      [IMPERSONATED, DIRECT],
      [
        ...each((library, client) => line(library, client, DIRECT, DIRECT, of(DIRECT))),
        line("Python", "google-adc.py", IMPERSONATED, "other", of(DIRECT)),
      ],
    ),
  ])

  await check("a command with logins of Google and Azure ends well, and prints no token of the broker", () => {
    assert.deepEqual([one.exitCode, two.exitCode], [0, 0], one.log + two.log)
    assert.match(one.log, /^printed \*\*\*$/m)
  })
  for (const library of Object.keys(LIBRARIES))
    for (const [grant, how] of [
      [IMPERSONATED, "as the one login of a command"],
      [DIRECT, "as one of two"],
    ] as const)
      await check(`${library} reads with ${grant}, ${how}, and logs in again when its access token is over`, () => {
        const value = values[grant]
        assert.deepEqual(toldIn(fileOf(library, grant))["adc"], { read: [value, value], tokens: 2 })
      })
  await check("a login is for its own grant: another one's secret is refused", () =>
    assertRefused(toldIn(fileOf("Python", "other")), "adc", /403/),
  )
  await check("azure-identity for Python logs in by the file that the action writes", () => {
    const { default: first, reread } = toldIn(fileOf("azure", AZURE))
    const names = azure.issued.map(({ accessToken }) => createHash("sha256").update(accessToken).digest("hex"))
    assert.deepEqual([first, ...(reread as string[])], names)
  })
  await check("nothing of the logins stays when a command has ended", () => {
    for (const { written } of [one, two])
      assert.deepEqual(
        Object.keys(written).filter((path) => !RECORD_FILE.test(basename(path))),
        [],
      )
  })
  await check("the stand-ins for Google and Entra knew all that was asked", () => {
    google.assertClean()
    azure.assertClean()
  })
}

interface Clouds {
  readonly google: Google
  readonly azure: Azure
  /** Entra's address with TLS, without which its library asks nothing. */
  readonly login: string
  /** What each of Google's grants reads. */
  readonly values: Readonly<Record<string, string>>
}

function cloudsOf({ google, azure, login, values }: Clouds) {
  const handOver = { hand_over: "federated-token" }
  return {
    connections: {
      "run-google": {
        provider: "google",
        workload_identity_provider: PROVIDER,
        service_accounts: [ACCOUNT],
        project: PROJECT.id,
        federated_tokens: true,
        sts_endpoint: google.url,
        iam_credentials_endpoint: google.url,
      },
      "run-entra": {
        provider: "azure",
        tenant: azure.tenant,
        client_ids: [CLIENT],
        federated_tokens: true,
        authority: login,
      },
    },
    grants: {
      [IMPERSONATED]: { connection: "run-google", service_account: ACCOUNT, ttl: "15m", ...handOver },
      [DIRECT]: { connection: "run-google", ...handOver },
      [AZURE]: { connection: "run-entra", client_id: CLIENT, ttl: "90m", ...handOver },
    },
    trust({ issuer, subject }: { issuer: string; subject: (grant: string) => string }) {
      const principal = (grant: string) => `principal://iam.googleapis.com/${POOL}/subject/${subject(grant)}`
      google.addProject(PROJECT)
      google.addProvider({ name: PROVIDER, issuer })
      const members = [principal(IMPERSONATED)]
      google.addServiceAccount({ email: ACCOUNT, bindings: [{ role: "roles/iam.workloadIdentityUser", members }] })
      for (const [grant, accessor] of [
        [IMPERSONATED, `serviceAccount:${ACCOUNT}`],
        [DIRECT, principal(DIRECT)],
      ] as const) {
        const versions = [{ payload: values[grant] ?? "" }]
        google.addSecret({ project: PROJECT.id, id: grant, versions, accessors: [accessor] })
      }
      azure.addClient({
        clientId: CLIENT,
        credentials: [{ issuer, subject: subject(AZURE), audience: ENTRA_AUDIENCE }],
      })
    },
  }
}
