import { BrokerError } from "../../core/errors.ts"
import { otlpLogs } from "../../core/export-formats/otlp.ts"
import type { ExportTarget } from "../../core/policy/schema-outbound.ts"
import { nameOf } from "../../core/secret-reference.ts"
import type { ConnectionSecrets } from "../../ports/connection-secrets.ts"
import { type Http, HttpError } from "../../ports/http.ts"
import type { Batch } from "./object-export.ts"

const TIMEOUT_MS = 15_000
const MAX_ANSWER_BYTES = 64 * 1024

export interface OtlpParts {
  readonly target: Extract<ExportTarget, { kind: "otlp" }>
  readonly secrets: ConnectionSecrets
  readonly http: Http
  readonly broker: string
}

/**
 * Sends new records to a collector as logs, by OTLP over HTTP with JSON (OpenTelemetry Protocol 1.x, "OTLP/HTTP"). A batch whose
 * answer was lost is sent again, so a collector can get a record twice: `daypass.seq` and the ledger name it.
 *
 * @throws {BrokerError} `provider_*`, `configuration_invalid`
 */
export async function exportOtlp({ ledger, records }: Batch, parts: OtlpParts): Promise<void> {
  const { target, secrets, http, broker } = parts
  const name = { issuer: ledger.issuerUrl, unit_id: ledger.unitId }
  const logs = otlpLogs(
    records.map(({ record }) => ({ ledger: name, record: { ...record } })),
    broker,
  )
  const authorization = target.authorization && (await secrets.named(nameOf(target.authorization))).reveal()
  const host = new URL(target.url).host
  try {
    const { status } = await http({
      method: "POST",
      url: target.url,
      headers: { "content-type": "application/json", ...(authorization ? { authorization } : {}) },
      body: JSON.stringify(logs),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
    if (status === 200) return
    const isDenied = status === 401 || status === 403
    const remedy = isDenied ? "Check authorization" : "Check that url is the collector's /v1/logs"
    const isTheirs = status === 429 || status >= 500
    throw new BrokerError(
      isTheirs ? "provider_unavailable" : "provider_denied",
      `The collector ${host} answered ${status}.${isTheirs ? "" : ` ${remedy}.`}`,
    )
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    throw new BrokerError("provider_unavailable", `The collector ${host} did not answer (${error.reason}).`)
  }
}
