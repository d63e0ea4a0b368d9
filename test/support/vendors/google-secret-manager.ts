import { startGoogle } from "../google.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const ACCOUNT = "secrets-reader@acme-tools.iam.gserviceaccount.com"
const PROJECT = { id: "acme-tools", number: "210987654321" }
const OWN = "google-secret-manager-app"
const REGIONAL = "google-secret-manager-eu"
const DATABASE_URL = "postgres://tools:s3cr3t-google@db.example.com/tools"
const OLD_URL = "postgres://tools:former-google@db.example.com/tools"
const KEY = '{"type":"service_account","private_key":"example-google"}'
const KEYSTORE = Uint8Array.of(0xfe, 0xed, 0xfe, 0xed, 0x00, 0x02)

/** Google Secret Manager: secrets that one grant's principal may read, and a regional one that a service account may. */
export const startGoogleSecretManagerVendor: StartVendor = async () => {
  const google = await startGoogle()
  google.addProject(PROJECT)
  const connection = {
    provider: "google-secret-manager",
    workload_identity_provider: PROVIDER,
    project: PROJECT.id,
    sts_endpoint: google.url,
    iam_credentials_endpoint: google.url,
    endpoint: google.url,
  }
  return {
    name: "google-secret-manager",
    gives: "secrets of Google Cloud Secret Manager",
    connections: {
      "google-secret-manager-tools": connection,
      "google-secret-manager-eu": { ...connection, location: "europe-west3", service_account: ACCOUNT },
    },
    grants: {
      [OWN]: {
        connection: "google-secret-manager-tools",
        ttl: "15m",
        read: {
          GSM_DATABASE_URL: "tools-database-url",
          GSM_FORMER_DATABASE_URL: "tools-database-url@former",
          GSM_KEY: { from: "tools_KEY@1", as: "file" },
          GSM_KEY_TYPE: "tools_KEY@1#type",
        },
      },
      [REGIONAL]: {
        connection: "google-secret-manager-eu",
        ttl: "15m",
        read: { GSM_KEYSTORE: { from: "tools-keystore", as: "file", mode: "0400" } },
      },
    },
    secrets: {},
    trust({ issuer, subject }) {
      google.addProvider({ name: PROVIDER, issuer, condition: ({ repository_owner_id: owner }) => owner === "9001" })
      const principal = (grant: string) => `principal://iam.googleapis.com/${POOL}/subject/${subject(grant)}`
      google.addServiceAccount({
        email: ACCOUNT,
        bindings: [{ role: "roles/iam.workloadIdentityUser", members: [principal(REGIONAL)] }],
      })
      const mine = { project: PROJECT.id, accessors: [principal(OWN)] }
      google.addSecret({
        ...mine,
        id: "tools-database-url",
        versions: [{ payload: OLD_URL }, { payload: "withdrawn", state: "DISABLED" }, { payload: DATABASE_URL }],
        aliases: { former: 1 },
      })
      google.addSecret({ ...mine, id: "tools_KEY", versions: [{ payload: KEY }] })
      google.addSecret({
        project: PROJECT.id,
        location: "europe-west3",
        id: "tools-keystore",
        versions: [{ payload: KEYSTORE }],
        accessors: [`serviceAccount:${ACCOUNT}`],
      })
    },
    check: (run) => [
      ["the newest version is in its variable", run.env["GSM_DATABASE_URL"] === DATABASE_URL],
      ["so is the one that an alias names", run.env["GSM_FORMER_DATABASE_URL"] === OLD_URL],
      ["one is a field of a secret's JSON", run.env["GSM_KEY_TYPE"] === "service_account"],
      ["they are masked", run.masks.includes(DATABASE_URL) && run.masks.includes(OLD_URL)],
      ["the key is a file", fileOf(run, "GSM_KEY") === `0600 ${KEY}`],
      ["so is the keystore, byte for byte", fileOf(run, "GSM_KEYSTORE", "hex") === "0400 feedfeed0002"],
      [
        "no token of Google's is handed out",
        google.issued.every(({ token }) => !JSON.stringify([run.env, run.outputs]).includes(token)),
      ],
    ],
    checkEnd: ({ log }) => [expiresOnly(log, OWN, REGIONAL)],
    fail: (how) => google.fail("secretmanager", how),
    requests: google.requests,
    alive: () => 0,
    assertClean: () => google.assertClean(),
    close: () => google.close(),
  }
}
