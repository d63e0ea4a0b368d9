import {
  type Ask,
  bearerOf,
  hasExactly,
  json,
  type StoreAnswer,
  type StoreServer,
  startStoreServer,
} from "./store-server.ts"

/** A vault and its items, as Connect tells of them; `vault` is added to each item. */
export interface ConnectVault {
  readonly id: string
  readonly name: string
  readonly items: readonly ConnectItem[]
}

export interface ConnectItem {
  readonly id: string
  readonly title: string
  readonly state?: "ARCHIVED" | "DELETED"
  readonly sections?: readonly { readonly id: string; readonly label?: string }[]
  readonly fields?: readonly {
    readonly id: string
    readonly type: string
    readonly label?: string
    readonly value?: string
    readonly section?: { readonly id: string }
  }[]
  readonly files?: readonly { readonly id: string; readonly name: string }[]
}

export interface OnePassword extends StoreServer {
  /** Makes a vault exist; one with the same id is replaced. */
  addVault(vault: ConnectVault): void
  /** Makes an access token good for these vaults, by their ids; for none when the list is empty. */
  allow(token: string, vaultIds: readonly string[]): void
}

const ID = /^[\da-z]{26}$/

/** Starts a stand-in for a 1Password Connect server: vaults by name, items by title, one item with its fields. */
export async function startOnePassword(): Promise<OnePassword> {
  const vaults = new Map<string, ConnectVault>()
  const tokens = new Map<string, readonly string[]>()

  const server = await startStoreServer("1Password Connect", async (ask) => {
    const [, version, root, vaultId, leaf, itemId, ...more] = ask.path.split("/")
    if (ask.method !== "GET" || version !== "v1" || root !== "vaults" || more.length > 0) return null
    const scope = tokens.get(bearerOf(ask) ?? "")
    if (scope === undefined) return refused(401, "Authentication: Invalid token signature")
    if (vaultId === undefined) return listVaults(ask, scope)
    if (leaf !== "items") return null
    if (!ID.test(vaultId)) return refused(400, "Invalid Vault UUID")
    const vault = vaults.get(vaultId)
    if (!scope.includes(vaultId)) return refused(403, `vault ${vaultId} is not in scope`)
    if (vault === undefined) return refused(404, `vault ${vaultId} not found`)
    if (itemId === undefined) return listItems(ask, vault)
    if (!hasExactly(ask.query)) return null
    if (!ID.test(itemId)) return refused(400, "Invalid Item UUID")
    const item = vault.items.find(({ id }) => id === itemId)
    return item === undefined ? refused(404, `item ${itemId} not found`) : json(200, inVault(vault, item))
  })

  function listVaults({ query }: Ask, scope: readonly string[]): StoreAnswer | null {
    if (!hasExactly(query, "filter")) return null
    const name = filtered(query, "name")
    if (name === null) return refused(400, "Invalid filter")
    const named = [...vaults.values()].filter((vault) => scope.includes(vault.id) && isSame(vault.name, name))
    return json(
      200,
      named.map(({ id, name, items }) => ({ id, name, items: items.length, type: "USER_CREATED" })),
    )
  }

  function listItems({ query }: Ask, vault: ConnectVault): StoreAnswer | null {
    if (!hasExactly(query, "filter")) return null
    const title = filtered(query, "title")
    if (title === null) return refused(400, "Invalid filter")
    const titled = vault.items.filter((item) => isSame(item.title, title))
    return json(
      200,
      titled.map((item) => {
        const { sections: _sections, fields: _fields, files: _files, ...summary } = inVault(vault, item)
        return summary
      }),
    )
  }

  return {
    ...server,
    addVault: (vault) => void vaults.set(vault.id, vault),
    allow: (token, vaultIds) => void tokens.set(token, vaultIds),
  }
}

const inVault = ({ id }: ConnectVault, item: ConnectItem) => ({ ...item, vault: { id }, category: "LOGIN", version: 1 })

/** The text of the one filter that Connect takes: an attribute, `eq`, a text in quotes. */
const filtered = (query: URLSearchParams, attribute: string) =>
  new RegExp(`^${attribute} eq "([^"\\\\]*)"$`).exec(query.get("filter") ?? "")?.[1] ?? null

/** SCIM compares without regard to case: whoever cares must look at what comes. */
const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

const refused = (status: number, message: string) => json(status, { status, message })
