import { FOREIGN_TEXT, type ProviderCase } from "../../case.ts"
import { minted } from "../../case-store.ts"
import { wholeStories } from "../../case-whole.ts"
import { CLIENT, refused as refusedByEntra, TENANT, TOKEN } from "../recorded.ts"
import { failures } from "./cases-failures.ts"
import { asking, connection, FUTURE, found, loggedIn, PAST, refused, request, VAULT, VERSION } from "./recorded.ts"

const OLD = "0123456789abcdef0123456789abcdef"
const KEYS = { id: `${VAULT}/secrets/shop-keys/${VERSION}`, value: '{"old":"k1","n":20261}' }

const loginCall = (scope: string, authority = "https://login.microsoftonline.com") => ({
  method: "POST",
  url: `${authority}/${TENANT}/oauth2/v2.0/token`,
  bodyHolds: [`client_id=${CLIENT}`, `scope=${encodeURIComponent(scope)}`, "client_assertion=header.canary"],
})
const getCall = (path: string, vault = VAULT) => ({
  method: "GET",
  url: `${vault}/secrets/${path}?api-version=2025-07-01`,
  headers: { authorization: `Bearer ${TOKEN}` },
})
const PUBLIC = "https://vault.azure.net/.default"

const whole = wholeStories({
  way: { connection },
  from: "shop-db",
  before: [loggedIn()],
  found: (values) => found({ value: JSON.stringify(values) }),
  calls: [loginCall(PUBLIC), getCall("shop-db")],
  denied: refused(403, "Forbidden"),
  missing: refused(404, "SecretNotFound"),
})

/** Stories of Key Vault: secrets read one by one, refused, expired, spoiled, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "logs in once as its client, and reads each version once, whatever fields of it are wanted",
    ...asking("shop-db", `shop-db@${OLD}`, "shop-keys#old", "shop-keys#n"),
    replies: [loggedIn(), found(), found({ value: "the old one", id: `${VAULT}/secrets/shop-db/${OLD}` }), found(KEYS)],
    calls: [loginCall(PUBLIC), getCall("shop-db"), getCall(`shop-db/${OLD}`), getCall("shop-keys")],
    expect: minted("the password", "the old one", "k1", "20261"),
  },
  {
    name: "takes a secret between its dates, and an id in whatever case it was made",
    ...request,
    replies: [
      loggedIn(),
      found({ id: `https://Acme-Prod.vault.azure.net/secrets/Shop-DB/${VERSION}` }, { nbf: PAST, exp: FUTURE }),
    ],
    expect: minted("the password"),
  },
  {
    name: "hands over a certificate as the text that Key Vault has of it",
    connection,
    grant: { read: { CERTIFICATE: { from: "shop-tls", as: "file", mode: "0400" } } },
    ttlSeconds: 900,
    replies: [
      loggedIn(),
      found({
        value: "MIIKAgEDMIIJ",
        id: `${VAULT}/secrets/shop-tls/${VERSION}`,
        kid: `${VAULT}/keys/shop-tls/${VERSION}`,
        managed: true,
        contentType: "application/x-pkcs12",
      }),
    ],
    expect: {
      ...minted(),
      values: { CERTIFICATE: { secret: true, env: "CERTIFICATE", file: { mode: "0400" }, value: "MIIKAgEDMIIJ" } },
    },
  },
  {
    name: "asks a sovereign cloud's Entra for its own vaults",
    ...request,
    connection: {
      tenant: TENANT,
      client_id: CLIENT,
      url: "https://acme-prod.vault.usgovcloudapi.net",
      authority: "https://login.microsoftonline.us",
      audience: "api://AzureADTokenExchangeUSGov",
    },
    replies: [loggedIn(), found({ id: `https://acme-prod.vault.usgovcloudapi.net/secrets/shop-db/${VERSION}` })],
    calls: [
      loginCall("https://vault.usgovcloudapi.net/.default", "https://login.microsoftonline.us"),
      getCall("shop-db", "https://acme-prod.vault.usgovcloudapi.net"),
    ],
    expect: minted("the password"),
  },
  {
    name: "takes a host that only looks like a sovereign cloud's for the public cloud's",
    ...request,
    connection: { tenant: TENANT, client_id: CLIENT, url: "https://evilvault.azure.cn" },
    replies: [loggedIn(), found({ id: `https://evilvault.azure.cn:443/secrets/shop-db/${VERSION}` })],
    calls: [loginCall(PUBLIC), getCall("shop-db", "https://evilvault.azure.cn")],
    expect: minted("the password"),
  },
  {
    name: "hands out nothing when one of several is refused",
    ...asking("shop-db", "shop-host"),
    replies: [loggedIn(), found(), refused(404, "SecretNotFound")],
    expect: { code: "secret_not_found", detailHolds: "shop-host names" },
  },
  {
    name: "hands out nothing of another version than the one that was asked for",
    ...asking(`shop-db@${OLD}`),
    replies: [loggedIn(), found({ value: FOREIGN_TEXT })],
    expect: { code: "provider_response_invalid", detailHolds: "another version" },
  },
  {
    name: "takes a refusal of Entra's for one, and asks for no secret",
    ...request,
    replies: [refusedByEntra(700213, 401)],
    expect: { code: "provider_denied", detailHolds: "AADSTS700213" },
  },
  {
    name: "hands out nothing when Entra gives no token",
    ...request,
    replies: [loggedIn({ access_token: undefined })],
    expect: { code: "provider_response_invalid" },
  },
  ...failures,
  ...whole,
]
