import type { ProviderCase } from "../case.ts"
import { EXPORTED, MAC_ONLY_ENCRYPTED, OTHER_AGE_KEY, TABBED } from "./recorded.ts"
import { damaged, MAC_WRONG, minted, shopWith, story } from "./story.ts"

const wholeOf = (from: string, change: object = {}) => ({
  ...story,
  grant: { read_all: { from, prefix: "SHOP_", ...change } },
})
/** Stories of a file, or of what is below a key, that is read as a whole. */
export const wholeCases: readonly ProviderCase[] = [
  {
    ...wholeOf("shop.sops.yaml#hosts"),
    name: "opens all values below a key, with list items by their numbers",
    expect: minted({
      SHOP_0: { secret: true, env: "SHOP_0", value: "first" },
      SHOP_1_NAME: { secret: true, env: "SHOP_1_NAME", value: "second" },
    }),
  },
  {
    ...wholeOf("tabbed.sops.yaml"),
    name: "opens all values of a file, of which those that are not encrypted stay secret unless their rule says otherwise",
    files: { "tabbed.sops.yaml": TABBED },
    expect: minted({
      SHOP_KIND: { secret: true, env: "SHOP_KIND", value: "Secret" },
      SHOP_STRING_DATA_TOKEN: { secret: true, env: "SHOP_STRING_DATA_TOKEN", value: "abc" },
      SHOP_NOTES: { secret: true, env: "SHOP_NOTES", value: "all:\n\tmake\n" },
    }),
  },
  {
    ...wholeOf("shop.sops.yaml#database", { allow_empty: true }),
    name: "refuses all values below a key when one of them is null, and names its key",
    expect: damaged("shop.sops.yaml#database, key database/nothing, is null"),
  },
  {
    ...wholeOf("shop.sops.yaml#data"),
    name: "refuses a key that others only begin with",
    expect: { code: "secret_not_found", detailHolds: "shop.sops.yaml#data has no values" },
  },
  {
    ...wholeOf("shop.sops.yaml#database/password"),
    name: "refuses a single value as a whole",
    expect: { code: "secret_not_found", detailHolds: "has no values" },
  },
  {
    ...wholeOf("exported.sops.env"),
    name: "refuses a file in which no locator can name a key",
    files: { "exported.sops.env": EXPORTED },
    expect: damaged("has a key with other characters"),
  },
  {
    ...wholeOf("mac-only.sops.yaml"),
    name: "refuses a file of which one value is not covered by the MAC",
    files: { "mac-only.sops.yaml": MAC_ONLY_ENCRYPTED },
    expect: damaged("mac-only.sops.yaml, key user, is not encrypted"),
  },
  {
    ...wholeOf("shop.sops.yaml#hosts"),
    name: "opens nothing below a key when anything in the file was changed",
    files: shopWith("eu-west-1", "eu-west-2"),
    expect: MAC_WRONG,
  },
  {
    ...wholeOf("shop.sops.yaml#hosts"),
    name: "opens nothing below a key with another key",
    secrets: { SOPS_AGE_KEY: OTHER_AGE_KEY },
    expect: { code: "provider_denied", detailHolds: "file of shop.sops.yaml#hosts" },
  },
]
