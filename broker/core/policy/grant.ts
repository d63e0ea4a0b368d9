import { formatDuration, parseDuration } from "../duration.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import type { Grant, GrantTemplate, PolicyFault } from "./model.ts"
import type { OrganisationReading } from "./organisation.ts"
import { isPlainMap } from "./plain.ts"
import { parseProviderPart } from "./provider-part.ts"
import { DEFAULT_TTL, grantBase } from "./schema.ts"
import { claimsOf, hasGaps, withSamples } from "./template.ts"
import { childOf, keyPosition, nodeAt, type YamlDocument } from "./yaml.ts"

const COMMON_KEYS = Object.keys(grantBase.shape)

interface GrantReading {
  readonly faults: readonly PolicyFault[]
  /** Null when it has faults, or its connection has. */
  readonly grant: Grant | null
}

/** Reads one grant of a policy against its connection and its provider. What `grantBase` refuses is reported elsewhere. */
export function readGrant(
  file: string,
  { root }: YamlDocument,
  { connections }: OrganisationReading,
  name: string,
  value: unknown,
): GrantReading {
  const path = ["grants", name]
  if (!isPlainMap(value) || typeof value["connection"] !== "string") return { faults: [], grant: null }
  const wanted = value["connection"]
  const reading = connections.get(wanted)
  if (reading === undefined) {
    const hint = didYouMean(wanted, connections.keys()) || ` Known: ${[...connections.keys()].join(", ") || "none"}.`
    const message = `The organisation file defines no connection ${quote(wanted)}.${hint}`
    const at = nodeAt(root, [...path, "connection"]).at
    return { faults: [fault(file, at, "connection_unknown", message)], grant: null }
  }
  const { provider, connection } = reading
  if (provider === null) return { faults: [], grant: null }

  const faults: PolicyFault[] = []
  const { minTtlSeconds } = provider
  const ttlSeconds = Math.min(requestedTtl(value["ttl"]), connection?.maxTtlSeconds ?? Infinity, provider.maxTtlSeconds)
  if (ttlSeconds < minTtlSeconds) {
    const message = `${name} would live ${formatDuration(ttlSeconds)}, and its provider mints for ${formatDuration(minTtlSeconds)} at least: raise the ttl.`
    faults.push(fault(file, keyPosition(root, "ttl" in value ? [...path, "ttl"] : path), "ttl_too_short", message))
  }
  const raw = Object.fromEntries(Object.entries(value).filter(([key]) => !COMMON_KEYS.includes(key)))
  const template: GrantTemplate | null = hasGaps(raw) ? { raw, claims: claimsOf(raw), schemas: provider } : null
  if (template?.claims.includes("environment") && !childOf(root, "environment")) {
    const message = `${name} has a gap for the environment, and the file speaks of jobs that run in none: add the key environment, or write the value out.`
    faults.push(fault(file, keyPosition(root, path), "gap_unfillable", message))
  }
  const sample = template === null ? value : { ...value, ...withSamples(raw) }
  const fields = parseProviderPart(provider.grant, { file, root, path, value: sample, commonKeys: COMMON_KEYS })
  if (!fields.ok) return { faults: [...faults, ...fields.fault], grant: null }
  if (connection === null) return { faults, grant: null }
  const conflict = provider.check?.(fields.value, connection.settings) ?? null
  if (conflict !== null) {
    faults.push(fault(file, keyPosition(root, path), "grant_conflict", `${name}: ${conflict.replace(/\.$/, "")}.`))
  }
  const { line } = keyPosition(root, path)
  const { underCeiling } = provider
  const grant = { name, file, line, connection, fields: fields.value, ttlSeconds, minTtlSeconds }
  const seen = underCeiling === undefined ? grant : { ...grant, underCeiling }
  return { faults, grant: template === null ? seen : { ...seen, template } }
}

/** The policy's own ttl in seconds. One that cannot be read is a fault already, and shortens nothing. */
function requestedTtl(ttl: unknown): number {
  // Maps of a document have no prototype, and none can be made a text of.
  if (typeof ttl === "object") return Infinity
  const seconds = parseDuration(ttl === undefined ? DEFAULT_TTL : String(ttl))
  return seconds.ok ? seconds.value : Infinity
}
