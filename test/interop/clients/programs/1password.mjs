import { OnePasswordConnect } from "@1password/connect"
import { settings, tell } from "./tell.mjs"

const { serverURL, token, vault, item, foreign } = settings
const client = OnePasswordConnect({ serverURL, token, keepAlive: false })
const fieldsOf = ({ fields }) => Object.fromEntries(fields.map(({ label, value }) => [label, value]))

await tell({
  vaults: async () => (await client.listVaults()).map(({ name }) => name),
  async byTitle() {
    const { id } = await client.getVaultByTitle(vault)
    return fieldsOf(await client.getItemByTitle(id, item))
  },
  async byId() {
    const { id } = await client.getVaultByTitle(vault)
    const [found] = await client.listItems(id)
    return fieldsOf(await client.getItemById(id, found.id))
  },
  async noItem() {
    const { id } = await client.getVaultByTitle(vault)
    return client.getItemByTitle(id, "none")
  },
  foreign: () => client.getVaultById(foreign),
  wrongToken: () => OnePasswordConnect({ serverURL, token: `${token}x`, keepAlive: false }).listVaults(),
})
