import { FOREIGN_TEXT, type ProviderCase } from "../case.ts"
import { wholeCases } from "./cases-whole.ts"
import { AGE_KEY, EXPORTED, MAC_ONLY_ENCRYPTED, OTHER_AGE_KEY, SHOP, TABBED } from "./recorded.ts"
import { damaged, MAC_WRONG, minted, PASSWORD, shopWith, story, VALUE_DAMAGED } from "./story.ts"

const lineOf = (key: string) => new RegExp(`^ *(?:- )?${key}: .*\n`, "m").exec(SHOP)?.[0] ?? ""
const sealedIn = (key: string) => /ENC\[.*\]/.exec(lineOf(key))?.[0] ?? ""

export const cases: readonly ProviderCase[] = [
  ...wholeCases,
  {
    ...story,
    name: "opens values of every type, as files where the grant says so, and what is not encrypted stays public",
    grant: {
      read: {
        DB_PASSWORD: "shop.sops.yaml#database/password",
        DB_PASSWORD_FILE: { from: "shop.sops.yaml#database/password", as: "file" },
        DB_PORT: "shop.sops.yaml#database/port",
        DB_TLS: "shop.sops.yaml#database/tls",
        DB_COMMENT: { from: "shop.sops.yaml#database/comment", allow_empty: true },
        FIRST_HOST: "shop.sops.yaml#hosts/0",
        SECOND_HOST: "shop.sops.yaml#hosts/1/name",
        REGION: "shop.sops.yaml#region_unencrypted",
      },
    },
    expect: minted({
      ...PASSWORD,
      DB_PASSWORD_FILE: {
        secret: true,
        env: "DB_PASSWORD_FILE",
        file: { mode: "0600" },
        value: "canary-of-the-password",
      },
      DB_PORT: { secret: true, env: "DB_PORT", value: "5432" },
      DB_TLS: { secret: true, env: "DB_TLS", value: "true" },
      DB_COMMENT: { secret: true, env: "DB_COMMENT", value: "" },
      FIRST_HOST: { secret: true, env: "FIRST_HOST", value: "first" },
      SECOND_HOST: { secret: true, env: "SECOND_HOST", value: "second" },
      REGION: { secret: false, env: "REGION", value: "eu-west-1" },
    }),
  },
  {
    ...story,
    name: "begins in the connection's folder",
    connection: { key: "env:SOPS_AGE_KEY", folder: "secrets/shop" },
    files: { "secrets/shop/shop.sops.yaml": SHOP },
    expect: minted(PASSWORD),
  },
  {
    ...story,
    name: "takes the one of several keys that the file is for",
    secrets: { SOPS_AGE_KEY: `# two keys\r\n${OTHER_AGE_KEY}\r\n\n  ${AGE_KEY}  ` },
    expect: minted(PASSWORD),
  },
  {
    ...story,
    name: "takes several keys on one line, as an environment file may have it",
    secrets: { SOPS_AGE_KEY: `${OTHER_AGE_KEY} ${AGE_KEY}` },
    expect: minted(PASSWORD),
  },
  {
    ...story,
    name: "refuses where no key of the connection's is one of the file's",
    secrets: { SOPS_AGE_KEY: OTHER_AGE_KEY },
    expect: { code: "provider_denied", detailHolds: "run sops updatekeys on the file" },
  },
  ...[
    ["is a comment alone", "# nothing\n", "contains no age key"],
    ["is no age key", FOREIGN_TEXT, "contains text that is not an age key"],
    ["is cut off", AGE_KEY.slice(0, -4), "contains text that is not an age key"],
    ["is misspelled", AGE_KEY.replace("K", "L"), "contains text that is not an age key"],
    [
      "is a public key",
      "age1naqm4dekmhcewkkakd6spc6f08wn7pew43syxvyv53x6930hretsfm0ed2",
      "contains text that is not an age key",
    ],
    ["is a post-quantum key that is cut off", AGE_KEY.replace("KEY-1", "KEY-PQ-1"), "text that is not an age key"],
    ["is endless", `${AGE_KEY}\n`.repeat(17), "has too many keys"],
  ].map(
    ([how, secret = "", detailHolds = ""]): ProviderCase => ({
      ...story,
      name: `says so when the connection's key ${how}`,
      secrets: { SOPS_AGE_KEY: secret },
      expect: { code: "configuration_invalid", detailHolds },
    }),
  ),
  {
    ...story,
    name: "says so when the operator holds no key",
    secrets: {},
    expect: { code: "configuration_invalid" },
  },
  ...(
    [
      [
        "is of another file",
        "other.sops.yaml#a",
        { code: "secret_not_found", detailHolds: "is not in the policy folder" },
      ],
      [
        "names no key of it",
        "shop.sops.yaml#database/pasword",
        { code: "secret_not_found", detailHolds: "names a key that does not exist" },
      ],
      ["goes on behind a value", "shop.sops.yaml#database/password/x", { code: "secret_not_found" }],
      ["names no item of a list", "shop.sops.yaml#hosts/2", { code: "secret_not_found" }],
      ["writes an item's number another way", "shop.sops.yaml#hosts/00", { code: "secret_not_found" }],
      ["names SOPS's own part", "shop.sops.yaml#sops/mac", { code: "secret_not_found" }],
      ["names a map", "shop.sops.yaml#database", { code: "secret_unusable", detailHolds: "names a map or a list" }],
      ["names a list", "shop.sops.yaml#hosts", { code: "secret_unusable", detailHolds: "names a map or a list" }],
      ["names null", "shop.sops.yaml#database/nothing", { code: "secret_unusable", detailHolds: "is null" }],
      ["names an empty text", "shop.sops.yaml#database/comment", { code: "secret_unusable", detailHolds: "is empty" }],
      [
        "names a text with a carriage return",
        "shop.sops.yaml#carriage",
        { code: "secret_unusable", detailHolds: "carriage return" },
      ],
    ] as const
  ).map(
    ([how, locator, expect]): ProviderCase => ({
      ...story,
      name: `gives nothing at all when one locator ${how}`,
      grant: { read: { DB_PASSWORD: "shop.sops.yaml#database/password", OTHER: locator } },
      expect,
    }),
  ),
  ...(
    [
      ["a ciphertext", shopWith("k4tjqf5", "l4tjqf5"), VALUE_DAMAGED],
      ["the name of a key", shopWith("    user:", "    uses:"), VALUE_DAMAGED],
      ["a value that nobody asked for", shopWith(sealedIn("port"), sealedIn("tls")), VALUE_DAMAGED],
      ["the type of a value", shopWith(/type:int/, "type:bool"), VALUE_DAMAGED],
      [
        "the order of keys",
        shopWith(lineOf("user") + lineOf("password"), lineOf("password") + lineOf("user")),
        MAC_WRONG,
      ],
      ["the number of entries", shopWith(lineOf("port"), ""), MAC_WRONG],
      ["a value in the clear", shopWith("eu-west-1", FOREIGN_TEXT), MAC_WRONG],
      ["the time of the last change", shopWith("04:00:50Z", "04:00:51Z"), MAC_WRONG],
      ["the MAC", shopWith("zeKlUJMZ", "zeKlUJMa"), MAC_WRONG],
      ["the MAC's scope", shopWith("    version:", "    mac_only_encrypted: true\n    version:"), MAC_WRONG],
      [
        "the file's key",
        shopWith("zyKyzw==", "zyKyzA=="),
        damaged("its data key for the connection cannot be decrypted"),
      ],
      ["the way a value is written", shopWith(sealedIn("port"), "5432"), damaged("check the policy folder")],
      [
        "the file to a plain one",
        { "shop.sops.yaml": `database: { password: ${FOREIGN_TEXT} }\n` },
        damaged("check the policy folder"),
      ],
    ] as const
  ).map(
    ([what, files, expect]): ProviderCase => ({
      ...story,
      name: `gives nothing when somebody changed ${what}`,
      files: files ?? {},
      expect,
    }),
  ),
  {
    ...story,
    name: "opens what is encrypted where the MAC is of that alone",
    files: { "shop.sops.yaml": MAC_ONLY_ENCRYPTED },
    grant: { read: { DB_PASSWORD: "shop.sops.yaml#password" } },
    expect: minted(PASSWORD),
  },
  {
    ...story,
    name: "names an exported line of a dotenv file without its export",
    files: { "shop.sops.env": EXPORTED },
    grant: { read: { FIRST: "shop.sops.env#H", LAST: "shop.sops.env#J" } },
    expect: minted({
      FIRST: { secret: true, env: "FIRST", value: "1" },
      LAST: { secret: true, env: "LAST", value: "3" },
    }),
  },
  {
    ...story,
    name: "opens a file that has a tab in the clear",
    files: { "shop.sops.yaml": TABBED },
    grant: { read: { TOKEN: "shop.sops.yaml#stringData/token", NOTES: "shop.sops.yaml#notes" } },
    expect: minted({
      TOKEN: { secret: true, env: "TOKEN", value: "abc" },
      NOTES: { secret: true, env: "NOTES", value: "all:\n\tmake\n" },
    }),
  },
  {
    ...story,
    name: "gives nothing that no MAC vouches for",
    files: { "shop.sops.yaml": MAC_ONLY_ENCRYPTED },
    grant: { read: { DB_USER: "shop.sops.yaml#user" } },
    expect: { code: "secret_unusable", detailHolds: "mac_only_encrypted" },
  },
]
