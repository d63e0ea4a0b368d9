// The answers of a Connect server for cases.ts. Tests only: never in a bundle.
import { FOREIGN_TEXT, type Reply } from "../case.ts"
import { askingBy } from "../case-store.ts"

export const VAULT_ID = "vault".padEnd(26, "1")
export const ITEM_ID = "item".padEnd(26, "2")
export const OTHER_ID = "other".padEnd(26, "3")
export const FILE_ID = "file".padEnd(26, "4")

const connection = { url: "https://connect.example.com", token: "env:OP_CONNECT_TOKEN" }
const secrets = { OP_CONNECT_TOKEN: "canary-of-the-connect-token" }
export const PASSWORD = "op://Shop Production/Database/password"
export const asking = askingBy({ connection, secrets })
export const request = asking(PASSWORD)

export const json = (body: unknown, status = 200): Reply => ({ status, body: JSON.stringify(body) })
export const vault = (change: object = {}) => ({ id: VAULT_ID, name: "Shop Production", ...change })
export const listed = (change: object = {}) => ({
  id: ITEM_ID,
  title: "Database",
  vault: { id: VAULT_ID },
  category: "DATABASE",
  ...change,
})
export const field = (id: string, change: object = {}) => ({
  id,
  type: "CONCEALED",
  label: id,
  value: `the ${id}`,
  ...change,
})
export const admin = { section: { id: "s1" } }
const FIELDS = [
  field("username", { type: "STRING", value: "shop" }),
  field("password"),
  field("f1", { label: "token", ...admin, value: "admin's token" }),
  field("f2", { label: "token", section: { id: "s2" }, value: "reader's token" }),
  field("f3", { label: "host", type: "URL", ...admin, value: "db.example.com" }),
  field("f4", { label: "one-time password", type: "OTP", value: `otpauth://${FOREIGN_TEXT}` }),
  field("f8", { label: "code by the API document", type: "TOTP", value: `otpauth://${FOREIGN_TEXT}` }),
  field("f9", { label: "code by its member", type: "CONCEALED", value: `otpauth://${FOREIGN_TEXT}`, totp: "135790" }),
  field("f10", { label: "password", section: { id: "add more" }, value: "the unlabelled section's" }),
  field("f11", { label: "only there", section: { id: "add more" } }),
  field("f6", { label: "pin", section: { id: "s3" } }),
  field("f7", { label: "pin", section: { id: "s3" } }),
  field("f5", { label: "empty", value: undefined }),
]
export const item = (change: object = {}) => ({
  ...listed(),
  version: 5,
  sections: [
    { id: "s1", label: "Admin" },
    { id: "s2", label: "Reader" },
    { id: "s3", label: "Twins" },
    // 1Password's name for the section that a new item has, which no label shows.
    { id: "add more" },
  ],
  fields: FIELDS,
  files: [{ id: FILE_ID, name: "ca.pem", size: 1200 }],
  ...change,
})
export const refused = (status: number): Reply => json({ status, message: FOREIGN_TEXT }, status)

export const found = [json([vault()]), json([listed()])] as const
export const answered = [...found, json(item())]

export const value = (text: string) => ({ secret: true, value: text })

export const API = "https://connect.example.com/v1"
export const headers = { authorization: "Bearer canary-of-the-connect-token", accept: "application/json" }
export const VAULTS_CALL = { method: "GET", url: `${API}/vaults?filter=name%20eq%20%22Shop%20Production%22`, headers }
export const ITEMS_CALL = {
  method: "GET",
  url: `${API}/vaults/${VAULT_ID}/items?filter=title%20eq%20%22Database%22`,
  headers,
}
export const ITEM_CALL = { method: "GET", url: `${API}/vaults/${VAULT_ID}/items/${ITEM_ID}`, headers }
