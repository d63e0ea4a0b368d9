import { meetsQuorum, type PolicyWitness, type TrustPolicy } from "../core/checkpoint/trust-policy.ts"
import { formatVerifierKey } from "../core/checkpoint/verifier-key.ts"
import type { Log } from "../ports/log.ts"
import type { LogState, WitnessState } from "./log-state.ts"
import { askWitness, type WitnessAnswer, type WitnessParts } from "./witness.ts"

/** The witnesses of the policy that have not cosigned the newest checkpoint. */
export const uncosigned = (state: LogState, policy: TrustPolicy | null): readonly PolicyWitness[] =>
  (policy?.witnesses ?? []).filter((witness) => lineOf(state, witness) === null)

export interface Asking {
  readonly policy: TrustPolicy | null
  /** Those of its witnesses that are asked now. */
  readonly asked: readonly PolicyWitness[]
}

/**
 * Asks witnesses to cosign the newest checkpoint, all at once. Returns the state with what they have answered, and with the
 * checkpoint to give away; the same state when nothing has changed.
 */
export async function cosigned(
  state: LogState,
  { policy, asked }: Asking,
  parts: WitnessParts & { readonly log: Log; readonly now: number },
): Promise<LogState> {
  const { text, line, size } = state
  if (text === null || line === null) return state
  const answers = await Promise.all(
    asked.map(async (witness) => {
      const id = formatVerifierKey(witness.key)
      const known = state.witnesses[id]
      const answer = await askWitness(witness, { size, text, line }, known?.size ?? 0, parts)
      // Told once for each reason: it is asked each minute.
      if (!answer.ok && known?.failing?.reason !== answer.reason) {
        const detail = `the witness ${witness.name} did not cosign: ${answer.reason}`
        parts.log({ event: "checkpoint.refused", detail })
      }
      return [id, after(known, answer, size, parts.now)] as const
    }),
  )
  const witnesses = { ...state.witnesses, ...Object.fromEntries(answers) }
  const published = publishedOf({ ...state, witnesses }, policy)
  return answers.length === 0 && published === state.published ? state : { ...state, witnesses, published }
}

/** What is known of a witness after its answer about the checkpoint of `size`. */
function after(known: WitnessState | undefined, answer: WitnessAnswer, size: number, now: number): WitnessState {
  if (answer.ok) return { size, line: answer.line, failing: null }
  const since = known?.failing?.since ?? new Date(now).toISOString()
  return { size: known?.size ?? 0, line: known?.line ?? null, failing: { since, reason: answer.reason } }
}

/** The checkpoint to give away: the newest with cosignatures for the quorum, else the newest that had them. */
function publishedOf(state: LogState, policy: TrustPolicy | null): LogState["published"] {
  const { text, line, size, published } = state
  if (text === null || line === null) return published
  const signed = (policy?.witnesses ?? []).flatMap((witness) => {
    const cosignature = lineOf(state, witness)
    return cosignature === null ? [] : [{ key: witness.key, cosignature }]
  })
  const isEnough = policy === null || meetsQuorum(policy, new Set(signed.map(({ key }) => key)))
  if (!isEnough && published !== null) return published
  const note = `${text}\n${line}${signed.map(({ cosignature }) => cosignature).join("")}`
  return published?.note === note ? published : { size, note }
}

/** The witness's signature line over the newest checkpoint; null: it has not cosigned it. */
function lineOf({ witnesses, size }: LogState, { key }: PolicyWitness): string | null {
  const known = witnesses[formatVerifierKey(key)]
  return known?.size === size ? known.line : null
}
