import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { startOnePassword } from "../../support/one-password.ts"
import { assertRefused, type StartClientVendor } from "./vendor.ts"

const TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiJjbGllbnRzIn0.c2lnbmF0dXJlLW9mLUNvbm5lY3Q"
const [VAULT, OTHERS] = ["clientsvault00000000000000", "othervault0000000000000000"]

/** 1Password's client for Connect, which reads what Daypass delivered: a job itself gets no token of Connect's. */
export const startOnePasswordClients: StartClientVendor = async () => {
  const connect = await startOnePassword()
  const password = randomBytes(24).toString("hex")
  const fields = [
    { id: "username", type: "STRING", label: "username", value: "tools" },
    { id: "password", type: "CONCEALED", label: "password", value: password },
  ]
  connect.addVault({
    id: VAULT,
    name: "Clients (production)",
    items: [{ id: "databaseitem00000000000000", title: "Clients database", fields }],
  })
  connect.addVault({ id: OTHERS, name: "Others", items: [] })
  connect.allow(TOKEN, [VAULT])
  return {
    name: "1password",
    connections: {
      "clients-onepassword": {
        provider: "1password",
        url: connect.url,
        token: "env:CLIENTS_CONNECT_TOKEN",
        vaults: ["Clients (production)"],
      },
    },
    grants: {
      "clients-onepassword": {
        connection: "clients-onepassword",
        read: { CLIENTS_ONEPASSWORD: "op://Clients (production)/Clients database/password" },
      },
    },
    secrets: { CLIENTS_CONNECT_TOKEN: TOKEN },
    trust() {},
    async use({ run, node }, check) {
      const told = await node("1password", {
        serverURL: connect.url,
        token: TOKEN,
        vault: "Clients (production)",
        item: "Clients database",
        foreign: OTHERS,
      })
      await check("1Password's client finds vaults and items by title and by id, and reads the same as Daypass", () => {
        assert.deepEqual(told["vaults"], ["Clients (production)"])
        assert.deepEqual(told["byTitle"], { username: "tools", password })
        assert.deepEqual(told["byId"], told["byTitle"])
        assert.equal(run.env["CLIENTS_ONEPASSWORD"], password)
      })
      await check("1Password's client tells of an item that is not there, a foreign vault and a wrong token", () => {
        assertRefused(told, "noItem", /404 No Items found with title/)
        assertRefused(told, "foreign", /403 vault .* is not in scope/)
        assertRefused(told, "wrongToken", /401 Authentication: Invalid token signature/)
      })
    },
    assertClean: () => connect.assertClean(),
    close: () => connect.close(),
  }
}
