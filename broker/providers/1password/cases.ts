import { FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import { askingBy, minted } from "../case-store.ts"

const VAULT_ID = "vault".padEnd(26, "1")
const ITEM_ID = "item".padEnd(26, "2")
const OTHER_ID = "other".padEnd(26, "3")

const connection = { url: "https://connect.example.com", token: "env:OP_CONNECT_TOKEN" }
const secrets = { OP_CONNECT_TOKEN: "canary-of-the-connect-token" }
const PASSWORD = "op://Shop Production/Database/password"
const asking = askingBy({ connection, secrets })
const request = asking(PASSWORD)

const json = (body: unknown, status = 200): Reply => ({ status, body: JSON.stringify(body) })
const vault = (change: object = {}) => ({ id: VAULT_ID, name: "Shop Production", ...change })
const listed = (change: object = {}) => ({
  id: ITEM_ID,
  title: "Database",
  vault: { id: VAULT_ID },
  category: "DATABASE",
  ...change,
})
const field = (id: string, change: object = {}) => ({ id, type: "CONCEALED", label: id, value: `the ${id}`, ...change })
const admin = { section: { id: "s1" } }
const FIELDS = [
  field("username", { type: "STRING", value: "shop" }),
  field("password"),
  field("f1", { label: "token", ...admin, value: "admin's token" }),
  field("f2", { label: "token", section: { id: "s2" }, value: "reader's token" }),
  field("f3", { label: "host", type: "URL", ...admin, value: "db.example.com" }),
  field("f4", { label: "one-time password", type: "OTP", value: `otpauth://${FOREIGN_TEXT}` }),
  field("f5", { label: "empty", value: undefined }),
]
const item = (change: object = {}) => ({
  ...listed(),
  sections: [
    { id: "s1", label: "Admin" },
    { id: "s2", label: "Reader" },
  ],
  fields: FIELDS,
  files: [{ id: "file".padEnd(26, "4"), name: "ca.pem", size: 1200 }],
  ...change,
})
const refused = (status: number): Reply => json({ status, message: FOREIGN_TEXT }, status)

const found = [json([vault()]), json([listed()])]
const answered = [...found, json(item())]

const value = (text: string) => ({ secret: true, value: text })
const URL = "https://connect.example.com/v1"
const headers = { authorization: "Bearer canary-of-the-connect-token", accept: "application/json" }
const VAULTS_CALL = { method: "GET", url: `${URL}/vaults?filter=name%20eq%20%22Shop%20Production%22`, headers }
const ITEMS_CALL = { method: "GET", url: `${URL}/vaults/${VAULT_ID}/items?filter=title%20eq%20%22Database%22`, headers }
const ITEM_CALL = { method: "GET", url: `${URL}/vaults/${VAULT_ID}/items/${ITEM_ID}`, headers }

const refusals: readonly ProviderCase[] = (
  [
    ["a token that Connect does not know", [refused(401)], "provider_denied", "Make a new one"],
    ["a vault out of the token's reach", [found[0], refused(403)], "provider_denied", `vault of ${PASSWORD}`],
    ["a request that Connect does not take", [refused(400)], "provider_denied", "log"],
    ["a vault that is not there", [json([])], "secret_not_found", "a vault that is not there"],
    ["a vault whose case differs", [json([vault({ name: "SHOP production" })])], "secret_not_found", "to the letter"],
    ["vaults of one name", [json([vault(), vault({ id: OTHER_ID })])], "secret_unusable", "by its id"],
    ["an item that is not there", [found[0], json([])], "secret_not_found", "an item that is not in the vault"],
    ["items of one title", [found[0], json([listed(), listed({ id: OTHER_ID })])], "secret_unusable", "by its id"],
    ["an archived item", [found[0], json([listed({ state: "ARCHIVED" })])], "secret_unusable", "archived or deleted"],
    ["an item deleted meanwhile", [...found, json(item({ state: "DELETED" }))], "secret_unusable", "archived"],
    ["an item that went away meanwhile", [...found, refused(404)], "secret_not_found", "is not there"],
    ["an item without the field", [...found, json(item({ fields: [] }))], "secret_not_found", "field"],
    [
      "a value that no variable carries",
      [...found, json(item({ fields: [field("password", { value: `${FOREIGN_TEXT}\0` })] }))],
      "secret_unusable",
      "as: file",
    ],
    [
      "a value that is too large",
      [...found, json(item({ fields: [field("password", { value: FOREIGN_TEXT.repeat(4_000) })] }))],
      "secret_unusable",
      "64 KiB",
    ],
  ] as const
).map(([what, replies, code, detailHolds]) => ({
  name: `refuses ${what}, and says what to change`,
  ...request,
  replies: replies as readonly Reply[],
  expect: { code, detailHolds },
}))

const fields: readonly ProviderCase[] = (
  [
    ["a label in several sections", "token", "secret_unusable", "name its section"],
    ["a label in a section that is not there", "Nobody/token", "secret_not_found", "has not there"],
    ["a one-time password", "one-time password", "secret_unusable", "one-time password"],
    ["an attached file", "ca.pem", "secret_unusable", "a file that is attached"],
    ["an empty field", "empty", "secret_unusable", "allow_empty"],
    ["a label whose case differs", "Password", "secret_not_found", "to the letter"],
  ] as const
).map(([what, field, code, detailHolds]) => ({
  name: `refuses ${what}`,
  ...asking(`op://Shop Production/Database/${field}`),
  replies: answered,
  expect: { code, detailHolds },
}))

const spoiled: readonly ProviderCase[] = (
  [
    ["garbage for vaults", [{ status: 200, body: `<p>${FOREIGN_TEXT}` }]],
    ["a vault without an id", [json([vault({ id: undefined })])]],
    ["a vault whose id leads elsewhere", [json([vault({ id: "../../heartbeat" })])]],
    ["items of another vault", [found[0], json([listed({ vault: { id: OTHER_ID } })])]],
    ["another item", [...found, json(item({ id: OTHER_ID }))]],
    ["an item of another vault", [...found, json(item({ vault: { id: OTHER_ID } }))]],
    ["a field that is no text", [...found, json(item({ fields: [field("password", { value: 7 })] }))]],
    ["an oversized answer", [{ failure: "too-large" }]],
    ["a redirect", [{ failure: "redirect" }]],
  ] as const
).map(([what, replies]) => ({
  name: `hands out nothing of ${what}`,
  ...request,
  replies: replies as readonly Reply[],
  expect: { code: "provider_response_invalid" },
}))

const passing: readonly ProviderCase[] = (
  [
    ["throttling", { status: 429, headers: { "retry-after": "1" }, body: FOREIGN_TEXT }],
    ["a server error", refused(500)],
    ["a slow answer", { failure: "timeout" }],
    ["a broken connection", { failure: "unreachable" }],
  ] as const
).map(([what, reply]) => ({
  name: `asks again after ${what}`,
  ...request,
  replies: [reply, ...answered],
  expect: minted("the password"),
}))

/** Stories of a Connect server: found by name and by id, refused, ambiguous, spoiled, and passing failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "finds the vault and the item by their names, and reads the item once for all its fields",
    ...asking(
      PASSWORD,
      "op://Shop Production/Database/username",
      "op://Shop Production/Database/Admin/token",
      "op://Shop Production/Database/s2/f2",
      "op://Shop Production/Database/host",
    ),
    replies: answered,
    calls: [VAULTS_CALL, ITEMS_CALL, ITEM_CALL],
    expect: minted("the password", "shop", "admin's token", "reader's token", "db.example.com"),
  },
  {
    name: "takes a text of an id's form for an id, and looks for no name",
    ...asking(`op://${VAULT_ID}/${ITEM_ID}/password`),
    replies: [json(item())],
    calls: [ITEM_CALL],
    expect: minted("the password"),
  },
  {
    name: "hands over a file, and a field that may be empty",
    ...request,
    grant: {
      read: {
        KEY_FILE: { from: PASSWORD, as: "file", mode: "0400" },
        EMPTY: { from: "op://Shop Production/Database/empty", allow_empty: true },
      },
    },
    replies: answered,
    expect: {
      ...minted(),
      values: {
        KEY_FILE: { ...value("the password"), env: "KEY_FILE", file: { mode: "0400" } },
        EMPTY: { ...value(""), env: "EMPTY" },
      },
    },
  },
  {
    name: "passes over an archived item when another of its title is in use",
    ...request,
    replies: [found[0] as Reply, json([listed({ id: OTHER_ID, state: "ARCHIVED" }), listed()]), json(item())],
    expect: minted("the password"),
  },
  {
    name: "prefers a field in no section where the reference names none",
    ...request,
    replies: [...found, json(item({ fields: [field("f9", { label: "password", ...admin }), field("password")] }))],
    expect: minted("the password"),
  },
  {
    name: "refuses an id that is out of the token's reach",
    ...asking(`op://${VAULT_ID}/${ITEM_ID}/password`),
    replies: [refused(404)],
    expect: { code: "secret_not_found", detailHolds: "that the token may not read" },
  },
  ...refusals,
  ...fields,
  ...spoiled,
  ...passing,
  {
    name: "gives up on throttling that does not pass",
    ...request,
    replies: Array.from({ length: 5 }, () => refused(429)),
    expect: { code: "provider_throttled" },
  },
  {
    name: "asks nobody without its token",
    ...request,
    secrets: {},
    replies: [],
    expect: { code: "configuration_invalid" },
  },
]
