import { PRODUCT, type Severity, wordsOf } from "./event-words.ts"
import { type Facts, factsOf, type LedgerRecord } from "./facts.ts"

/** CEF's severities, 0 to 10. */
const SEVERITY: Readonly<Record<Severity, number>> = { info: 1, low: 3, medium: 5, high: 8, critical: 10 }

/**
 * A record as one line of ArcSight's Common Event Format, version 0 (Micro Focus, "Implementing ArcSight Common Event Format
 * (CEF)", version 26), without a line feed at its end.
 *
 * Keys are CEF's own, so that collectors need no mapping. Facts that CEF has no key for are in `cs1` to `cs6` and
 * `flexString1` and `2`, each with its label.
 */
export function cefLine(from: LedgerRecord): string {
  const facts = factsOf(from)
  const { name, severity, outcome } = wordsOf(facts.event)
  const header = [PRODUCT.name, "broker", PRODUCT.version, facts.event, name, String(SEVERITY[severity])]
    .map(inHeader)
    .join("|")
  const extension = fieldsOf(facts, outcome).map(([key, value]) => `${key}=${inExtension(value)}`)
  return `CEF:0|${header}|${extension.join(" ")}`
}

/** The keys of the extension with their values, before they are escaped. A fact that the record does not say has no key. */
function fieldsOf(facts: Facts, outcome: string | null): readonly (readonly [string, string])[] {
  const isV6 = facts.clientAddress.includes(":")
  const labelled = (key: string, label: string, value: string) =>
    value === "" ? [] : ([[`${key}Label`, label] as const, [key, value] as const] as const)
  const given = [
    ["rt", String(facts.at)],
    ["externalId", facts.requestId],
    ["outcome", outcome ?? ""],
    ["act", facts.decision],
    ["reason", facts.reason],
    ["suser", facts.actor],
    ["suid", facts.actorId],
    [isV6 ? "c6a2" : "src", facts.clientAddress],
    ["sntdom", facts.owner],
    ["cn1Label", "record"],
    ["cn1", String(facts.seq)],
  ] as const
  return [
    ...given.filter(([, value]) => value !== ""),
    ...(isV6 ? ([["c6a2Label", "Source IPv6 Address"]] as const) : []),
    ...labelled("cs1", "unit", facts.unit || facts.unitId),
    ...labelled("cs2", "lease", facts.lease),
    ...labelled("cs3", "grants", facts.grants.map((grant) => grant.name).join(", ")),
    ...labelled("cs4", "resources", facts.grants.map((grant) => grant.resource).join(", ")),
    ...labelled("cs5", "ledger", `${facts.issuer} ${facts.unitId}`),
    ...labelled("cs6", "run", [facts.runId, facts.runAttempt].filter((part) => part !== "").join(".")),
    ...labelled("flexString1", "ref", facts.ref),
    ...labelled("flexString2", "environment", facts.environment),
  ]
}

/** In the header, the bar ends a field. Texts of facts have no line breaks. */
const inHeader = (text: string) => text.replace(/[\\|]/g, "\\$&")

/** In the extension, an equals sign ends a key. A value that could end one would forge the fields after it. */
const inExtension = (text: string) => text.replace(/[\\=]/g, "\\$&")
