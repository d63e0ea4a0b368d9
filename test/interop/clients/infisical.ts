import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { startInfisical } from "../../support/infisical.ts"
import { assertRefused, type StartClientVendor, tokenGrant } from "./vendor.ts"

const OWN_AUDIENCE = "https://infisical.clients.example"
const [STORE, TOKEN] = ["clients-infisical", "clients-infisical-token"]
const [IDENTITY, OWN_IDENTITY] = ["0c9d3b5e-6a71-4f28-9d4c-1e7b5a0f8c36", "8b2f6d1a-4e93-4c57-a0d8-3f9c7e5b1a24"]
const [PROJECT, OTHERS] = ["2a8e5c7d-1b46-4f93-b0d2-9c6f3e8a7d15", "7d4f1b9c-5e82-4a36-8c0d-6b3a9f2e5c71"]

/** Infisical's SDK with a login that the broker's token gave. */
export const startInfisicalClients: StartClientVendor = async () => {
  const store = await startInfisical()
  const [password, value] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")]
  store.addSecret(`${PROJECT}/prod/PASSWORD`, password)
  store.addSecret(`${PROJECT}/prod/URL`, `postgres://tools:$\{PASSWORD}@db.example.com/tools`)
  store.addSecret(`${PROJECT}/prod/keys/FIRST`, value)
  return {
    name: "infisical",
    connections: {
      "clients-infisical": {
        provider: "infisical",
        identity_id: IDENTITY,
        projects: [PROJECT],
        url: store.url,
        resolve_references: true,
      },
    },
    grants: {
      [STORE]: {
        connection: "clients-infisical",
        read: { CLIENTS_INFISICAL: `${PROJECT}/prod/URL`, CLIENTS_INFISICAL_KEY: `${PROJECT}/prod/keys/FIRST` },
      },
      [TOKEN]: tokenGrant(OWN_AUDIENCE, "INFISICAL_JWT"),
    },
    secrets: {},
    trust({ issuer, subject }) {
      const identity = { issuer, reads: [`${PROJECT}/prod/`] }
      store.addIdentity({ ...identity, id: IDENTITY, audience: store.url, subject: subject(STORE) })
      store.addIdentity({ ...identity, id: OWN_IDENTITY, audience: OWN_AUDIENCE, subject: subject(TOKEN) })
    },
    async use({ run, node }, check) {
      const settings = {
        siteUrl: store.url,
        identityId: OWN_IDENTITY,
        projectId: PROJECT,
        environment: "prod",
        secret: { secretName: "URL", expandSecretReferences: true },
        folder: "/keys",
        foreign: OTHERS,
      }
      const told = await node("infisical", settings)
      await check("Infisical's SDK reads a secret and a folder, the same as Daypass", () => {
        assert.equal(told["secret"], `postgres://tools:${password}@db.example.com/tools`)
        assert.equal(run.env["CLIENTS_INFISICAL"], told["secret"])
        assert.deepEqual(told["folder"], { FIRST: value })
        assert.equal(run.env["CLIENTS_INFISICAL_KEY"], value)
      })
      await check("Infisical's SDK tells of a secret that is not there, a foreign project and a wrong token", () => {
        assertRefused(told, "none", /StatusCode=404\] Secret with name 'NONE' not found/)
        assertRefused(told, "foreign", /StatusCode=403\] You are not allowed/)
        assertRefused(told, "wrongToken", /StatusCode=401\] Token is not valid/)
        assertRefused(told, "wrongJwt", /403 Access denied: OIDC subject not allowed/)
      })
    },
    assertClean: () => store.assertClean(),
    close: () => store.close(),
  }
}
