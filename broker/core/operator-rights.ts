/**
 * What an operator may do. A policy grants these rights like anything else, with a connection of the provider `broker`.
 *
 * - `audit.read`: the record: search, export, proofs, reports
 * - `leases.read`, `leases.revoke`: which leases are open; end them
 * - `stop`: order that nothing is given to a scope, and lift such an order
 * - `keys.rotate`: the broker's own keys
 * - `metrics.read`: counters without any unit's name
 * - `policies.read`: the policies in force
 */
export const OPERATOR_RIGHTS = [
  "audit.read",
  "leases.read",
  "leases.revoke",
  "stop",
  "keys.rotate",
  "metrics.read",
  "policies.read",
] as const

export type OperatorRight = (typeof OPERATOR_RIGHTS)[number]

/**
 * The only right of which a token may be a plain one. A program that scrapes metrics cannot prove a key, and learns no names.
 * A token with any other right is worth nothing without the key of its exchange.
 */
export const PLAIN_RIGHT: OperatorRight = "metrics.read"

export const isPlain = (may: readonly OperatorRight[]): boolean => may.every((right) => right === PLAIN_RIGHT)

/** An operator token lives at most this long, in seconds. */
export const OPERATOR_TOKEN_SECONDS = 15 * 60

/**
 * The audience of operator tokens. It is reserved: no grant of the provider `identity-token` can name it, so no other token of
 * the broker is one.
 */
export const OPERATOR_AUDIENCE = "daypass-operator"

/**
 * What an operator's rights cover. A list that is left out limits nothing. Owners and units are written `ISSUER:ID`, with the
 * issuer's name in the organisation file: ids decide, as everywhere. With both lists, either is enough.
 */
export interface OperatorScope {
  readonly owners?: readonly string[]
  readonly units?: readonly string[]
  readonly connections?: readonly string[]
}
