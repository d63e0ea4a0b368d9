import { FOREIGN_TEXT, type Reply } from "../../case.ts"
import { askingBy } from "../../case-store.ts"
import { answer, CLIENT, TENANT, TYPE } from "../recorded.ts"

// The parts that the stories of Key Vault share.

export const connection = { tenant: TENANT, client_id: CLIENT, vault: "acme-prod" }
export const asking = askingBy({ connection })
export const request = asking("shop-db")

/** Entra's answer. */
export const loggedIn = answer

export const VAULT = "https://acme-prod.vault.azure.net"
export const VERSION = "4387e9f3d6e14c459867679a90fd0f79"
/** In seconds: an hour before the stories' time, and an hour after it. */
export const PAST = Date.UTC(2026, 10, 22, 11) / 1000
export const FUTURE = Date.UTC(2026, 10, 22, 13) / 1000

const json = (status: number, body: unknown): Reply => ({ status, headers: TYPE, body: JSON.stringify(body) })

export const found = (change: object = {}, attributes: object = {}): Reply =>
  json(200, {
    value: "the password",
    id: `${VAULT}/secrets/shop-db/${VERSION}`,
    attributes: { enabled: true, created: PAST, updated: PAST, recoveryLevel: "Recoverable", ...attributes },
    contentType: FOREIGN_TEXT,
    tags: { [FOREIGN_TEXT]: FOREIGN_TEXT },
    ...change,
  })

/** A refusal in Key Vault's form. */
export const refused = (status: number, code: string, inner?: string): Reply =>
  json(status, {
    error: { code, message: FOREIGN_TEXT, ...(inner === undefined ? {} : { innererror: { code: inner } }) },
  })
