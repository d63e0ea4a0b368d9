import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { startConjur } from "../../support/conjur.ts"
import { assertRefused, type StartClientVendor, tokenGrant } from "./vendor.ts"

const AUDIENCE = "https://conjur.clients.example"
const OWN_AUDIENCE = "https://own-conjur.clients.example"
const [STORE, TOKEN] = ["clients-conjur", "clients-conjur-token"]
const BYTES = Uint8Array.of(0xfe, 0xed, 0x00, 0x0d)
const [KEY, SPACED, BINARY, FOREIGN] = [
  "data/clients/key",
  "data/clients safe/key",
  "data/clients/bytes",
  "data/others",
]

/** `conjur-api-go` by Conjur's own variables, of which Daypass sets the one with the token. */
export const startConjurClients: StartClientVendor = async () => {
  // One for each audience: no policy lets a grant have tokens for the audience of another connection.
  const [store, own] = [await startConjur(), await startConjur()]
  const [value, spaced] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")]
  for (const one of [store, own]) {
    one.addVariable(KEY, value)
    one.addVariable(SPACED, spaced)
    one.addVariable(BINARY, BYTES)
    one.addVariable(FOREIGN, "of others")
  }
  return {
    name: "conjur",
    connections: {
      "clients-conjur": {
        provider: "conjur",
        url: store.url,
        account: "acme",
        authenticator: "daypass",
        host: "data/clients",
        audience: AUDIENCE,
      },
    },
    grants: {
      [STORE]: { connection: "clients-conjur", read: { CLIENTS_CONJUR: KEY, CLIENTS_CONJUR_SPACED: SPACED } },
      [TOKEN]: tokenGrant(OWN_AUDIENCE, "CONJUR_AUTHN_JWT_TOKEN"),
    },
    secrets: {},
    trust({ issuer, subject }) {
      const executes = [KEY, SPACED, BINARY]
      for (const [one, audience, grant] of [
        [store, AUDIENCE, STORE],
        [own, OWN_AUDIENCE, TOKEN],
      ] as const) {
        one.setAuthenticator({ account: "acme", service: "daypass", issuer, audience })
        one.addHost({ id: "data/clients", subject: subject(grant), executes })
      }
    },
    async use({ run, go }, check) {
      const told = await go(
        "conjur",
        { variables: [KEY, SPACED], binary: BINARY, foreign: FOREIGN, none: "data/clients/none" },
        {
          CONJUR_APPLIANCE_URL: own.url,
          CONJUR_ACCOUNT: "acme",
          CONJUR_AUTHN_JWT_SERVICE_ID: "daypass",
        },
      )
      await check("conjur-api-go logs in with the broker's token, and reads the same as Daypass", () => {
        assert.equal(told["one"], value)
        assert.deepEqual(Object.values(told["batch"] as object).sort(), [value, spaced].sort())
        assert.deepEqual([run.env["CLIENTS_CONJUR"], run.env["CLIENTS_CONJUR_SPACED"]], [value, spaced])
      })
      await check("conjur-api-go reads bytes as they are", () =>
        assert.equal(told["binary"], Buffer.from(BYTES).toString("hex")),
      )
      await check("conjur-api-go tells of a foreign variable, one that is not there, and another's token", () => {
        assertRefused(told, "foreign", /^403 Forbidden/)
        assertRefused(told, "none", /^404 Not Found\. Variable /)
        assertRefused(told, "wrongJwt", /^401 Unauthorized/)
      })
    },
    assertClean() {
      store.assertClean()
      own.assertClean()
    },
    async close() {
      await store.close()
      await own.close()
    },
  }
}
