import { BrokerError } from "../../core/errors.ts"
import type { BrokerEvent } from "../../ports/log.ts"
import { ConnectionLost } from "./session.ts"

/** Why the database cannot be used, as far as an operator can act on it. The most serious first. */
export type Fault = keyof typeof FAULTS

interface Words {
  /** For callers and `/healthz`, which are public: no name of a host, a database or a user. */
  readonly reason: string
  readonly event: BrokerEvent["event"]
  /** For the log and the start: what to do. */
  readonly remedy: string
}

export const FAULTS = {
  foreign: {
    reason: "The database belongs to another deployment. Nothing is granted.",
    event: "ledger.gone",
    remedy: "give this deployment a database of its own, or set DAYPASS_DEPLOYMENT to the name that wrote this one",
  },
  newer: {
    reason: "A newer version of Daypass wrote this database. Nothing is granted.",
    event: "ledger.gone",
    remedy: "run that version or a later one",
  },
  missing: {
    reason: "Tables of the ledger are missing or have another form. Nothing is granted.",
    event: "ledger.gone",
    remedy: "restore the database from a backup, or give the broker the database that it used before",
  },
  unlogged: {
    reason: "Tables of the ledger are unlogged: the server empties them after a crash. Nothing is granted.",
    event: "ledger.undurable",
    remedy: "run ALTER TABLE daypass.NAME SET LOGGED for each of them",
  },
  "fsync off": {
    reason: "The database runs with fsync=off: it may lose what it has confirmed. Nothing is granted.",
    event: "ledger.undurable",
    remedy: "set fsync to on, and reload the server's configuration",
  },
  "synchronous_commit off": {
    reason: "The database runs with synchronous_commit=off: a crash loses what it has confirmed. Nothing is granted.",
    event: "ledger.undurable",
    remedy: "set synchronous_commit to on for the server, the database and the broker's user",
  },
  damaged: {
    reason: "The database reports damaged data or a failing disk. Nothing is granted.",
    event: "ledger.damaged",
    remedy: "look at the server's log, and restore a backup",
  },
  refused: {
    reason: "The database does not let the broker in, or not at its tables. Nothing is granted.",
    event: "ledger.unwritable",
    remedy: "check the user, its password, pg_hba.conf and its privileges on the schema daypass",
  },
  "read-only": {
    reason: "The database is read-only: it is a standby, or was made so. Nothing is granted.",
    event: "ledger.unwritable",
    remedy: "let the URL name the primary, and check default_transaction_read_only",
  },
  full: {
    reason: "The disk of the database is full. Nothing is granted.",
    event: "ledger.full",
    remedy: "free space on the server's disk. The broker tries again by itself",
  },
  busy: {
    reason: "The database kept the broker waiting for a lock or an answer for too long.",
    event: "ledger.locked",
    remedy: "look in pg_stat_activity for what holds locks on the schema daypass; only brokers may write there",
  },
  unreachable: {
    reason: "The database cannot be reached.",
    event: "ledger.unreachable",
    remedy: "check the server, the network and the TLS certificate. The broker tries again by itself",
  },
} as const satisfies Readonly<Record<string, Words>>

export const MOST_SERIOUS_FIRST = Object.keys(FAULTS) as readonly Fault[]

/** A fault that was found by looking, and not by an error of the server. */
export class FaultFound extends Error {
  readonly fault: Fault

  constructor(fault: Fault) {
    super(FAULTS[fault].reason)
    this.name = "FaultFound"
    this.fault = fault
  }
}

/** By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html. The longest match counts. */
const BY_STATE: Readonly<Record<string, Fault>> = {
  "08": "unreachable",
  "57P": "unreachable", // the server shuts down, starts, or ended the connection
  "53300": "unreachable", // too many connections
  "53": "full",
  "28": "refused",
  "3D": "refused",
  "42501": "refused",
  "3F": "missing",
  "42": "missing",
  "25006": "read-only",
  "55P03": "busy",
  "57014": "busy",
  "25P03": "busy", // idle in a transaction
  "40": "busy",
  "58": "damaged",
  XX: "damaged",
}

/** What the driver and Node say of a connection that could not be made. */
const NOT_CONNECTED = /^(?:CONNECT|E[A-Z]+|ERR_TLS|ERR_SSL|CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME)/

/** The fault behind an error; null for an error that is none of the database's. */
export function faultOf(error: unknown): Fault | null {
  if (error instanceof FaultFound) return error.fault
  if (error instanceof ConnectionLost) return "unreachable"
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null
  const { code } = error
  if (error.name !== "PostgresError")
    return NOT_CONNECTED.test(code) ? "unreachable" : code === "SASL_SIGNATURE_MISMATCH" ? "refused" : null
  for (let length = code.length; length > 1; length--) {
    const fault = BY_STATE[code.slice(0, length)]
    if (fault !== undefined) return fault
  }
  return null
}

/** The storage's refusal of a call. The sentence is for callers: it repeats no message of the server. */
export const unavailable = (detail: string, cause?: unknown): BrokerError =>
  new BrokerError("ledger_unavailable", detail, { cause, retryAfterSeconds: 5 })
