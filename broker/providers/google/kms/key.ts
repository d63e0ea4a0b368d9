import * as z from "zod"
import { endpoint, PROJECT_ID, serviceAccount } from "../settings.ts"

const PART = "[A-Za-z0-9_-]{1,63}"
/** The name of a key (Cloud KMS REST reference, projects.locations.keyRings.cryptoKeys). */
const KEY = new RegExp(
  `^projects/${PROJECT_ID.source.slice(1, -1)}/locations/[a-z][a-z0-9-]{0,62}/keyRings/${PART}/cryptoKeys/${PART}$`,
)

export const entry = z.strictObject({
  key: z
    .string()
    .regex(
      KEY,
      "must be the name of a key, as in .sops.yaml: projects/acme-prod/locations/europe-west3/keyRings/ci/cryptoKeys/sops",
    ),
  service_account: serviceAccount.optional(),
  endpoint: endpoint.optional(),
})

export type Entry = z.output<typeof entry>
