import { startInfisical } from "../infisical.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const GRANT = "infisical-app"
const IDENTITY = "5d0e4c1b-7a62-4f39-8b1d-2c9e6a0f7d34"
const PROJECT = "6f0b9c2e-1d34-4a57-8e90-b1c2d3e4f506"
const PASSWORD = "s3cr3t-infisical"
const DATABASE_URL = `postgres://tools:${PASSWORD}@db.example.com/tools`
const WHOLE_KEY = "api-key-of-a-whole-folder"
const KEY = '{"type":"service_account","private_key":"example-infisical"}'

/** Infisical with one project, and a machine identity that admits one grant. */
export const startInfisicalVendor: StartVendor = async () => {
  const store = await startInfisical()
  store.addSecret(`${PROJECT}/prod/DB_PASSWORD`, PASSWORD)
  store.addSecret(`${PROJECT}/prod/DATABASE_URL`, `postgres://tools:\${DB_PASSWORD}@db.example.com/tools`)
  store.addSecret(`${PROJECT}/prod/keys/eu/SERVICE_ACCOUNT`, KEY)
  store.addSecret(`${PROJECT}/prod/whole/apiKey`, WHOLE_KEY)
  store.addSecret(`${PROJECT}/prod/whole/api-url`, `https://\${prod.DB_PASSWORD}.example.com`)
  store.addSecret(`${PROJECT}/prod/whole/below/NOT`, "of a folder below")
  return {
    name: "infisical",
    gives: "secrets of Infisical projects",
    connections: {
      "infisical-tools": {
        provider: "infisical",
        identity_id: IDENTITY,
        projects: [PROJECT],
        url: store.url,
        resolve_references: true,
      },
    },
    grants: {
      [GRANT]: {
        connection: "infisical-tools",
        ttl: "15m",
        read: {
          INFISICAL_DB_PASSWORD: `${PROJECT}/prod/DB_PASSWORD`,
          INFISICAL_DATABASE_URL: `${PROJECT}/prod/DATABASE_URL`,
          INFISICAL_KEY: { from: `${PROJECT}/prod/keys/eu/SERVICE_ACCOUNT`, as: "file" },
          INFISICAL_KEY_TYPE: `${PROJECT}/prod/keys/eu/SERVICE_ACCOUNT#type`,
        },
        read_all: { from: `${PROJECT}/prod/whole/`, prefix: "INFISICAL_WHOLE_" },
      },
    },
    secrets: {},
    trust({ issuer, subject }) {
      const reads = [`${PROJECT}/prod/`]
      store.addIdentity({ id: IDENTITY, issuer, audience: store.url, subject: subject(GRANT), reads })
    },
    check: (run) => [
      ["the variables are the secrets", run.env["INFISICAL_DB_PASSWORD"] === PASSWORD],
      ["references are resolved", run.env["INFISICAL_DATABASE_URL"] === DATABASE_URL],
      ["one is a field of a secret's JSON", run.env["INFISICAL_KEY_TYPE"] === "service_account"],
      ["they are masked", run.masks.includes(PASSWORD) && run.masks.includes(DATABASE_URL)],
      ["a whole folder is there, each secret by its name", run.env["INFISICAL_WHOLE_API_KEY"] === WHOLE_KEY],
      ["its references are resolved too", run.env["INFISICAL_WHOLE_API_URL"] === `https://${PASSWORD}.example.com`],
      [
        "nothing of the folders below is",
        run.env["INFISICAL_WHOLE_NOT"] === undefined && run.masks.includes(WHOLE_KEY),
      ],
      ["the key is a file", fileOf(run, "INFISICAL_KEY") === `0600 ${KEY}`],
    ],
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
    fail: (how) => store.fail(how),
    requests: store.requests,
    alive: () => 0,
    assertClean: () => store.assertClean(),
    close: () => store.close(),
  }
}
