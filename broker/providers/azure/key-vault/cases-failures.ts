import { FOREIGN_TEXT, type ProviderCase } from "../../case.ts"
import { handingOutNothing, refusing, storeFailures } from "../../case-store.ts"
import { CLIENT } from "../recorded.ts"
import { asking, FUTURE, found, loggedIn, PAST, refused, request, VAULT, VERSION } from "./recorded.ts"

const HTML = `<!doctype html><p>${FOREIGN_TEXT}`

const refusals = refusing(request, loggedIn())(
  [
    "a secret that it may not read by its roles",
    refused(403, "Forbidden", "ForbiddenByRbac"),
    "provider_denied",
    "Secrets User",
  ],
  [
    "a secret that no access policy gives",
    refused(403, "Forbidden", "AccessDenied"),
    "provider_denied",
    `allows client ${CLIENT} to get`,
  ],
  ["a vault behind its firewall", refused(403, "Forbidden", "ForbiddenByFirewall"), "provider_denied", "firewall"],
  ["a private vault", refused(403, "Forbidden", "ForbiddenByConnection"), "provider_denied", "private endpoints"],
  [
    "a policy for another flow",
    refused(403, "Forbidden", "ForbiddenByPolicy"),
    "provider_denied",
    "names only the client",
  ],
  ["what is forbidden for no reason", refused(403, "Forbidden"), "provider_denied", "may not read shop-db"],
  ["a token of another tenant", refused(401, "Unauthorized"), "provider_denied", "tenant must be the vault's tenant"],
  ["what is no vault", refused(400, "BadParameter"), "provider_denied", "url is the URL of a vault"],
  ["a code that nobody knows", refused(403, "constructor", "toString"), "provider_denied", "diagnostic logs"],
  ["a page of somebody else's", { status: 404, body: HTML }, "provider_denied", "does not have the form of Key Vault"],
)

const unusable = refusing(request, loggedIn())(
  ["a secret that is not there", refused(404, "SecretNotFound"), "secret_not_found", "shop-db names"],
  [
    "a secret that Key Vault calls disabled",
    refused(403, "Forbidden", "SecretDisabled"),
    "secret_unusable",
    "disabled",
  ],
  ["a secret that Key Vault calls expired", refused(403, "Forbidden", "SecretExpired"), "secret_unusable", "expired"],
  ["a disabled secret", found({}, { enabled: false }), "secret_unusable", "is disabled"],
  ["an expired secret", found({}, { exp: PAST }), "secret_unusable", "has expired"],
  ["a secret of the future", found({}, { nbf: FUTURE }), "secret_unusable", "not valid yet"],
)

const spoiled = handingOutNothing(request, loggedIn())(
  ["a secret without a value", found({ value: undefined })],
  ["a secret without an id", found({ value: FOREIGN_TEXT, id: undefined })],
  ["a secret without attributes", found({ value: FOREIGN_TEXT, attributes: undefined })],
  ["a secret that may be disabled", found({ value: FOREIGN_TEXT }, { enabled: undefined })],
  ["a secret that ends at no time", found({ value: FOREIGN_TEXT }, { exp: "tomorrow" })],
  ["another secret", found({ value: FOREIGN_TEXT, id: `${VAULT}/secrets/shop-db2/${VERSION}` })],
  [
    "another vault's",
    found({ value: FOREIGN_TEXT, id: `https://acme-dev.vault.azure.net/secrets/shop-db/${VERSION}` }),
  ],
  [
    "another vault's, behind a name",
    found({ value: FOREIGN_TEXT, id: `${VAULT}@example.com/secrets/shop-db/${VERSION}` }),
  ],
  ["a key", found({ value: FOREIGN_TEXT, id: `${VAULT}/keys/shop-db/${VERSION}` })],
  ["a secret without a version", found({ value: FOREIGN_TEXT, id: `${VAULT}/secrets/shop-db` })],
  ["a version with more behind it", found({ value: FOREIGN_TEXT, id: `${VAULT}/secrets/shop-db/${VERSION}/x` })],
  ["an id that is none", found({ value: FOREIGN_TEXT, id: "shop-db" })],
)

/** What Key Vault itself can refuse, spoil or fail to do. */
export const failures: readonly ProviderCase[] = [
  ...refusals,
  ...unusable,
  ...spoiled,
  ...storeFailures({
    asking,
    locator: "shop-db",
    before: [loggedIn()],
    found: (value) => found({ value }),
    picksFields: true,
    throttled: refused(429, "Throttled"),
    failing: [["a failure", refused(500, "InternalServerError")]],
  }),
]
