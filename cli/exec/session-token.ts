import type { ActionError } from "../../action/failure.ts"
import { memberOf, membersOf, parseJson } from "../../action/json.ts"
import { isTime } from "../../action/time.ts"
import { KEY_BINDING_SEPARATOR } from "../../broker/wire/exchange.ts"

/** What is granted in the last minute of a token is over before a command can use it. */
const USELESS_BELOW_MS = 60_000
/** How much sooner than its token a credential can end, and still end because of it. */
const SAME_END_MS = 30_000

/** One subject token that serves many calls, and what it has given so far. Nothing that it gives outlives it. */
export class SessionToken {
  readonly text: string
  /** Whether the audience names a key, which is then another one than that of this process. */
  readonly namesKey: boolean
  /** Why nothing comes of this token any more: always the same object. */
  readonly ended: ActionError
  readonly #endsAt: number
  /** Grant -> when the newest credential ends, in milliseconds since 1970. */
  readonly #given = new Map<string, number>()

  /** @param ended makes the failure; it gets the end in milliseconds since 1970 */
  constructor(text: string, ended: (endsAt: number) => ActionError) {
    const claims = parseJson(Buffer.from(text.split(".")[1] ?? "", "base64url"))
    const [exp, aud] = [memberOf(claims, "exp"), memberOf(claims, "aud")]
    this.text = text
    this.namesKey = JSON.stringify(aud ?? "").includes(KEY_BINDING_SEPARATOR)
    // The broker refuses a token without an end. That is its decision.
    this.#endsAt = typeof exp === "number" && Number.isSafeInteger(exp * 1000) ? exp * 1000 : Number.POSITIVE_INFINITY
    this.ended = ended(this.#endsAt)
  }

  get hasGiven(): boolean {
    return this.#given.size > 0
  }

  /** Infinity when the token does not say it. */
  get secondsLeft(): number {
    return Math.max(0, Math.floor((this.#endsAt - Date.now()) / 1000))
  }

  isOver(): boolean {
    return this.#endsAt <= Date.now()
  }

  /** Notes until when the credentials of an answer live. */
  gave(answer: unknown): void {
    for (const [grant, credential] of membersOf(memberOf(answer, "credentials")) ?? []) {
      const expiresAt = memberOf(credential, "expires_at")
      this.#given.set(grant, isTime(expiresAt) ? Date.parse(expiresAt) : 0)
    }
  }

  /** The broker has said that the rest of this token is too short for these grants. */
  givesNoMore(grants: readonly string[]): void {
    for (const grant of grants) this.#given.set(grant, Number.POSITIVE_INFINITY)
  }

  /** Whether an exchange for these grants would get nothing better than what there is. Never before the first: the broker decides that. */
  canGiveNothingMore(grants: readonly string[]): boolean {
    if (!this.hasGiven) return false
    if (this.#endsAt - Date.now() < USELESS_BELOW_MS) return true
    return grants.every((grant) => (this.#given.get(grant) ?? 0) >= this.#endsAt - SAME_END_MS)
  }
}
