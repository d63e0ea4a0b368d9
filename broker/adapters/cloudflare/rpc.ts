import { BrokerError } from "../../core/errors.ts"
import type { ErrorCode } from "../../wire/error-codes.ts"
import type { LedgerKey } from "../ledger/rows.ts"
import { consoleLog } from "./log.ts"

/**
 * The answer of a Durable Object's method. Errors travel as values: an exception that crosses a call between objects keeps
 * only its message, so every error would look like an internal one.
 */
export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string }

/**
 * Inside the object: runs `work`, and returns its value or its error as an answer. Never throws. Logs a failure of the
 * storage, with the ledger's key if it is one.
 */
export async function answer<Value>(work: () => Promise<Value>, key?: LedgerKey): Promise<Answer<Value>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (error instanceof BrokerError) return { ok: false, code: error.code, detail: error.detail }
    consoleLog({ event: "ledger.failed", detail: reasonOf(error), ...(key === undefined ? {} : unitOf(key)) })
    return { ok: false, code: "ledger_unavailable", detail: "the ledger's storage cannot be read or written" }
  }
}

/** A ledger's unit, as events name it. */
export const unitOf = ({ issuerUrl, unitId }: LedgerKey) => ({ issuer: issuerUrl, unit_id: unitId })

/** Our own sentence, or the code of SQLite's error, or its class. Nothing else of a message: it may quote what is stored. */
export function reasonOf(error: unknown): string {
  if (error instanceof BrokerError) return `${error.code}: ${error.detail}`
  if (!(error instanceof Error)) return typeof error
  return /SQLITE_[A-Z]+/.exec(error.message)?.[0] ?? error.name
}

/**
 * Outside the object: waits for its answer.
 *
 * A call that failed on its way is not retried: the object may have executed it, and would then refuse the retry because
 * the subject token was used.
 *
 * @throws {BrokerError} the object's error, or `ledger_unavailable` when it cannot be reached
 */
export async function ask<Value>(call: () => Promise<Answer<Value>>): Promise<Value> {
  let given: Answer<Value>
  try {
    given = await call()
  } catch (cause) {
    throw new BrokerError("ledger_unavailable", "the ledger cannot be reached", { cause, retryAfterSeconds: 5 })
  }
  if (given.ok) return given.value
  throw new BrokerError(given.code, given.detail, given.code === "ledger_unavailable" ? { retryAfterSeconds: 5 } : {})
}
