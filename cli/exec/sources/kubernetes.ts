import { existsSync } from "node:fs"
import { fileTokens } from "./file.ts"
import type { Source } from "./source.ts"
import { isSet } from "./source.ts"
import { noToken } from "./token-text.ts"

/** Where the manifests of this project mount the projected token. */
const PROJECTED_TOKEN = "/var/run/secrets/daypass/token"

/** A pod with a projected token for the broker (kubernetes.io: service account token volume projection). */
export const KUBERNETES: Source = {
  name: "kubernetes",
  title: "Kubernetes",
  isHere: (environment) => existsSync(PROJECTED_TOKEN) || isSet(environment, "KUBERNETES_SERVICE_HOST"),
  find: () => (existsSync(PROJECTED_TOKEN) ? fileTokens(PROJECTED_TOKEN) : null),
  missing: () =>
    noToken(
      `This pod has no ID token for a broker: there is no ${PROJECTED_TOKEN}.`,
      "Add a projected volume with a `serviceAccountToken` for the broker's audience, or name its file with --token-file.",
    ),
}
