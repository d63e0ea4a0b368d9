import { startGoogle } from "../google.ts"
import type { StartVendor } from "../vendor.ts"
import { expiresOnly } from "./end-of-job.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const ACCOUNT = "shop-deploy@acme-prod.iam.gserviceaccount.com"
const GRANT = "google-deploy"
const PROJECT = "acme-prod"
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"

/** Google Cloud: a pool that trusts the broker, and a service account that one grant's subject may impersonate. */
export const startGoogleVendor: StartVendor = async () => {
  const google = await startGoogle()
  return {
    name: "google",
    gives: "a Google Cloud access token of a service account",
    connections: {
      google: {
        provider: "google",
        workload_identity_provider: PROVIDER,
        service_accounts: [ACCOUNT],
        project: PROJECT,
        sts_endpoint: google.url,
        iam_credentials_endpoint: google.url,
      },
    },
    grants: {
      [GRANT]: { connection: "google", service_account: ACCOUNT, scopes: [SCOPE], ttl: "15m" },
    },
    secrets: {},
    trust({ issuer, subject }) {
      google.addProvider({
        name: PROVIDER,
        issuer,
        condition: ({ repository_owner_id: owner }) => owner === "9001",
      })
      const member = `principal://iam.googleapis.com/${POOL}/subject/${subject(GRANT)}`
      google.addServiceAccount({
        email: ACCOUNT,
        bindings: [{ role: "roles/iam.workloadIdentityUser", members: [member] }],
      })
    },
    check({ env, masks }) {
      const token = env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? ""
      const issued = google.issued.find((one) => one.token === token)
      return [
        ["the job has the service account's token", issued?.members[0] === `serviceAccount:${ACCOUNT}`],
        ["gcloud finds the same token", token !== "" && env["CLOUDSDK_AUTH_ACCESS_TOKEN"] === token],
        ["it is good for the grant's scope alone", issued?.scopes.join() === SCOPE],
        ["it lives as long as the grant says", issued?.lifetimeSeconds === 900],
        ["it is masked", masks.includes(token)],
        ["tools find the project", env["GOOGLE_CLOUD_PROJECT"] === PROJECT && env["CLOUDSDK_CORE_PROJECT"] === PROJECT],
      ]
    },
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
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
