import { startConjur } from "../conjur.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const GRANT = "conjur-app"
const HOST = "data/daypass/tools"
const PASSWORD = "s3cr3t-conjur"
const USER = "tools@db.example.com"
const KEYSTORE = Uint8Array.from([0xfe, 0xed, 0xfe, 0xed, 0x00, 0x0d])

/** Conjur with a JWT authenticator, and a host of it that admits one grant. */
export const startConjurVendor: StartVendor = async () => {
  const store = await startConjur()
  store.addVariable("data/vault/Tools Safe/db/password", PASSWORD)
  store.addVariable("data/tools/db", JSON.stringify({ user: USER, port: 5432 }))
  store.addVariable("data/tools/keystore", KEYSTORE)
  return {
    name: "conjur",
    gives: "variables of CyberArk Conjur",
    connections: {
      "conjur-tools": {
        provider: "conjur",
        url: store.url,
        account: "acme",
        authenticator: "daypass",
        host: HOST,
        audience: "https://conjur.example.com",
      },
    },
    grants: {
      [GRANT]: {
        connection: "conjur-tools",
        ttl: "15m",
        read: {
          CONJUR_DB_PASSWORD: "data/vault/Tools Safe/db/password",
          CONJUR_DB_USER: "data/tools/db#user",
          CONJUR_KEYSTORE: { from: "data/tools/keystore", as: "file" },
        },
      },
    },
    secrets: {},
    trust({ issuer, subject }) {
      store.setAuthenticator({ account: "acme", service: "daypass", issuer, audience: "https://conjur.example.com" })
      const executes = ["data/vault/Tools Safe/db/password", "data/tools/db", "data/tools/keystore"]
      store.addHost({ id: HOST, subject: subject(GRANT), executes })
    },
    check: (run) => [
      ["the variables are Conjur's", run.env["CONJUR_DB_PASSWORD"] === PASSWORD],
      ["one is a field of a variable's JSON", run.env["CONJUR_DB_USER"] === USER],
      ["they are masked", run.masks.includes(PASSWORD) && run.masks.includes(USER)],
      [
        "what is binary is a file, byte for byte",
        fileOf(run, "CONJUR_KEYSTORE", "hex") === `0600 ${Buffer.from(KEYSTORE).toString("hex")}`,
      ],
    ],
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
    fail: (how) => store.fail(how),
    requests: store.requests,
    alive: () => 0,
    assertClean: () => store.assertClean(),
    close: () => store.close(),
  }
}
