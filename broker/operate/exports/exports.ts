import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { BrokerError } from "../../core/errors.ts"
import type { Connection } from "../../core/policy/model.ts"
import { type ExportTarget, isArchive, type S3Target } from "../../core/policy/schema-outbound.ts"
import type { Broker } from "../../exchange/broker.ts"
import type { ExportSink } from "../../ports/export-sink.ts"
import type { Health, HealthCheck } from "../../ports/health.ts"
import type { Http } from "../../ports/http.ts"
import type { Marks } from "../../ports/marks.ts"
import type { ExportView } from "../../ports/outbound.ts"
import { type Batch, exportObjects } from "./object-export.ts"
import { exportOtlp } from "./otlp-export.ts"
import { createOwnSession } from "./own-session.ts"
import { createS3Sink } from "./s3.ts"

/** An export that fails for so long is shown in health. */
const FAILING_MS = 5 * 60_000

/** Gets new records in order, at least once. A reader of the follower. */
export interface ExportReader {
  readonly name: string
  /** A new export gets the whole record. */
  readonly from: "start"
  take(batch: Batch): Promise<void>
}

export interface ExportParts {
  readonly broker: Broker
  readonly marks: Marks
  /** Refuses addresses that are not public, except where the target is in a private network. */
  httpFor(target: { readonly private_network?: true | undefined }): Http
  /** The sink of a kind that one runtime has alone; null on the other. */
  sinkOf(target: Extract<ExportTarget, { kind: "folder" | "r2" }>): ExportSink | null
}

interface Failing {
  readonly since: Date
  readonly why: string
}

/**
 * Writes new records to the exports of the organisation file in force: one reader for each, with a place of its own in every
 * ledger. So an export that fails holds up no other, and goes on where it was.
 */
export class Exports implements HealthCheck {
  readonly part = "exports"
  readonly #parts: ExportParts
  readonly #readers = new Map<string, { readonly of: string; readonly reader: ExportReader }>()
  readonly #failing = new Map<string, Failing>()

  constructor(parts: ExportParts) {
    this.#parts = parts
  }

  /** The readers of the exports in force. @throws {BrokerError} while there is no organisation file */
  async readers(): Promise<readonly ExportReader[]> {
    const { organisation } = await this.#parts.broker.policySource.snapshot()
    const readers: ExportReader[] = []
    for (const [name, target] of organisation.exports ?? []) {
      const connection = target.kind === "s3" ? organisation.connections.get(target.connection) : undefined
      // A login and a sink are kept for as long as their settings are the same.
      const of = JSON.stringify([target, connection])
      const known = this.#readers.get(name)
      const reader = known?.of === of ? known.reader : this.#readerOf(name, target, connection)
      this.#readers.set(name, { of, reader })
      readers.push(reader)
    }
    for (const name of this.#failing.keys()) if (!organisation.exports?.has(name)) this.#failing.delete(name)
    return readers
  }

  async view(): Promise<readonly ExportView[]> {
    const { organisation } = await this.#parts.broker.policySource.snapshot()
    return [...(organisation.exports ?? [])].map(([name, { kind }]) => {
      const failing = this.#failing.get(name)
      return { name, kind, failingSince: failing?.since.toISOString() ?? null, lastFailure: failing?.why ?? null }
    })
  }

  look(): Promise<Health> {
    const now = this.#parts.broker.clock.now().getTime()
    const late = [...this.#failing.values()].filter(({ since }) => now - since.getTime() >= FAILING_MS)
    if (late.length === 0) return Promise.resolve({ state: "ok" })
    const since = new Date(Math.min(...late.map((one) => one.since.getTime()))).toISOString()
    const reason = `new records cannot be written to ${late.length} of the exports; they wait in the ledgers`
    return Promise.resolve({ state: "degraded", reason, since })
  }

  #readerOf(name: string, target: ExportTarget, connection: Connection | undefined): ExportReader {
    const take = this.#takerOf(name, target, connection)
    return {
      name: readerName(name, target),
      from: "start",
      take: async (batch) => {
        try {
          await take(batch)
          this.#failing.delete(name)
        } catch (error) {
          const why = error instanceof BrokerError ? error.detail : "an unexpected error"
          this.#failing.set(name, { since: this.#failing.get(name)?.since ?? this.#parts.broker.clock.now(), why })
          throw error
        }
      },
    }
  }

  #takerOf(name: string, target: ExportTarget, connection: Connection | undefined): (batch: Batch) => Promise<void> {
    const { broker, marks, httpFor } = this.#parts
    if (target.kind === "otlp") {
      const parts = { target, secrets: broker.connectionSecrets, http: httpFor(target), broker: broker.url }
      return (batch) => exportOtlp(batch, parts)
    }
    const sink = this.#sinkOf(name, target, connection)
    return (batch) => exportObjects(batch, { name, format: target.format, sink, marks })
  }

  #sinkOf(
    name: string,
    target: Exclude<ExportTarget, { kind: "otlp" }>,
    connection: Connection | undefined,
  ): ExportSink {
    const { broker, sinkOf } = this.#parts
    if (target.kind !== "s3") return sinkOf(target) ?? missing(elsewhere(target))
    // Loading checks that there is one.
    if (connection === undefined) return missing(`The export ${name} names a connection that does not exist.`)
    const { region } = connection.settings as { readonly region: string }
    const session = createOwnSession(name, target.role, connection, broker)
    return createS3Sink({ target, region, session, http: broker.http, clock: broker.clock })
  }
}

/**
 * The name under which the follower keeps an export's place. It has where the export writes to, so that one that is pointed to
 * another bucket begins anew there: else old records would leave the ledgers because another place once got them.
 *
 * Only what can be verified and is kept counts as a confirmation, after which records may leave the ledger: those names begin
 * with `export:`.
 */
export function readerName(name: string, target: ExportTarget): string {
  if (target.kind === "otlp") return `stream:${name}`
  const { format, kind } = target
  const place =
    kind === "folder" ? [target.path] : [target.prefix ?? "", ...(kind === "s3" ? bucketOf(target) : [target.binding])]
  const digest = bytesToHex(sha256(utf8ToBytes(JSON.stringify([kind, format, ...place])))).slice(0, 16)
  return `${isArchive(target) ? "export" : "stream"}:${name} ${digest}`
}

const bucketOf = ({ bucket, endpoint }: S3Target) => [bucket, endpoint ?? ""]

/** Fails with each batch, so that the operator is told, and the record waits. */
function missing(detail: string): ExportSink {
  return {
    put() {
      return Promise.reject(new BrokerError("configuration_invalid", detail))
    },
  }
}

const elsewhere = (target: Extract<ExportTarget, { kind: "folder" | "r2" }>) =>
  target.kind === "folder"
    ? "An export into a folder needs a broker on Node. At the edge, export to R2 or S3."
    : `There is no bucket under the binding ${target.binding}. Bind it in wrangler.toml; a broker on Node exports to S3 or a folder.`
