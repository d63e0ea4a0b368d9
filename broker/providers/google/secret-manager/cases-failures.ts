import { FOREIGN_TEXT, type ProviderCase } from "../../case.ts"
import { handingOutNothing, refusing, storeFailures } from "../../case-store.ts"
import { answer, apiRefused, exchanged, HTML } from "../recorded.ts"
import { asking, CHECKSUM_OF_PASSWORD, found, NAME, request } from "./recorded.ts"

const refusals = refusing(request, exchanged())(
  [
    "a secret that it may not read",
    apiRefused(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED"),
    "provider_denied",
    "secretAccessor",
  ],
  [
    "an API that is off",
    apiRefused(403, "PERMISSION_DENIED", "SERVICE_DISABLED"),
    "provider_denied",
    "secretmanager.googleapis.com",
  ],
  [
    "a project that is not there",
    apiRefused(403, "PERMISSION_DENIED", "CONSUMER_INVALID"),
    "provider_denied",
    "project acme-prod does not exist",
  ],
  [
    "a perimeter",
    apiRefused(403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED"),
    "provider_denied",
    "VPC Service Controls",
  ],
  [
    "a token that it does not take",
    apiRefused(401, "UNAUTHENTICATED"),
    "provider_denied",
    "did not accept Google's own token",
  ],
  ["a regional secret without its region", apiRefused(400, "INVALID_ARGUMENT"), "provider_denied", "location"],
  ["a code that nobody knows", apiRefused(403, "OUT_OF_RANGE"), "provider_denied", "audit logs"],
  ["a page of somebody else's", { ...HTML, status: 404 }, "provider_denied", "does not have the form of Google's API"],
)

const unusable = refusing(request, exchanged())(
  ["a secret that is not there", apiRefused(404, "NOT_FOUND"), "secret_not_found", "shop-db names"],
  ["a version that is disabled", apiRefused(400, "FAILED_PRECONDITION"), "secret_unusable", "disabled or destroyed"],
)

const spoiled = handingOutNothing(request, exchanged())(
  ["a payload with another's checksum", found(FOREIGN_TEXT, NAME, { dataCrc32c: CHECKSUM_OF_PASSWORD })],
  ["a checksum that is null", found(FOREIGN_TEXT, NAME, { dataCrc32c: null })],
  ["a checksum that is empty", found(FOREIGN_TEXT, NAME, { dataCrc32c: "" })],
  ["a checksum that is a number", found(FOREIGN_TEXT, NAME, { dataCrc32c: 343475146 })],
  ["a payload without data", found(FOREIGN_TEXT, NAME, { data: undefined })],
  ["data that is no base64", found(FOREIGN_TEXT, NAME, { data: "a canary" })],
  ["no payload", answer(200, { name: NAME })],
  ["a payload without a name", found(FOREIGN_TEXT, null)],
  ["another secret", found(FOREIGN_TEXT, "projects/210987654321/secrets/shop-DB/versions/7")],
  ["another project by its id", found(FOREIGN_TEXT, "projects/acme-dev/secrets/shop-db/versions/7")],
  ["a regional secret", found(FOREIGN_TEXT, "projects/1/locations/europe-west3/secrets/shop-db/versions/7")],
  ["a name without a version", found(FOREIGN_TEXT, "projects/210987654321/secrets/shop-db")],
  ["a version without a number", found(FOREIGN_TEXT, "projects/210987654321/secrets/shop-db/versions/latest")],
)

/** What Secret Manager itself can refuse, spoil or fail to do. */
export const failures: readonly ProviderCase[] = [
  ...refusals,
  ...unusable,
  ...spoiled,
  ...storeFailures({
    asking,
    locator: "shop-db",
    before: [exchanged()],
    found: (text) => found(text),
    binary: found(Uint8Array.of(0xff, 0xfe, 0x00)),
    isOfBytes: true,
    picksFields: true,
    throttled: apiRefused(429, "RESOURCE_EXHAUSTED"),
    failing: [
      ["a failure", apiRefused(500, "INTERNAL")],
      ["an API that is unavailable", apiRefused(503, "UNAVAILABLE")],
    ],
  }),
]
