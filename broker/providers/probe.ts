import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"
import type { SecretReference } from "../core/secret-reference.ts"
import type { TrustAnswer, TrustState } from "../wire/doctor.ts"
import { atMost, CALLS_AT_ONCE } from "./at-most.ts"
import type { CallIo } from "./provider.ts"

/**
 * The `sub` of the tokens with which the broker asks. The subject of a job has six colons at least (`identityTokenSubject`), so
 * this is never one, and no policy gives it: whoever lets it in lets in anything.
 */
export const PROBE_SUBJECT = "daypass-doctor"

/** What a probe may use. */
export interface ProbeIo extends CallIo {
  /** @throws {BrokerError} `configuration_invalid` when the operator has not set the secret */
  secret(reference: SecretReference): Promise<Secret<string>>
  /** A token of the broker for `audience`, with the subject `PROBE_SUBJECT` and nothing of any job. */
  identityToken(audience: string): Promise<Secret<string>>
}

export type TrustFinding = TrustAnswer["findings"][number]

/** What an answer proves. */
export type Reading = Pick<TrustFinding, "state" | "detail">

/**
 * Asks the other side of a connection whether it trusts the broker, so that its refusal tells. It keeps nothing that it may be
 * given, and revokes what can be revoked. A module of its own, because only operators' requests load it.
 */
export interface Probe<Settings = unknown> {
  ask(connection: string, settings: Settings, io: ProbeIo): Promise<readonly TrustFinding[]>
}

/** An organisation has few accounts and clients. More would make one request a burst of calls. */
const MOST_ASKED = 8

/** Asks each of them, and tells of each by itself: one that cannot be reached hides no other. */
export async function askEach(
  targets: readonly string[],
  words: (target: string) => string,
  ask: (target: string) => Promise<Reading>,
): Promise<readonly TrustFinding[]> {
  const asked = targets.slice(0, MOST_ASKED)
  const findings = await atMost(CALLS_AT_ONCE, asked, (target) => findingOf(words(target), () => ask(target)))
  const left = targets.length - asked.length
  if (left === 0) return findings
  return [...findings, { about: `${left} more`, state: "unknown", detail: `Only the first ${MOST_ASKED} are asked.` }]
}

/** What an answer proves, or the failure to get one. @throws what is no `BrokerError` */
export async function findingOf(about: string, ask: () => Promise<Reading>): Promise<TrustFinding> {
  try {
    return { about, ...(await ask()) }
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return { about, state: FAILURES[error.code] ?? "unknown", detail: error.detail }
  }
}

/** The refusal that reading an answer ends with: its sentence is what a job would read. */
export function refusalIn(read: () => unknown): BrokerError {
  try {
    read()
  } catch (error) {
    if (error instanceof BrokerError) return error
    throw error
  }
  throw new BrokerError("internal", "A refusal was read as an answer.")
}

const FAILURES: Readonly<Partial<Record<BrokerError["code"], TrustState>>> = {
  provider_unavailable: "unreachable",
  // A secret of the connection is missing.
  configuration_invalid: "not_trusted",
}

/** The sentence for a side that knows the broker. `who` is its subject. */
export const trusted = (who: string): Reading => ({
  state: "trusted",
  detail: `${who} knows the broker, and refused a subject that no policy gives, as it must. Whether it trusts the subjects of the grants is not asked: compare with daypass trust DIR --against.`,
})

/** The sentence for a side that let the probe in. */
export const tooOpen = (who: string): Reading => ({
  state: "too_open",
  detail: `${who} let in a token with the subject ${PROBE_SUBJECT}, which no policy gives: it accepts every job of this broker. Name the subjects there: daypass trust DIR lists them.`,
})
