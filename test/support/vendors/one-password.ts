import { startOnePassword } from "../one-password.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const GRANT = "onepassword-app"
const TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiJ0b29scyJ9.c2lnbmF0dXJlLW9mLUNvbm5lY3Q"
const VAULT = "toolsvault0000000000000000"
const ADMIN = { id: "admin0000000000000000000000", label: "Admin" }
const PASSWORD = "correct horse battery staple"
const API_TOKEN = "tok_4f1c9b2e7a6d"
const WHOLE_KEY = "sk_of-a-whole-item"
const KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPexample1password\n-----END PRIVATE KEY-----\n"

/** A 1Password Connect server with one vault, two items of which the grant reads. */
export const startOnePasswordVendor: StartVendor = async () => {
  const connect = await startOnePassword()
  connect.addVault({
    id: VAULT,
    name: "Tools (production)",
    items: [
      {
        id: "databaseitem00000000000000",
        title: "Tools database",
        sections: [ADMIN],
        fields: [
          { id: "password", type: "CONCEALED", label: "password", value: PASSWORD },
          { id: "t1", type: "CONCEALED", label: "token", value: API_TOKEN, section: { id: ADMIN.id } },
        ],
      },
      {
        id: "deploykeyitem0000000000000",
        title: "Deploy key",
        fields: [{ id: "private_key", type: "SSHKEY", label: "private key", value: KEY }],
      },
      {
        id: "stripeitem0000000000000000",
        title: "Stripe",
        sections: [ADMIN],
        fields: [
          { id: "username", type: "STRING", label: "username", value: "" },
          { id: "credential", type: "CONCEALED", label: "credential", value: WHOLE_KEY },
          { id: "s1", type: "CONCEALED", label: "api key", value: `${WHOLE_KEY}-admin`, section: { id: ADMIN.id } },
          { id: "otp", type: "OTP", label: "code", value: "otpauth://totp/x?secret=NOT", totp: "135790" },
        ],
      },
      { id: "olddatabase000000000000000", title: "Tools database", state: "ARCHIVED" },
    ],
  })
  connect.addVault({ id: "othervault0000000000000000", name: "Others", items: [] })
  connect.allow(TOKEN, [VAULT])
  return {
    name: "1password",
    gives: "fields of 1Password items",
    connections: {
      "onepassword-tools": {
        provider: "1password",
        url: connect.url,
        token: "env:OP_CONNECT_TOKEN",
        vaults: ["Tools (production)", `id:${VAULT}`],
      },
    },
    grants: {
      [GRANT]: {
        connection: "onepassword-tools",
        ttl: "15m",
        read: {
          OP_DB_PASSWORD: "op://Tools (production)/Tools database/password",
          OP_API_TOKEN: `op://id:${VAULT}/Tools database/Admin/token`,
          OP_DEPLOY_KEY: { from: "op://Tools (production)/Deploy key/private key", as: "file", mode: "0400" },
        },
        read_all: { from: "op://Tools (production)/Stripe", prefix: "OP_STRIPE_" },
      },
    },
    secrets: { OP_CONNECT_TOKEN: TOKEN },
    // Connect takes the broker for whoever holds its token, and is told of no job.
    trust() {},
    check: (run) => [
      ["the variables are the fields", run.env["OP_DB_PASSWORD"] === PASSWORD && run.env["OP_API_TOKEN"] === API_TOKEN],
      ["they are masked", run.masks.includes(PASSWORD) && run.masks.includes(API_TOKEN)],
      [
        "a whole item is there, below its sections",
        run.env["OP_STRIPE_CREDENTIAL"] === WHOLE_KEY && run.env["OP_STRIPE_ADMIN_API_KEY"] === `${WHOLE_KEY}-admin`,
      ],
      ["it is masked", run.masks.includes(WHOLE_KEY) && run.masks.includes(`${WHOLE_KEY}-admin`)],
      ["no one-time password is of it", run.env["OP_STRIPE_CODE"] === undefined],
      ["the key is a file for its owner alone", fileOf(run, "OP_DEPLOY_KEY") === `0400 ${KEY}`],
    ],
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
    fail: (how) => connect.fail(how),
    requests: connect.requests,
    alive: () => 0,
    assertClean: () => connect.assertClean(),
    close: () => connect.close(),
  }
}
