import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { startDoppler } from "../../support/doppler.ts"
import { assertRefused, type StartClientVendor, tokenGrant } from "./vendor.ts"

const [AUDIENCE, OWN_AUDIENCE] = ["https://doppler.clients.example", "https://own-doppler.clients.example"]
const [STORE, TOKEN] = ["clients-doppler", "clients-doppler-token"]
const [IDENTITY, OWN_IDENTITY] = ["5e2d8c4a-7f13-4b69-a0c5-d81b6e9f3a27", "b4a7e1d9-3c58-4f02-8e6b-9d2f7a5c1e80"]

/** Doppler's SDK with a login that the broker's token gave. */
export const startDopplerClients: StartClientVendor = async () => {
  const store = await startDoppler()
  const key = randomBytes(24).toString("hex")
  const url = `postgres://tools:${key}@db.example.com/tools`
  store.addConfig("clients/prd", {
    KEY: { raw: key, computed: key, visibility: "restricted" },
    URL: { raw: `postgres://tools:$\{KEY}@db.example.com/tools`, computed: url, visibility: "masked" },
  })
  store.addConfig("clients/others", {})
  return {
    name: "doppler",
    connections: {
      "clients-doppler": {
        provider: "doppler",
        identity: IDENTITY,
        audience: AUDIENCE,
        projects: ["clients"],
        url: store.url,
        resolve_references: true,
      },
    },
    grants: {
      [STORE]: {
        connection: "clients-doppler",
        read: { CLIENTS_DOPPLER: "clients/prd/URL", CLIENTS_DOPPLER_KEY: "clients/prd/KEY" },
      },
      [TOKEN]: tokenGrant(OWN_AUDIENCE, "DOPPLER_JWT"),
    },
    secrets: {},
    trust({ issuer, subject }) {
      const identity = { issuer, configs: ["clients/prd"] }
      store.addIdentity({ ...identity, id: IDENTITY, audience: AUDIENCE, subject: subject(STORE) })
      store.addIdentity({ ...identity, id: OWN_IDENTITY, audience: OWN_AUDIENCE, subject: subject(TOKEN) })
    },
    async use({ run, node }, check) {
      const settings = { url: store.url, identity: OWN_IDENTITY, project: "clients", config: "prd", foreign: "others" }
      const told = await node("doppler", settings)
      await check("Doppler's SDK reads a config, some of it and one secret, the same as Daypass", () => {
        const ofDoppler = { DOPPLER_CONFIG: "prd", DOPPLER_PROJECT: "clients" }
        const same = { KEY: run.env["CLIENTS_DOPPLER_KEY"], URL: run.env["CLIENTS_DOPPLER"] }
        assert.deepEqual(told["all"], { ...ofDoppler, ...same })
        assert.deepEqual([told["some"], told["one"]], [{ KEY: key }, url])
        assert.equal(run.env["CLIENTS_DOPPLER"], url)
      })
      await check("Doppler's SDK tells of a foreign config, one that is not there, and a wrong token", () => {
        assertRefused(told, "foreign", /^Error 400 .*does not have access to the config/)
        assertRefused(told, "none", /^Error 404 .*not find requested config/)
        assertRefused(told, "wrongToken", /^Error 401 .*Invalid Auth token/)
        assertRefused(told, "wrongJwt", /401 Invalid OIDC token/)
      })
    },
    assertClean: () => store.assertClean(),
    close: () => store.close(),
  }
}
