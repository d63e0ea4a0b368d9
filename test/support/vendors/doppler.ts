import { startDoppler } from "../doppler.ts"
import type { ActionRun } from "../runner.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const GRANT = "doppler-app"
const IDENTITY = "2f1c7e1a-5b52-4a8e-9d3c-0e6f4b7a9c15"
const AUDIENCE = "https://api.doppler.com"
const DATABASE_URL = "postgres://tools:s3cr3t-doppler@db.example.com/tools"
const REGION = "eu-west-1"
const WHOLE_KEY = "api-key-of-a-whole-config"
const NPM_TOKEN = "npm_example-of-doppler-0123456789"
const KEY = '{"type":"service_account","private_key":"example-doppler"}'

/** Doppler with one project, and a service account's identity that admits one grant. */
export const startDopplerVendor: StartVendor = async () => {
  const store = await startDoppler()
  store.addConfig("tools/prd", {
    DATABASE_URL: {
      raw: `postgres://\${DB_USER}:\${DB_PASSWORD}@db.example.com/tools`,
      computed: DATABASE_URL,
      visibility: "masked",
    },
    REGION: { raw: REGION, computed: REGION, visibility: "unmasked" },
    NPM_TOKEN: { raw: NPM_TOKEN, computed: NPM_TOKEN, visibility: "masked" },
    UNWANTED: { raw: "unwanted", computed: "unwanted", visibility: "masked" },
  })
  store.addConfig("tools/prd_keys", { SERVICE_ACCOUNT: { raw: KEY, computed: KEY, visibility: "restricted" } })
  store.addConfig("tools/prd_whole", {
    API_KEY: { raw: WHOLE_KEY, computed: WHOLE_KEY, visibility: "masked" },
    ZONE: { raw: "eu-west-1a", computed: "eu-west-1a", visibility: "unmasked" },
  })
  return {
    name: "doppler",
    gives: "secrets of Doppler configs",
    connections: {
      "doppler-tools": {
        provider: "doppler",
        identity: IDENTITY,
        audience: AUDIENCE,
        projects: ["tools"],
        url: store.url,
        resolve_references: true,
      },
    },
    grants: {
      [GRANT]: {
        connection: "doppler-tools",
        ttl: "15m",
        read: {
          DOPPLER_DATABASE_URL: "tools/prd/DATABASE_URL",
          DOPPLER_REGION: "tools/prd/REGION",
          DOPPLER_KEY: { from: "tools/prd_keys/SERVICE_ACCOUNT", as: "file" },
          DOPPLER_NPM: { from: "tools/prd/NPM_TOKEN", as: "npmrc", host: "npm.example.com" },
          DOPPLER_KEY_TYPE: "tools/prd_keys/SERVICE_ACCOUNT#type",
        },
        read_all: { from: "tools/prd_whole/", prefix: "DOPPLER_WHOLE_" },
      },
    },
    secrets: {},
    trust({ issuer, subject }) {
      const configs = ["tools/prd", "tools/prd_keys", "tools/prd_whole"]
      store.addIdentity({ id: IDENTITY, issuer, audience: AUDIENCE, subject: subject(GRANT), configs })
    },
    check: (run) => [
      ["the variables are the secrets, references resolved", run.env["DOPPLER_DATABASE_URL"] === DATABASE_URL],
      ["one is a field of a secret's JSON", run.env["DOPPLER_KEY_TYPE"] === "service_account"],
      ["what is secret is masked", run.masks.includes(DATABASE_URL)],
      ["what Doppler shows is not masked", run.env["DOPPLER_REGION"] === REGION && !run.masks.includes(REGION)],
      ["a whole config is there, each secret by its name", run.env["DOPPLER_WHOLE_API_KEY"] === WHOLE_KEY],
      ["nothing that Doppler adds to configs", run.env["DOPPLER_WHOLE_DOPPLER_CONFIG"] === undefined],
      ["what is secret of it is masked", run.masks.includes(WHOLE_KEY)],
      [
        "what Doppler shows of it is not",
        run.env["DOPPLER_WHOLE_ZONE"] === "eu-west-1a" && !run.masks.includes("eu-west-1a"),
      ],
      ["a login beside the whole config sets no variable of its own", run.env["DOPPLER_NPM"] === undefined],
      ["npm has the login in a file of the step", npmLineOf(run) === `//npm.example.com/:_authToken=${NPM_TOKEN}`],
      ["the login's token is masked", run.masks.includes(NPM_TOKEN)],
      ["the key is a file", fileOf(run, "DOPPLER_KEY") === `0600 ${KEY}`],
    ],
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
    fail: (how) => store.fail(how),
    requests: store.requests,
    alive: () => 0,
    assertClean: () => store.assertClean(),
    close: () => store.close(),
  }
}

/** The line of the user configuration with which npm logs in. */
const npmLineOf = ({ env, written }: ActionRun): string | undefined =>
  Object.entries(written)
    .find(([path]) => env["NPM_CONFIG_USERCONFIG"]?.endsWith(path))?.[1]
    .bytes.toString("utf8")
    .split("\n")
    .find((line) => line.includes("_authToken"))
