import * as z from "zod"
import { formatDuration } from "../duration.ts"
import type { FamilyFacts } from "../families/family-facts.ts"
import type { Condition, Test } from "./condition.ts"
import { type EnvironmentDemand, isForAny } from "./environment-protection.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import type { Boundary, BoundaryEntry, ConnectionReading, FieldCeiling, PolicyFault } from "./model.ts"
import type { OrganisationFile } from "./schema.ts"
import { knownKeys } from "./schema-faults.ts"
import { keyPosition, nodeAt, type YamlNode } from "./yaml.ts"

type BoundaryPart = NonNullable<OrganisationFile["boundaries"]>[number]
type EntryPart = NonNullable<BoundaryPart["allow"]>[number]
type Connections = ReadonlyMap<string, ConnectionReading>

/** The key of a grant of which boundaries see one text, although it is a map there. */
const WHOLE = "read_all"

/** Reads the boundaries of an organisation file that fits its schema, and reports every fault in the names they use. */
export function readBoundaries(
  file: string,
  root: YamlNode,
  parts: readonly BoundaryPart[],
  connections: Connections,
  families: readonly FamilyFacts[],
): { readonly boundaries: readonly Boundary[]; readonly faults: readonly PolicyFault[] } {
  const faults: PolicyFault[] = []
  const lines = new Map<string, number>()
  const boundaries = parts.map((part, index): Boundary => {
    const path = ["boundaries", index]
    const { line } = nodeAt(root, path).at
    const first = lines.get(part.name)
    if (first === undefined) lines.set(part.name, line)
    else {
      const message = `The boundary in line ${first} is also called ${quote(part.name)}: give each boundary a different name.`
      faults.push(fault(file, nodeAt(root, [...path, "name"]).at, "boundary_duplicate", message))
    }
    const allow = (part.allow ?? []).map((entry, number): EntryReading => {
      const read = readEntry(file, root, [...path, "allow", number], entry, connections)
      faults.push(...read.faults)
      return read
    })
    const tooShort = allow.find(({ minTtlSeconds }) => minTtlSeconds > (part.max_ttl ?? Infinity))
    if (tooShort) {
      const least = formatDuration(tooShort.minTtlSeconds)
      const message = `${tooShort.entry.connection} mints credentials for at least ${least}, so this boundary would allow it nothing: raise max_ttl.`
      faults.push(fault(file, keyPosition(root, [...path, "max_ttl"]), "ttl_too_short", message))
    }
    faults.push(...emptyDemand(file, nodeAt(root, path), part.protected_environment, families))
    return {
      name: part.name,
      file,
      line,
      when: conditionsOf(part.when),
      allow: allow.map(({ entry }) => entry),
      require: conditionsOf(part.require),
      ...(part.people === undefined ? {} : { people: part.people }),
      ...(part.protected_environment === undefined ? {} : { protectedEnvironment: part.protected_environment }),
      ...(part.max_ttl === undefined ? {} : { maxTtlSeconds: part.max_ttl }),
    }
  })
  return { boundaries, faults }
}

/**
 * Refuses an empty `protected_environment` where no token could meet it: its author most likely forgot what to require.
 * `families` are those of the issuers whose jobs the file can be about.
 */
export function emptyDemand(
  file: string,
  part: YamlNode,
  demand: EnvironmentDemand | undefined,
  families: readonly FamilyFacts[],
): PolicyFault[] {
  if (demand === undefined || !isForAny(demand)) return []
  if (families.some(({ roles }) => roles.environmentProtected !== undefined)) return []
  const message =
    "protected_environment is empty, and tokens of this issuer do not say whether their environment is protected: write what you require, such as required_reviewers: true."
  return [fault(file, keyPosition(part, ["protected_environment"]), "value_empty", message)]
}

interface EntryReading {
  readonly entry: BoundaryEntry
  readonly minTtlSeconds: number
  readonly faults: readonly PolicyFault[]
}

/** Reports misspelled connections and fields when the file loads. Otherwise the boundary would silently deny everything. */
function readEntry(
  file: string,
  root: YamlNode,
  path: readonly (string | number)[],
  part: EntryPart,
  connections: Connections,
): EntryReading {
  const { connection, ...fields } = part
  const entry: BoundaryEntry = {
    connection,
    line: nodeAt(root, path).at.line,
    fields: new Map(Object.entries(fields as Readonly<Record<string, FieldCeiling>>)),
  }
  const reading = connections.get(connection)
  if (reading === undefined) {
    const hint =
      didYouMean(connection, connections.keys()) || ` Known: ${[...connections.keys()].join(", ") || "none"}.`
    const message = `This file defines no connection ${quote(connection)}.${hint}`
    const at = nodeAt(root, [...path, "connection"]).at
    return { entry, minTtlSeconds: 0, faults: [fault(file, at, "connection_unknown", message)] }
  }
  const known = reading.provider === null ? [] : knownKeys(reading.provider.grant, [])
  const unknown = known.length === 0 ? [] : [...entry.fields.keys()].filter((field) => !known.includes(field))
  const faults = unknown.map((field) => {
    const hint = didYouMean(field, known) || ` Known: ${known.join(", ")}.`
    const message = `Grants of ${connection} have no key ${quote(field)}.${hint}`
    return fault(file, keyPosition(root, [...path, field]), "key_unknown", message)
  })
  for (const [field, ceiling] of entry.fields) {
    if (ceiling.kind !== "map" || (field !== WHOLE && !isNeverMap(reading.provider?.grant, field))) continue
    const message = `${field} is not a map ${field === WHOLE ? "here: its from is compared" : `in grants of ${connection}`}, so this entry would allow nothing: write a pattern, or a list of patterns.`
    faults.push(fault(file, nodeAt(root, [...path, field]).at, "type_wrong", message))
  }
  for (const [field, ceiling] of entry.fields) {
    for (const { source, at } of patternsIn(ceiling, [field])) {
      const why = checkCeiling(reading, field, source)
      if (why === null) continue
      const message = `No grant of ${connection} would be inside: ${why}.`
      faults.push(fault(file, nodeAt(root, [...path, ...at]).at, "value_invalid", message))
    }
  }
  return { entry, minTtlSeconds: reading.provider?.minTtlSeconds ?? 0, faults }
}

function checkCeiling({ provider, connection }: ConnectionReading, field: string, pattern: string): string | null {
  return connection === null ? null : (provider?.checkCeiling?.(field, pattern, connection.settings) ?? null)
}

/** Every pattern of a field, with the way to it in the entry. */
function patternsIn(ceiling: FieldCeiling, at: readonly string[]): readonly PlacedPattern[] {
  if (ceiling.kind === "map") return [...ceiling.entries].flatMap(([key, inner]) => patternsIn(inner, [...at, key]))
  const { patterns } = ceiling
  return patterns.map(({ source }, index) => ({ source, at: [...at, index] }))
}

interface PlacedPattern {
  readonly source: string
  readonly at: readonly (string | number)[]
}

/** Whether a provider's field is certainly not a map. An unknown kind of schema may be one. */
function isNeverMap(grant: z.ZodType | undefined, field: string): boolean {
  if (!(grant instanceof z.ZodObject) || !Object.hasOwn(grant.shape, field)) return false
  let schema: unknown = grant.shape[field]
  while (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) schema = schema.unwrap()
  return [z.ZodString, z.ZodEnum, z.ZodNumber, z.ZodBoolean, z.ZodArray].some((kind) => schema instanceof kind)
}

/** The conditions of a parsed `when` or `require`. */
export function conditionsOf(when: Readonly<Record<string, Test>> | undefined): readonly Condition[] {
  return Object.entries(when ?? {}).map(([claim, test]) => ({ claim, test }))
}
