import { type Credential, loginsOf } from "../answer.ts"
import { forLog } from "../escape.ts"
import { keptLine } from "../lease.ts"
import { shortened } from "../lifetime.ts"
import { isTooCommon } from "../masks.ts"
import * as runner from "../runner.ts"
import { grantedSummary } from "../summary.ts"

/** What a step says of its delivery. The lines hold no secret, and their untrusted parts were escaped. */
export interface Said {
  readonly received: readonly Credential[]
  /** For the summary: where the values of each grant arrive. */
  readonly places: ReadonlyMap<string, readonly string[]>
  /** What to know. */
  readonly notes: readonly string[]
  /** What to change. */
  readonly warnings: readonly string[]
  readonly ttl: string | undefined
  readonly isForCommand?: boolean
  /** Until when the lease is kept; null when it is revoked. */
  readonly keptUntil?: string | null
}

/** Says what came, what to know of it, and what to change, in this order; and in the summary what came. */
export function say({ received, places, notes, warnings, ttl, isForCommand = false, keptUntil = null }: Said): void {
  for (const credential of received) runner.info(gotLine(credential, ttl, isForCommand ? " for the command" : ""))
  for (const note of notes) runner.info(note)
  if (keptUntil !== null) runner.info(keptLine(keptUntil))
  for (const warning of [...warnings, ...bareSecretWarnings(received)]) runner.warn(warning)
  runner.debug(() => received.map(decisionLine))
  runner.appendSummary(grantedSummary(received, places, { ttl, isForCommand, isKept: keptUntil !== null }))
}

/** Says until when a credential lives. A lifetime that a policy shortened would otherwise surprise a long job. */
function gotLine(credential: Credential, ttl: string | undefined, forWhom: string): string {
  const { grant, expiresAt } = credential
  const limit = shortened(credential, ttl)
  return `Got ${grant}${forWhom}${expiresAt ? `, until ${expiresAt}` : ""}.${limit === null ? "" : ` The policy allows ${limit}.`}`
}

function decisionLine({ grant, provider, revocation, values }: Credential): string {
  const names = values.map((value) => {
    const places = [...(value.env === undefined ? [] : [value.env]), ...loginsOf(value)]
    return `${value.name}${value.secret ? " (secret)" : ""} -> ${places.join(" and ") || "no variable"}`
  })
  return `decision: ${grant} allowed, by ${provider}, ${revocation}: ${forLog(names.join(", "))}`
}

/** Names each secret that has no mask. It does not say why a value has none, which would tell about the value. */
function bareSecretWarnings(received: readonly Credential[]): readonly string[] {
  return received.flatMap(({ grant, values }) => {
    const bare = values.filter(({ secret, value }) => secret && isTooCommon(value)).map(({ name, env }) => env ?? name)
    if (bare.length === 0) return []
    return `The log does not hide these secrets of ${grant}: ${forLog(bare.join(", "))}. Each has fewer than four characters, or is a number of fewer than eight digits, a truth value, or punctuation only. If it is not secret, add \`public: true\` to it in the policy. If it is, make it longer.`
  })
}
