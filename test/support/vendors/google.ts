import { type ExternalAccount, logInWithFile } from "../google/external-account.ts"
import { type Google, startGoogle } from "../google.ts"
import type { ActionRun } from "../runner.ts"
import type { Finding, StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const ACCOUNT = "shop-deploy@acme-prod.iam.gserviceaccount.com"
const GRANT = "google-deploy"
const TOOLS = "google-tools"
const PROJECT = "acme-prod"
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"

/** Google Cloud: a pool that trusts the broker, and a service account that the grants' subjects may impersonate. */
export const startGoogleVendor: StartVendor = async () => {
  const google = await startGoogle()
  return {
    name: "google",
    gives: "a Google Cloud access token of a service account, and what client libraries log in with",
    connections: {
      google: {
        provider: "google",
        workload_identity_provider: PROVIDER,
        service_accounts: [ACCOUNT],
        project: PROJECT,
        federated_tokens: true,
        sts_endpoint: google.url,
        iam_credentials_endpoint: google.url,
      },
    },
    grants: {
      [GRANT]: { connection: "google", service_account: ACCOUNT, scopes: [SCOPE], ttl: "15m" },
      [TOOLS]: { connection: "google", service_account: ACCOUNT, hand_over: "federated-token", ttl: "20m" },
    },
    secrets: {},
    trust({ issuer, subject }) {
      google.addProvider({
        name: PROVIDER,
        issuer,
        condition: ({ repository_owner_id: owner }) => owner === "9001",
      })
      const members = [GRANT, TOOLS].map((grant) => `principal://iam.googleapis.com/${POOL}/subject/${subject(grant)}`)
      google.addServiceAccount({
        email: ACCOUNT,
        bindings: [{ role: "roles/iam.workloadIdentityUser", members }],
      })
    },
    async check(run) {
      const { env, masks } = run
      const token = env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? ""
      const issued = google.issued.find((one) => one.token === token)
      return [
        ["the job has the service account's token", issued?.members[0] === `serviceAccount:${ACCOUNT}`],
        ["gcloud finds the same token", token !== "" && env["CLOUDSDK_AUTH_ACCESS_TOKEN"] === token],
        ["it is good for the grant's scope alone", issued?.scopes.join() === SCOPE],
        ["it lives as long as the grant says", issued?.lifetimeSeconds === 900],
        ["it is masked", masks.includes(token)],
        ["tools find the project", env["GOOGLE_CLOUD_PROJECT"] === PROJECT && env["CLOUDSDK_CORE_PROJECT"] === PROJECT],
        ...(await findingsOfFile(run, google)),
      ]
    },
    checkEnd: ({ log }) => [expiresOnly(log, GRANT, TOOLS)],
    fail(how) {
      google.fail("sts", how)
      google.fail("iamcredentials", how)
    },
    requests: google.requests,
    alive: () => 0,
    assertClean: () => google.assertClean(),
    close: () => google.close(),
  }
}

/** What holds of the file of application default credentials, and of the token that it names. */
async function findingsOfFile(run: ActionRun, google: Google): Promise<readonly Finding[]> {
  const [mode, text = ""] =
    /^(0[0-7]{3}) (.*)$/s.exec(fileOf(run, "GOOGLE_APPLICATION_CREDENTIALS") ?? "")?.slice(1) ?? []
  const account = JSON.parse(text || "{}") as ExternalAccount
  const source = String(account.credential_source["file"])
  const named = Object.entries(run.written).find(([path]) => source.endsWith(`/${path}`))?.[1]
  const token = named?.bytes.toString("utf8") ?? ""
  const accessToken = await logInWithFile(account, token)
  const issued = google.issued.find((one) => one.token === accessToken)
  return [
    ["GOOGLE_APPLICATION_CREDENTIALS names a file that only the job reads", mode === "0600"],
    ["so is the token that it names, which is masked", named?.mode === "0600" && run.masks.includes(token)],
    ["a client library logs in with both as the account", issued?.members[0] === `serviceAccount:${ACCOUNT}`],
    ["for as long as the grant says", issued?.lifetimeSeconds === 1_200],
    ["gcloud finds the same", fileOf(run, "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE") === `0600 ${text}`],
    ["the log says that the login is short", run.log.includes(`Tools must log in with ${TOOLS} within five minutes`)],
  ]
}
