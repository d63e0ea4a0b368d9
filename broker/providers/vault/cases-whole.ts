import { FOREIGN_TEXT, type ProviderCase } from "../case.ts"
import { wholeStories } from "../case-whole.ts"
import { answer, connection, errors, exactly, LOGIN, loggedIn, URL, withToken } from "./recorded.ts"
import { kept, password, request, stays } from "./recorded-read.ts"

const ROLE = { role: "shop-deploy" }
/** Stories of a secret that is read with all its fields. */
export const wholeCases: readonly ProviderCase[] = [
  ...wholeStories({
    way: { connection },
    from: "secret/shop/stripe",
    grant: ROLE,
    before: [loggedIn()],
    found: kept,
    calls: [LOGIN, { method: "GET", url: `${URL}/v1/secret/data/shop/stripe`, headers: withToken }],
    denied: errors(403, "1 error occurred:\n\t* permission denied\n\n"),
    missing: exactly(404),
  }),
  {
    name: "with read_all reads a version of a secret beside single fields, with one login",
    ...request,
    grant: {
      ...ROLE,
      read: { DB_PASSWORD: "secret/shop/db#password" },
      read_all: { from: "secret/shop/stripe?version=6", prefix: "STRIPE_" },
    },
    replies: [loggedIn(), kept({ password: "correct horse" }), kept({ apiKey: "sk_1", port: 5432, live: true }, 6)],
    calls: [
      LOGIN,
      { method: "GET", url: `${URL}/v1/secret/data/shop/db` },
      { method: "GET", url: `${URL}/v1/secret/data/shop/stripe?version=6` },
    ],
    expect: {
      values: {
        ...password,
        STRIPE_API_KEY: { secret: true, env: "STRIPE_API_KEY", value: "sk_1" },
        STRIPE_PORT: { secret: true, env: "STRIPE_PORT", value: "5432" },
        STRIPE_LIVE: { secret: true, env: "STRIPE_LIVE", value: "true" },
      },
      ...stays,
    },
  },
  {
    name: "with read_all reads all fields of a secret in an engine of version 1",
    ...request,
    grant: { ...ROLE, read_all: { from: "legacy/shop", prefix: "SHOP_" } },
    replies: [loggedIn(), answer({ lease_duration: 2_764_800, data: { id: "7" } })],
    calls: [LOGIN, { method: "GET", url: `${URL}/v1/legacy/shop` }],
    expect: { values: { SHOP_ID: { secret: true, env: "SHOP_ID", value: "7" } }, ...stays },
  },
  {
    name: "with read_all hands out nothing of a secret with a map in it",
    ...request,
    grant: { ...ROLE, read_all: { from: "secret/shop/stripe", prefix: "STRIPE_" } },
    replies: [loggedIn(), kept({ id: "7", keys: { live: FOREIGN_TEXT } })],
    expect: { code: "secret_unusable", detailHolds: "secret/shop/stripe, for STRIPE_KEYS," },
  },
]
