import type { ProviderCase, Reply } from "../case.ts"
import { handingOutNothing, minted, refusing, storeFailures } from "../case-store.ts"
import { wholeCases } from "./cases-whole.ts"
import {
  API,
  admin,
  answered,
  asking,
  FILE_ID,
  field,
  found,
  headers,
  ITEM_CALL,
  ITEM_ID,
  ITEMS_CALL,
  item,
  json,
  listed,
  OTHER_ID,
  PASSWORD,
  refused,
  request,
  VAULT_ID,
  VAULTS_CALL,
  value,
  vault,
} from "./recorded.ts"

const refusals = refusing(request)(
  ["a token that Connect does not know", [refused(401)], "provider_denied", "Make a new one"],
  ["a vault out of the token's reach", [found[0], refused(403)], "provider_denied", `vault of ${PASSWORD}`],
  ["a request that Connect does not take", [refused(400)], "provider_denied", "log"],
  ["a vault that is not there", [json([])], "secret_not_found", "a vault that does not exist"],
  [
    "a vault whose case differs",
    [json([vault({ name: "SHOP production" })])],
    "secret_not_found",
    "exactly this spelling",
  ],
  ["vaults of one name", [json([vault(), vault({ id: OTHER_ID })])], "secret_unusable", "write id: and the"],
  ["an item that is not there", [found[0], json([])], "secret_not_found", "an item that is not in the vault"],
  [
    "items of one title",
    [found[0], json([listed(), listed({ id: OTHER_ID })])],
    "secret_unusable",
    "write id: and the",
  ],
  ["an archived item", [found[0], json([listed({ state: "ARCHIVED" })])], "secret_unusable", "archived or deleted"],
  ["an item deleted meanwhile", [...found, json(item({ state: "DELETED" }))], "secret_unusable", "archived"],
  ["an item that went away meanwhile", [...found, refused(404)], "secret_not_found", "does not exist"],
  ["an item without the field", [...found, json(item({ fields: [] }))], "secret_not_found", "field"],
  ["an item without any fields", [...found, json(item({ fields: null }))], "secret_not_found", "field"],
)

const fields: readonly ProviderCase[] = (
  [
    ["a label in several sections", "token", "secret_unusable", "name its section"],
    ["a label in one section, where the reference names none", "host", "secret_unusable", "name its section"],
    ["an id in a section, where the reference names none", "id:f3", "secret_unusable", "name its section"],
    ["a label in a section without a label", "only there", "secret_unusable", "such as id:add more"],
    ["a label of which a section has several", "Twins/pin", "secret_unusable", "write id: and the"],
    ["a name that is some field's id", "f5", "secret_not_found", "does not have there"],
    ["a name that is some field's id, and says what to write", "f5", "secret_not_found", "write id: before it"],
    ["a name that is some section's id", "s1/token", "secret_not_found", "write id: before it, as in id:s1"],
    ["a copied reference", "add more/password", "secret_not_found", "write id: before it, as in id:add more"],
    ["a field that a section named by its id lacks", "id:add more/host", "secret_not_found", "does not have there"],
    ["an id that is some field's label", "id:empty", "secret_not_found", "does not have there"],
    ["a label in a section that is not there", "Nobody/token", "secret_not_found", "does not have there"],
    ["a one-time password", "one-time password", "secret_unusable", "one-time password"],
    ["a one-time password of type TOTP", "code by the API document", "secret_unusable", "one-time password"],
    ["a one-time password of any type", "code by its member", "secret_unusable", "one-time password"],
    ["an attached file by its id", `id:${FILE_ID}`, "secret_unusable", "a file that is attached"],
    ["an attached file", "ca.pem", "secret_unusable", "a file that is attached"],
    ["an empty field", "empty", "secret_unusable", "allow_empty"],
    ["a label whose case differs", "Password", "secret_not_found", "exactly this spelling"],
  ] as const
).map(([what, field, code, detailHolds]) => ({
  name: `refuses ${what}`,
  ...asking(`op://Shop Production/Database/${field}`),
  replies: answered,
  expect: { code, detailHolds },
}))

const spoiled = handingOutNothing(request)(
  ["a vault without an id", [json([vault({ id: undefined })])]],
  ["a vault whose id leads elsewhere", [json([vault({ id: "../../heartbeat" })])]],
  ["items of another vault", [found[0], json([listed({ vault: { id: OTHER_ID } })])]],
  ["another item", [...found, json(item({ id: OTHER_ID }))]],
  ["an item of another vault", [...found, json(item({ vault: { id: OTHER_ID } }))]],
  ["a field that is no text", [...found, json(item({ fields: [field("password", { value: 7 })] }))]],
)

const failures = storeFailures({
  asking,
  locator: PASSWORD,
  before: found,
  found: (text) => json(item({ fields: [field("password", { value: text })] })),
  picksFields: false,
  throttled: refused(429),
  failing: [["a failure", refused(500)]],
})

/** Stories of a Connect server: found by name and by id, refused, ambiguous, spoiled, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "finds the vault and the item by their names, and reads the item once for all its fields",
    ...asking(
      PASSWORD,
      "op://Shop Production/Database/username",
      "op://Shop Production/Database/Admin/token",
      "op://Shop Production/Database/id:s2/id:f2",
      "op://Shop Production/Database/Admin/host",
      "op://Shop Production/Database/id:add more/password",
    ),
    replies: answered,
    calls: [VAULTS_CALL, ITEMS_CALL, ITEM_CALL],
    expect: minted(
      "the password",
      "shop",
      "admin's token",
      "reader's token",
      "db.example.com",
      "the unlabelled section's",
    ),
  },
  {
    name: "takes what stands behind id: for an id, and looks for no name",
    ...asking(`op://id:${VAULT_ID}/id:${ITEM_ID}/id:password`),
    replies: [json(item())],
    calls: [ITEM_CALL],
    expect: minted("the password"),
  },
  {
    name: "takes a text of an id's form for a name, whosever id it is",
    ...asking(`op://Shop Production/${ITEM_ID}/password`),
    replies: [json([vault()]), json([listed({ id: OTHER_ID, title: ITEM_ID })]), json(item({ id: OTHER_ID }))],
    calls: [
      VAULTS_CALL,
      { method: "GET", url: `${API}/vaults/${VAULT_ID}/items?filter=title%20eq%20%22${ITEM_ID}%22`, headers },
    ],
    expect: minted("the password"),
  },
  {
    name: "says of a bare id that has no item of that name what to write",
    ...asking(`op://Shop Production/${ITEM_ID}/password`),
    replies: [json([vault()]), json([])],
    expect: { code: "secret_not_found", detailHolds: "write id: before it" },
  },
  {
    name: "says of a bare id that has no vault of that name what to write",
    ...asking(`op://${VAULT_ID}/Database/password`),
    replies: [json([])],
    expect: { code: "secret_not_found", detailHolds: "write id: before it" },
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
    name: "reads a server that says null where there is nothing",
    ...request,
    replies: [
      ...found,
      json(item({ sections: null, files: null, fields: [field("password", { section: null, totp: null })] })),
    ],
    expect: minted("the password"),
  },
  {
    name: "passes over an archived item when another of its title is in use",
    ...request,
    replies: [found[0] as Reply, json([listed({ id: OTHER_ID, state: "ARCHIVED" }), listed()]), json(item())],
    expect: minted("the password"),
  },
  {
    name: "reads the field in no section where the reference names none, whatever the sections have",
    ...request,
    replies: [...found, json(item({ fields: [field("f9", { label: "password", ...admin }), field("password")] }))],
    expect: minted("the password"),
  },
  {
    name: "refuses an id that is out of the token's reach",
    ...asking(`op://id:${VAULT_ID}/id:${ITEM_ID}/password`),
    replies: [refused(404)],
    expect: { code: "secret_not_found", detailHolds: "that the token may not read" },
  },
  ...refusals,
  ...fields,
  ...spoiled,
  ...failures,
  ...wholeCases,
  {
    name: "asks nobody without its token",
    ...request,
    secrets: {},
    replies: [],
    expect: { code: "configuration_invalid" },
  },
]
