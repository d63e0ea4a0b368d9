import {
  type Ask,
  bearerOf,
  hasAtLeast,
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
    /** The current code of a one-time password. */
    readonly totp?: string
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

/**
 * Starts a stand-in for a 1Password Connect server: vaults and items in lists, by name and by title, and one item with its
 * fields. 1Password's SDKs call it by other paths than its documentation: with a slash at the end, and vaults by `title`.
 */
export async function startOnePassword(): Promise<OnePassword> {
  const vaults = new Map<string, ConnectVault>()
  const tokens = new Map<string, readonly string[]>()

  const server = await startStoreServer("1Password Connect", async (ask) => {
    const [, version, root, vaultId, leaf, itemId, ...more] = ask.path.replace(/\/$/, "").split("/")
    if (ask.method !== "GET" || version !== "v1" || root !== "vaults" || more.length > 0) return null
    const scope = tokens.get(bearerOf(ask) ?? "")
    if (scope === undefined) return refused(401, "Authentication: Invalid token signature")
    if (vaultId === undefined) return listVaults(ask, scope)
    if (leaf !== "items" && leaf !== undefined) return null
    if (!ID.test(vaultId)) return refused(400, "Invalid Vault UUID")
    const vault = vaults.get(vaultId)
    if (!scope.includes(vaultId)) return refused(403, `vault ${vaultId} is not in scope`)
    if (vault === undefined) return refused(404, `vault ${vaultId} not found`)
    if (leaf === undefined) return hasExactly(ask.query) ? json(200, summaryOf(vault)) : null
    if (itemId === undefined) return listItems(ask, vault)
    if (!hasExactly(ask.query)) return null
    if (!ID.test(itemId)) return refused(400, "Invalid Item UUID")
    const item = vault.items.find(({ id }) => id === itemId)
    return item === undefined ? refused(404, `item ${itemId} not found`) : json(200, inVault(vault, item))
  })

  function listVaults({ query }: Ask, scope: readonly string[]): StoreAnswer | null {
    if (!hasAtLeast(query, [], ["filter"])) return null
    const isWanted = filtered(query, "name", "title")
    if (isWanted === null) return refused(400, "Invalid filter")
    const named = [...vaults.values()].filter((vault) => scope.includes(vault.id) && isWanted(vault.name))
    return json(200, named.map(summaryOf))
  }

  function listItems({ query }: Ask, vault: ConnectVault): StoreAnswer | null {
    if (!hasAtLeast(query, [], ["filter"])) return null
    const isWanted = filtered(query, "title")
    if (isWanted === null) return refused(400, "Invalid filter")
    const titled = vault.items.filter((item) => isWanted(item.title))
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

const summaryOf = ({ id, name, items }: ConnectVault) => ({ id, name, items: items.length, type: "USER_CREATED" })

const inVault = ({ id }: ConnectVault, item: ConnectItem) => ({ ...item, vault: { id }, category: "LOGIN", version: 1 })

/**
 * What the one filter that Connect takes lets through: an attribute, `eq`, a text in quotes. Everything without a filter;
 * null for another filter. SCIM compares without regard to case: whoever cares must look at what comes.
 */
function filtered(query: URLSearchParams, ...attributes: readonly string[]): ((name: string) => boolean) | null {
  const filter = query.get("filter")
  if (filter === null) return () => true
  const text = new RegExp(`^(?:${attributes.join("|")}) eq "([^"\\\\]*)"$`).exec(filter)?.[1]
  return text === undefined ? null : (name) => name.toLowerCase() === text.toLowerCase()
}

const refused = (status: number, message: string) => json(status, { status, message })
