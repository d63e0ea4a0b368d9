import type { Help } from "../../wire/exchange.ts"
import { factsOf } from "../families/families.ts"
import { ownOwner } from "../families/units.ts"
import { parseWith } from "../parse-with.ts"
import { conditionsOf, readBoundaries } from "./boundaries.ts"
import { archiveFaults, exportFaults } from "./export-faults.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import { issuerFaults } from "./issuer-faults.ts"
import { keysOf } from "./issuer-keys.ts"
import { joinConnections } from "./joined-connections.ts"
import type { Boundary, Connection, ConnectionReading, IssuerConfig, Organisation, PolicyFault } from "./model.ts"
import { isPlainMap } from "./plain.ts"
import { boundaryEnvironmentFaults } from "./policy-environment.ts"
import { parseProviderPart } from "./provider-part.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"
import { type ConnectionBase, connectionBase, type OrganisationFile, organisationSchema } from "./schema.ts"
import { flagFaults } from "./schema-conditions.ts"
import { schemaFaults } from "./schema-faults.ts"
import { sharedAudiences } from "./shared-audiences.ts"
import { witnessFaults } from "./witness-faults.ts"
import { keyPosition, nodeAt, type YamlDocument, type YamlNode } from "./yaml.ts"

/** The readable parts of an organisation file. Policies are checked against them even when the file has faults. */
export interface OrganisationReading {
  readonly faults: readonly PolicyFault[]
  /** Null when there are faults. */
  readonly organisation: Organisation | null
  readonly issuerNames: readonly string[]
  /** Issuer -> family; entries with faults are left out. */
  readonly families: ReadonlyMap<string, string>
  /** Issuer -> owner name -> owner id; entries with faults are left out. */
  readonly owners: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly connections: ReadonlyMap<string, ConnectionReading>
}

const COMMON_KEYS = Object.keys(connectionBase.shape)

/** Reads the organisation file and reports every fault in it. */
export function readOrganisation(
  file: string,
  document: YamlDocument,
  providers: ProviderSchemaTable,
): OrganisationReading {
  const { root, value } = document
  const parsed = parseWith(organisationSchema, value)
  const faults = parsed.success
    ? []
    : schemaFaults({ file, root, path: [], schema: organisationSchema }, parsed.error.issues)
  faults.push(...Object.keys(sectionOf(value, "issuers")).flatMap((name) => issuerFaults(file, document, name)))

  const connections = new Map<string, ConnectionReading>()
  for (const [name, part] of Object.entries(sectionOf(value, "connections"))) {
    connections.set(name, readConnection(file, document, providers, name, part, faults))
  }
  joinConnections(file, root, connections, faults)
  let boundaries: readonly Boundary[] = []
  if (parsed.success) {
    faults.push(...sharedUrls(file, document, parsed.data))
    const families = Object.values(parsed.data.issuers).map(({ family }) => factsOf(family))
    const read = readBoundaries(file, root, parsed.data.boundaries ?? [], connections, families)
    boundaries = read.boundaries
    faults.push(...read.faults, ...sharedAudiences(file, root, connections))
    faults.push(...boundaryEnvironmentFaults(file, root, boundaries, families))
    faults.push(...exportFaults(file, root, parsed.data.exports ?? {}, connections))
    faults.push(...archiveFaults(file, root, parsed.data))
    faults.push(...witnessFaults(file, root, parsed.data.witnesses))
  }
  faults.push(...flagFaults(file, root, ["boundaries", "limits"]))
  const issuers = Object.entries(sectionOf(value, "issuers"))
  return {
    faults,
    organisation:
      parsed.success && faults.length === 0 ? compile(file, root, parsed.data, connections, boundaries) : null,
    issuerNames: issuers.map(([name]) => name),
    families: new Map(issuers.map(([name, issuer]) => [name, familyOf(issuer)])),
    owners: new Map(issuers.map(([name, issuer]) => [name, listedOwners(issuer)])),
    connections,
  }
}

/** The organisation in force, in the form that policies are checked against. */
export function readingOf(organisation: Organisation, providers: ProviderSchemaTable): OrganisationReading {
  const { issuers, connections } = organisation
  return {
    faults: [],
    organisation,
    issuerNames: [...issuers.keys()],
    families: new Map([...issuers].map(([name, { family }]) => [name, family])),
    owners: new Map([...issuers].map(([name, { owners }]) => [name, owners])),
    connections: new Map(
      [...connections].map(([name, connection]) => [
        name,
        { provider: providers.get(connection.provider) ?? null, connection },
      ]),
    ),
  }
}

function readConnection(
  file: string,
  { root }: YamlDocument,
  providers: ProviderSchemaTable,
  name: string,
  value: unknown,
  faults: PolicyFault[],
): ConnectionReading {
  const path = ["connections", name]
  const provider = isPlainMap(value) && typeof value["provider"] === "string" ? value["provider"] : null
  if (provider === null || !isPlainMap(value)) return { provider: null, connection: null }
  const schemas = providers.get(provider)
  if (schemas === undefined) {
    const hint = didYouMean(provider, providers.keys()) || ` Known: ${[...providers.keys()].join(", ")}.`
    const at = nodeAt(root, [...path, "provider"]).at
    faults.push(fault(file, at, "provider_unknown", `The provider ${quote(provider)} does not exist.${hint}`))
    return { provider: null, connection: null }
  }
  const settings = parseProviderPart(schemas.connection, { file, root, path, value, commonKeys: COMMON_KEYS })
  if (!settings.ok) faults.push(...settings.fault)
  const base = connectionBase.safeParse(value)
  if (!settings.ok || !base.success) return { provider: schemas, connection: null }
  const connection = compileConnection(name, base.data, settings.value)
  if (connection.maxTtlSeconds !== undefined && connection.maxTtlSeconds < schemas.minTtlSeconds) {
    const at = keyPosition(root, [...path, "max_ttl"])
    const message = `${provider} mints credentials for at least ${schemas.minTtlSeconds}s, so this connection could mint nothing: raise max_ttl.`
    faults.push(fault(file, at, "ttl_too_short", message))
  }
  return { provider: schemas, connection }
}

/**
 * Refuses two issuers with one URL: their order in the file would decide which owners are trusted. A slash at the end makes
 * no difference, because both spellings have the same keys.
 */
function sharedUrls(file: string, { root }: YamlDocument, { issuers }: OrganisationFile): PolicyFault[] {
  const names = new Map<string, string>()
  return Object.entries(issuers).flatMap(([name, issuer]) => {
    const url = urlOf(issuer)
    // That it is missing is a fault of its own.
    if (url === null) return []
    const place = url.replace(/\/$/, "")
    const other = names.get(place)
    names.set(place, name)
    if (other === undefined) return []
    const message =
      issuer.url === undefined
        ? `The issuer ${quote(other)} is of the family ${issuer.family} too, and all of its issuers are the same: keep one.`
        : `The issuer ${quote(other)} already has this url: merge the two issuers and their owners into one.`
    const at = nodeAt(root, ["issuers", name, "url"]).at
    return [fault(file, at, "value_invalid", message)]
  })
}

function compile(
  file: string,
  root: YamlNode,
  parsed: OrganisationFile,
  readings: ReadonlyMap<string, ConnectionReading>,
  boundaries: readonly Boundary[],
): Organisation {
  const issuers = Object.entries(parsed.issuers).map(([name, issuer]): IssuerConfig => {
    const { family, owners = {}, max_token_lifetime: lifetime } = issuer
    const facts = factsOf(family)
    const url = urlOf(issuer) ?? ""
    const limit = lifetime === undefined ? {} : { maxTokenLifetimeSeconds: lifetime }
    const repositoryPolicies = issuer.repository_policies ?? false
    const { control_repository: controlRepository, organisation_properties: organisationProperties } = issuer
    const words = {
      ...(issuer.audience === undefined ? {} : { audience: issuer.audience }),
      ...(issuer.other_audiences === undefined ? {} : { otherAudiences: issuer.other_audiences }),
      ...(controlRepository === undefined ? {} : { controlRepository }),
      ...(organisationProperties === undefined ? {} : { organisationProperties }),
    }
    const ownersById = new Map(Object.entries(facts.ownerId === undefined ? ownOwner(url) : owners))
    return { name, family, url, owners: ownersById, repositoryPolicies, ...limit, ...words, ...keysOf(issuer, facts) }
  })
  const connections = [...readings.values()].flatMap(({ connection }) => (connection === null ? [] : [connection]))
  return {
    issuers: new Map(issuers.map((issuer) => [issuer.name, issuer])),
    connections: new Map(connections.map((connection) => [connection.name, connection])),
    boundaries,
    limits: (parsed.limits ?? []).map(({ when, ...max }, index) => {
      return { file, line: nodeAt(root, ["limits", index]).at.line, when: conditionsOf(when), max }
    }),
    requireBoundToken: parsed.require_bound_token ?? false,
    ...(parsed.help && { help: parsed.help as Help }),
    ...(parsed.alerts && { alerts: new Map(Object.entries(parsed.alerts)) }),
    ...(parsed.witnesses && { witnesses: parsed.witnesses }),
    ...(parsed.exports && { exports: new Map(Object.entries(parsed.exports)) }),
    ...(parsed.archive && { archive: parsed.archive }),
    ...(parsed.alarms && { alarms: parsed.alarms }),
  }
}

function compileConnection(name: string, base: ConnectionBase, settings: unknown): Connection {
  return {
    name,
    provider: base.provider,
    settings,
    requireBoundToken: base.require_bound_token ?? false,
    ...(base.people === undefined ? {} : { people: base.people }),
    ...(base.max_ttl === undefined ? {} : { maxTtlSeconds: base.max_ttl }),
  }
}

function sectionOf(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const section = isPlainMap(value) ? value[key] : undefined
  return isPlainMap(section) ? section : {}
}

/** The issuer's URL, which it has from its family where the file lists none; null when it is missing. */
const urlOf = ({ family, url }: { readonly family: string; readonly url?: string | undefined }): string | null =>
  factsOf(family).fixedUrl ?? url ?? null

/** A family that is no text is a fault of its own. */
function familyOf(issuer: unknown): string {
  const family = isPlainMap(issuer) ? issuer["family"] : undefined
  return typeof family === "string" ? family : ""
}

function listedOwners(issuer: unknown): ReadonlyMap<string, string> {
  const { fixedUrl, ownerId } = factsOf(familyOf(issuer))
  const url = fixedUrl ?? (isPlainMap(issuer) ? issuer["url"] : undefined)
  if (ownerId === undefined && typeof url === "string") {
    return new Map(Object.entries(ownOwner(url)))
  }
  const owners = Object.entries(sectionOf(issuer, "owners"))
  return new Map(owners.filter((entry): entry is [string, string] => typeof entry[1] === "string"))
}
