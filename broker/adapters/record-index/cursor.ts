import { BrokerError } from "../../core/errors.ts"
import type { Position } from "./segment.ts"

/** A position as the text that a client sends back. */
export const cursorOf = ({ at, ledger, seq }: Position): string => `${at}.${ledger}.${seq}`

/** @throws {BrokerError} `request_malformed` */
export function positionOf(cursor: string): Position {
  const [, at, ledger, seq] = /^([0-9]{1,15})\.(-1|[0-9]{1,15})\.(-1|[0-9]{1,15})$/.exec(cursor) ?? []
  if (at === undefined) {
    throw new BrokerError("request_malformed", "cursor: send the text that the last answer had under next, or none.")
  }
  return { at: Number(at), ledger: Number(ledger), seq: Number(seq) }
}
