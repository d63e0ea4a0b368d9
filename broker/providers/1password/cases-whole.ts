import type { ProviderCase } from "../case.ts"
import { minted, refusing } from "../case-store.ts"
import { wholeStories } from "../case-whole.ts"
import {
  admin,
  answered,
  field,
  found,
  ITEM_CALL,
  ITEMS_CALL,
  item,
  json,
  listed,
  refused,
  request,
  VAULTS_CALL,
} from "./recorded.ts"

const ITEM = "op://Shop Production/Database"
const all = { ...request, grant: { read_all: { from: ITEM, prefix: "DB_" } } }
const got = (name: string, text: string) => ({ [name]: { secret: true, env: name, value: text } })
/** Stories of an item that is read as a whole. */
export const wholeCases: readonly ProviderCase[] = [
  ...wholeStories({
    way: request,
    from: ITEM,
    before: found,
    found: (texts) => json(item({ fields: Object.entries(texts).map(([id, text]) => field(id, { value: text })) })),
    calls: [VAULTS_CALL, ITEMS_CALL, ITEM_CALL],
    denied: refused(403),
    missing: refused(404),
  }),
  {
    name: "reads all fields of an item, below the labels of their sections, but no one-time password, file or empty field",
    ...all,
    replies: [
      ...found,
      json(
        item({
          fields: [
            field("username", { type: "STRING" }),
            field("f1", { label: "token", ...admin }),
            field("f2", { label: "token", section: { id: "s2" } }),
            field("f11", { label: "only there", section: { id: "add more" } }),
            field("f4", { label: "one-time password", type: "OTP" }),
            field("f9", { label: "code", totp: "135790" }),
            field("f5", { label: "empty", value: undefined }),
          ],
        }),
      ),
    ],
    expect: {
      ...minted(),
      values: {
        ...got("DB_USERNAME", "the username"),
        ...got("DB_ADMIN_TOKEN", "the f1"),
        ...got("DB_READER_TOKEN", "the f2"),
        ...got("DB_ONLY_THERE", "the f11"),
      },
    },
  },
  ...refusing(all)(
    ["two fields of one label", answered, "secret_unusable", "a second field for DB_"],
    ["an archived item as a whole", [found[0], json([listed({ state: "ARCHIVED" })])], "secret_unusable", "archived"],
    [
      "fields without labels",
      [...found, json(item({ fields: [field("f1", { label: "" })] }))],
      "secret_unusable",
      "rename",
    ],
  ),
]
