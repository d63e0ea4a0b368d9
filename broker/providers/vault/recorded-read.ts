import { FOREIGN_TEXT, type Reply } from "../case.ts"
import { answer, connection } from "./recorded.ts"

// The answers of KV engines for the stories. Tests only: never in a bundle.

export const request = {
  connection,
  grant: { role: "shop-deploy", read: { DB_PASSWORD: "secret/shop/db#password" } },
  ttlSeconds: 900,
}

export const kept = (data: unknown, version = 7): Reply =>
  answer({
    data: {
      data,
      metadata: {
        created_time: "2026-11-01T00:00:00Z",
        custom_metadata: { by: FOREIGN_TEXT },
        deletion_time: "",
        destroyed: false,
        version,
      },
    },
  })

export const password = { DB_PASSWORD: { secret: true, env: "DB_PASSWORD", value: "correct horse" } } as const
export const stays = { revocation: "expires-only", expiresAt: null } as const
