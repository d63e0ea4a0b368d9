/** `GET`: the keys. Below it, as `POST`: `/rotate`, `/retire`, `/reseal`; as `GET`: `/handles`. */
export const KEYS_PATH = "/v1/operate/keys"

/**
 * The states of a signing key: *next* (published, does not sign), *active* (signs), *retiring* (published until its last
 * token has expired), *gone*.
 */
export type KeyState = "next" | "active" | "retiring" | "gone"

/** Under which key a value was sealed: `DAYPASS_KEK`, `DAYPASS_KEK_PREVIOUS`, or a key that this broker does not have. */
export type SealedUnder = "current" | "previous" | "other"

/**
 * How long those who verify the broker's tokens go on with a key set that they have read.
 *
 * - `none`: they read the keys for each login
 * - `minutes`: they read the keys every few minutes
 * - `until-unknown`: they keep the keys until a token names one that they do not have. So a new key is taken at once, and an
 *   old one until the first token that the new one signs
 * - `untold`: their maker does not say. A rotation counts on a day
 */
export type KeyCache = "none" | "minutes" | "until-unknown" | "untold"

/** The answer of `GET /v1/operate/keys`. Times are ISO 8601. */
export interface KeysReport {
  readonly keys: readonly {
    readonly kid: string
    readonly state: KeyState
    /** When it was published. */
    readonly created_at: string
    /** Since when it signs; null for the next one. */
    readonly activated_at: string | null
    readonly retired_at: string | null
    /** When it enters which state by itself. */
    readonly next: { readonly state: KeyState; readonly at: string } | null
    readonly sealed_under: SealedUnder
  }[]
  /** Of the key that signs checkpoints of the log of heads; null when there is none yet. */
  readonly log_key_sealed_under: SealedUnder | null
  readonly rotate_every_seconds: number | null
  /** When the schedule publishes the next key; null without a schedule, and while there is a next key. */
  readonly publishes_next_at: string | null
  /** Whether `DAYPASS_KEK_PREVIOUS` is set. */
  readonly has_previous_kek: boolean
  /** The settings that `daypass seal` has sealed. */
  readonly settings: readonly { readonly name: string; readonly sealed_under: SealedUnder }[]
  /** The connections whose other side verifies the broker's tokens. */
  readonly verifiers: readonly { readonly connection: string; readonly provider: string; readonly cache: KeyCache }[]
}

/**
 * The answer of `POST /v1/operate/keys/rotate`. `published`: there is a next key, and nothing signs with it yet. `promoted`: the
 * next key was published long enough, and signs now. `waiting`: it was not, and nothing was changed. `replaced`: a new key
 * signs at once, and all others have left the key set.
 */
export interface RotationReport {
  readonly outcome: "published" | "promoted" | "waiting" | "replaced"
  readonly kid: string
  readonly signs_from: string
}

/** A page of the walk over the revocation handles of open leases: of `GET .../handles` and `POST .../reseal`. */
export interface HandlesPage {
  /** As they are after the page. */
  readonly handles: Readonly<Record<SealedUnder, number>>
  /** How many of them this page has sealed anew. */
  readonly resealed: number
  readonly ledgers: number
  /** Where the next page begins; null when this was the last one. */
  readonly next: string | null
}

/** A page of `POST /v1/operate/keys/reseal`. The first one also seals the broker's own keys anew. */
export interface ResealPage extends HandlesPage {
  /** How many signing keys, and keys of the log of heads, were sealed anew. */
  readonly own_keys: number
}
