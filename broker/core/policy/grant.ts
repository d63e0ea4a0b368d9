import { type SubjectParts, subjectTooLong } from "../../wire/subject.ts"
import { formatDuration, parseDuration } from "../duration.ts"
import type { BreakGlass } from "./break-glass.ts"
import { readBreakGlass } from "./break-glass-schema.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import type { NamedFile } from "./grant-files.ts"
import type { Connection, Grant, GrantTemplate, PolicyFault } from "./model.ts"
import type { OrganisationReading } from "./organisation.ts"
import { isPlainMap } from "./plain.ts"
import { parseProviderPart } from "./provider-part.ts"
import type { FileName, ProviderSchemas } from "./provider-schemas.ts"
import { DEFAULT_TTL, grantBase } from "./schema.ts"
import { claimsOf, hasGaps, OTHER_SAMPLE, withSamples } from "./template.ts"
import { childOf, keyPosition, nodeAt, type YamlDocument } from "./yaml.ts"

const COMMON_KEYS = Object.keys(grantBase.shape)

interface GrantReading {
  readonly faults: readonly PolicyFault[]
  /** Null when the grant or its connection has faults. */
  readonly grant: Grant | null
  /** The files that it names. The caller, who knows the folder, checks that they exist. */
  readonly named: readonly NamedFile[]
}

/** Whom a policy is about. */
export interface GrantReaders {
  /** Null when faults hide them. */
  readonly jobs: SubjectParts | null
  readonly people: boolean
  /** True for people on their own machines, where no broker is. */
  readonly offline: boolean
}

const NOTHING = { grant: null, named: [] } as const

/**
 * Checks one grant of a policy against its connection and its provider. Faults that `grantBase` finds are reported
 * elsewhere.
 */
export function readGrant(
  file: string,
  { root }: YamlDocument,
  { connections }: OrganisationReading,
  { jobs, people, offline }: GrantReaders,
  [name, value]: readonly [string, unknown],
): GrantReading {
  const path = ["grants", name]
  if (!isPlainMap(value) || typeof value["connection"] !== "string") return { faults: [], ...NOTHING }
  const wanted = value["connection"]
  const reading = connections.get(wanted)
  if (reading === undefined) {
    const hint = didYouMean(wanted, connections.keys()) || ` Known: ${[...connections.keys()].join(", ") || "none"}.`
    const message = `The organisation file defines no connection ${quote(wanted)}.${hint}`
    const at = nodeAt(root, [...path, "connection"]).at
    return { faults: [fault(file, at, "connection_unknown", message)], ...NOTHING }
  }
  const { provider, connection } = reading
  if (provider === null) return { faults: [], ...NOTHING }

  const faults: PolicyFault[] = []
  const breakGlass = readBreakGlass(value["break_glass"])
  const ttlSeconds = Math.min(
    requestedTtl(value["ttl"], breakGlass?.ttlSeconds),
    connection?.maxTtlSeconds ?? Infinity,
    provider.maxTtlSeconds,
  )
  const raw = Object.fromEntries(Object.entries(value).filter(([key]) => !COMMON_KEYS.includes(key)))
  const template: GrantTemplate | null = hasGaps(raw) ? { raw, claims: claimsOf(raw), schemas: provider } : null
  if (template?.claims.includes("environment") && !childOf(root, "environment")) {
    const message = `${name} has a gap for the environment, but this file is for jobs without an environment: add the key environment, or replace the gap with a value.`
    faults.push(fault(file, keyPosition(root, path), "gap_unfillable", message))
  }
  const sample = template === null ? value : { ...value, ...withSamples(raw) }
  const fields = parseProviderPart(provider.grant, { file, root, path, value: sample, commonKeys: COMMON_KEYS })
  const least = fields.ok ? provider.leastTtlSeconds?.(fields.value) : undefined
  const minTtlSeconds = Math.max(provider.minTtlSeconds, least ?? 0)
  if (ttlSeconds < minTtlSeconds) {
    const what = minTtlSeconds === provider.minTtlSeconds ? "credentials for" : "what this grant asks for with"
    const message = `${name} has a lifetime of ${formatDuration(ttlSeconds)}, but its provider mints ${what} at least ${formatDuration(minTtlSeconds)}: raise the ttl.`
    faults.push(fault(file, keyPosition(root, "ttl" in value ? [...path, "ttl"] : path), "ttl_too_short", message))
  }
  if (!fields.ok) return { faults: [...faults, ...fields.fault], ...NOTHING }
  if (connection === null) return { faults, ...NOTHING }
  const conflict = provider.check?.(fields.value, connection.settings) ?? null
  if (conflict !== null) {
    faults.push(fault(file, keyPosition(root, path), "grant_conflict", `${name}: ${conflict.replace(/\.$/, "")}.`))
  }
  if (people && connection.people !== true) {
    const message = `${name}: the connection ${wanted} is closed to people. Add people: true to it, if people may use it.`
    faults.push(fault(file, nodeAt(root, [...path, "connection"]).at, "grant_conflict", message))
  }
  if (offline && !provider.worksOffline) {
    const message = `${name}: the connection ${wanted} is of the provider ${connection.provider}, which needs a broker, and on a person's own machine there is none. Name a connection of a provider that needs none, such as sops.`
    faults.push(fault(file, nodeAt(root, [...path, "connection"]).at, "grant_conflict", message))
  }
  const limit = provider.subjectLimit?.(connection.settings)
  const tooLong = limit && jobs ? subjectTooLong(jobs, name, limit) : null
  if (tooLong !== null) faults.push(fault(file, keyPosition(root, path), "subject_too_long", `${name}: ${tooLong}.`))
  const fileNames = provider.files?.namedBy(fields.value, connection.settings) ?? []
  const others = template === null ? fileNames : namesWithOtherClaims(template, provider, connection)
  const named = fileNames.map((each, index): NamedFile => {
    const at = nodeAt(root, [...path, ...each.at]).at
    const other = others[index]
    if (each.path !== other?.path) {
      const message = `${name} has a gap in a file's name, but a claim must not choose the file: write the full name. A gap is allowed only after the #.`
      faults.push(fault(file, at, "gap_unfillable", message))
    }
    return { grant: name, path: each.path, part: each.part === other?.part ? each.part : null, ...readAllOf(each), at }
  })
  const { line } = keyPosition(root, path)
  const { underCeiling } = provider
  const open = grantBase.shape.max_open_leases.safeParse(value["max_open_leases"]).data
  const limited = {
    ...(open === undefined ? {} : { maxOpenLeases: open }),
    ...(breakGlass === undefined ? {} : { breakGlass: demandOf(breakGlass) }),
  }
  const grant = { name, file, line, connection, fields: fields.value, ttlSeconds, minTtlSeconds, ...limited }
  const seen = underCeiling === undefined ? grant : { ...grant, underCeiling }
  return { faults, grant: template === null ? seen : { ...seen, template }, named }
}

const readAllOf = ({ variables }: FileName) => (variables === undefined ? {} : { variables })

/** The files that a template names when other claims fill its gaps. */
function namesWithOtherClaims(
  { raw }: GrantTemplate,
  { grant, files }: Pick<ProviderSchemas, "grant" | "files">,
  { settings }: Connection,
): readonly FileName[] {
  const other = grant.safeParse(withSamples(raw, OTHER_SAMPLE))
  return other.success ? (files?.namedBy(other.data, settings) ?? []) : []
}

const demandOf = ({ approvals, reasonRequired }: BreakGlass): BreakGlass => ({ approvals, reasonRequired })

/**
 * The policy's own ttl in seconds; `most` is that of `break_glass`. An unreadable ttl is already reported, and does not shorten
 * the lifetime here.
 */
function requestedTtl(ttl: unknown, most: number | undefined): number {
  if (most !== undefined) return ttl === undefined ? most : Math.min(most, requestedTtl(ttl, undefined))
  // Maps of a document have no prototype, so String() would throw on them.
  if (typeof ttl === "object") return Infinity
  const seconds = parseDuration(ttl === undefined ? DEFAULT_TTL : String(ttl))
  return seconds.ok ? seconds.value : Infinity
}
