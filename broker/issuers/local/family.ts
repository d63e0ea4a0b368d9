import { LOCAL } from "../../core/families/local.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * People on their own machines. No key of such an issuer is published or listed anywhere, so no broker verifies its tokens.
 * `daypass exec --local` makes a key, lists it for its own process, and forgets it with the process.
 */
export const local: IssuerFamily = {
  facts: LOCAL,
  algorithms: ["ES256"],
  keys: { by: "nowhere" },
}
