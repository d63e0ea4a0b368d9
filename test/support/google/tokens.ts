import { randomBytes } from "node:crypto"

/** Scopes that exist. Google's list is longer; what is not here is refused, as it refuses what is not on its own. */
const SCOPES: ReadonlySet<string> = new Set([
  "openid",
  ...[
    ...[
      "cloud-platform",
      "cloud-platform.read-only",
      "cloudkms",
      "iam",
      "userinfo.email",
      "pubsub",
      "bigquery",
      "logging.write",
    ],
    // gcloud asks for these together with all of Google Cloud.
    ...["appengine.admin", "sqlservice.login", "accounts.reauth"],
    ...["compute", "compute.readonly", "devstorage.read_only", "devstorage.read_write", "devstorage.full_control"],
  ].map((name) => `https://www.googleapis.com/auth/${name}`),
])

export const isScope = (text: unknown): text is string => typeof text === "string" && SCOPES.has(text)

/** An access token that was given out, and what it is good for. */
export interface IssuedToken {
  readonly kind: "federated" | "service-account"
  readonly token: string
  /** The names under which IAM policies may speak of whoever holds it, its own first. */
  readonly members: readonly string[]
  readonly scopes: readonly string[]
  readonly lifetimeSeconds: number
  readonly endsAt: number
  /** The accounts between, in order. */
  readonly delegates: readonly string[]
}

/** Every token that was given out, in order. */
export class Tokens {
  readonly issued: IssuedToken[] = []
  readonly #endAfterSeconds: number

  constructor(endAfterSeconds: number) {
    this.#endAfterSeconds = endAfterSeconds
  }

  issue(about: Omit<IssuedToken, "token" | "endsAt">): IssuedToken {
    const prefix = about.kind === "federated" ? "ya29.d." : "ya29.c."
    const token = `${prefix}${randomBytes(384).toString("base64url")}`
    const lifetimeSeconds = Math.min(about.lifetimeSeconds, this.#endAfterSeconds)
    const issued = { ...about, lifetimeSeconds, token, endsAt: Date.now() + lifetimeSeconds * 1000 }
    this.issued.push(issued)
    return issued
  }

  /** Whose a bearer is, as long as it has not ended. */
  holder(token: string): IssuedToken | undefined {
    return this.issued.find((one) => one.token === token && one.endsAt > Date.now())
  }
}
