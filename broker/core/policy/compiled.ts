// Long because writing and reading back stand side by side: what one leaves out, the other would miss.
import type { Help } from "../../wire/exchange.ts"
import type { Condition, Test } from "./condition.ts"
import type {
  Boundary,
  BoundaryEntry,
  Connection,
  FieldCeiling,
  Grant,
  GrantTemplate,
  IssuerConfig,
  LimitEntry,
  Organisation,
  Policy,
  PolicySet,
  PolicyTarget,
  Rule,
} from "./model.ts"
import { compilePattern, type Pattern } from "./pattern.ts"
import { policySet } from "./policy-set.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"
import type { Alarms } from "./schema-alarms.ts"
import type { AlertEndpoint, Archive, ExportTarget } from "./schema-outbound.ts"

/**
 * A policy set as JSON. A build puts it into a bundle and a push into a store, so that a Worker starts without reading
 * YAML. It is made from a set that loaded without a fault. Nothing in it is checked again, except that its patterns are
 * compiled again.
 */
export interface CompiledPolicies {
  readonly version: string
  readonly organisation: CompiledOrganisation
  readonly policies: readonly CompiledPolicy[]
}

export interface CompiledOrganisation {
  readonly issuers: readonly (Omit<IssuerConfig, "owners"> & {
    readonly owners: readonly (readonly [string, string])[]
  })[]
  readonly connections: readonly Connection[]
  readonly boundaries: readonly CompiledBoundary[]
  readonly limits: readonly CompiledLimit[]
  readonly requireBoundToken: boolean
  readonly help?: Help
  readonly witnesses?: string
  readonly alerts?: Readonly<Record<string, AlertEndpoint>>
  readonly exports?: Readonly<Record<string, ExportTarget>>
  readonly archive?: Archive
  readonly alarms?: Alarms
}

type CompiledLimit = Omit<LimitEntry, "when"> & { readonly when: readonly CompiledCondition[] }

type CompiledBoundary = Omit<Boundary, "when" | "allow" | "require"> & {
  readonly when: readonly CompiledCondition[]
  readonly allow: readonly (Omit<BoundaryEntry, "fields"> & { readonly fields: CompiledFields })[]
  readonly require: readonly CompiledCondition[]
}

type CompiledFields = readonly (readonly [string, CompiledField])[]
/** Patterns, or for a map one such field for each key. */
type CompiledField = { readonly patterns: readonly string[] } | { readonly entries: CompiledFields }

export type CompiledPolicy = Omit<Policy, "target" | "allow" | "deny" | "grants"> & {
  /** Path -> text of each file that its grants name; left out when there are none. */
  readonly files?: Readonly<Record<string, string>>
  readonly target: { readonly id: string } | { readonly ownerId: string; readonly names: string }
  readonly allow: readonly CompiledRule[]
  readonly deny: readonly CompiledRule[]
  readonly grants: readonly CompiledGrant[]
}

type CompiledGrant = Omit<Grant, "connection" | "template" | "files"> & {
  readonly connection: string
  /** Paths of the policy's files. */
  readonly files?: readonly string[]
  readonly template?: Omit<GrantTemplate, "schemas">
}

type CompiledRule = Omit<Rule, "grants" | "conditions"> & {
  readonly grants: readonly string[] | "all"
  readonly conditions: readonly CompiledCondition[]
}

interface CompiledCondition {
  readonly claim: string
  readonly test:
    | { readonly kind: "any" | "none"; readonly patterns: readonly string[] }
    | Extract<Test, { readonly kind: "present" }>
}

/** Writes a loaded set as plain JSON values. */
export function compiled(set: PolicySet): CompiledPolicies {
  return {
    version: set.version,
    organisation: compiledOrganisation(set.organisation),
    policies: set.policies.map(compiledPolicy),
  }
}

/** Reads what `compiled` wrote. @throws {TypeError} when another version of `compiled` wrote it */
export function revived(from: CompiledPolicies, providers: ProviderSchemaTable): PolicySet {
  const organisation = revivedOrganisation(from.organisation)
  const policies = from.policies.map((policy) => revivedPolicy(policy, organisation, providers))
  return policySet(from.version, organisation, policies)
}

export function compiledOrganisation(organisation: Organisation): CompiledOrganisation {
  const {
    issuers,
    connections,
    boundaries,
    limits,
    requireBoundToken,
    help,
    alerts,
    exports,
    archive,
    alarms,
    witnesses,
  } = organisation
  return {
    issuers: [...issuers.values()].map((issuer) => ({ ...issuer, owners: [...issuer.owners] })),
    connections: [...connections.values()],
    boundaries: boundaries.map((boundary) => ({
      ...boundary,
      when: boundary.when.map(compiledCondition),
      allow: boundary.allow.map((entry) => ({ ...entry, fields: compiledFields(entry.fields) })),
      require: boundary.require.map(compiledCondition),
    })),
    limits: limits.map((entry) => ({ ...entry, when: entry.when.map(compiledCondition) })),
    requireBoundToken,
    ...(help && { help }),
    ...(alerts && { alerts: Object.fromEntries(alerts) }),
    ...(witnesses && { witnesses }),
    ...(exports && { exports: Object.fromEntries(exports) }),
    ...(archive && { archive }),
    ...(alarms && { alarms }),
  }
}

/** @throws {TypeError} as `revived` */
export function revivedOrganisation(from: CompiledOrganisation): Organisation {
  return {
    issuers: new Map(from.issuers.map((issuer) => [issuer.name, { ...issuer, owners: new Map(issuer.owners) }])),
    connections: new Map(from.connections.map((connection) => [connection.name, connection])),
    boundaries: from.boundaries.map((boundary) => ({
      ...boundary,
      when: boundary.when.map(revivedCondition),
      allow: boundary.allow.map((entry) => ({ ...entry, fields: revivedFields(entry.fields) })),
      require: boundary.require.map(revivedCondition),
    })),
    limits: from.limits.map((entry) => ({ ...entry, when: entry.when.map(revivedCondition) })),
    requireBoundToken: from.requireBoundToken,
    ...(from.help && { help: from.help }),
    ...(from.alerts && { alerts: new Map(Object.entries(from.alerts)) }),
    ...(from.witnesses && { witnesses: from.witnesses }),
    ...(from.exports && { exports: new Map(Object.entries(from.exports)) }),
    ...(from.archive && { archive: from.archive }),
    ...(from.alarms && { alarms: from.alarms }),
  }
}

export function compiledPolicy(policy: Policy): CompiledPolicy {
  const { target } = policy
  const files = [...policy.grants.values()].flatMap((grant) => [...(grant.files ?? [])])
  return {
    ...policy,
    target: target.kind === "unit" ? { id: target.id } : { ownerId: target.ownerId, names: target.names.source },
    allow: policy.allow.map(compiledRule),
    deny: policy.deny.map(compiledRule),
    grants: [...policy.grants.values()].map(compiledGrant),
    ...(files.length === 0 ? {} : { files: Object.fromEntries(files) }),
  }
}

/** @throws {TypeError} as `revived` */
export function revivedPolicy(
  { files, repository, ...from }: CompiledPolicy & { readonly repository?: string },
  organisation: Organisation,
  providers: ProviderSchemaTable,
): Policy {
  const texts = new Map(Object.entries(files ?? {}))
  return {
    ...from,
    // Sets that were compiled before there were other units call it the repository.
    unit: from.unit ?? repository ?? "",
    target: revivedTarget(from.target),
    allow: from.allow.map(revivedRule),
    deny: from.deny.map(revivedRule),
    grants: new Map(from.grants.map((grant) => [grant.name, revivedGrant(grant, organisation, providers, texts)])),
  }
}

function compiledGrant({ template, underCeiling: _, files, ...grant }: Grant): CompiledGrant {
  const named = files === undefined ? {} : { files: [...files.keys()] }
  const base = { ...grant, ...named, connection: grant.connection.name }
  return template === undefined ? base : { ...base, template: { raw: template.raw, claims: template.claims } }
}

function revivedGrant(
  { template, files, ...from }: CompiledGrant,
  organisation: Organisation,
  providers: ProviderSchemaTable,
  texts: ReadonlyMap<string, string>,
): Grant {
  const connection = organisation.connections.get(from.connection)
  if (!connection) throw new TypeError("a compiled policy names a connection that does not exist")
  const schemas = providers.get(connection.provider)
  const underCeiling = schemas?.underCeiling
  const grant = {
    ...from,
    connection,
    ...(underCeiling === undefined ? {} : { underCeiling }),
    ...(files === undefined ? {} : { files: new Map(files.map((path) => [path, textUnder(path, texts)])) }),
  }
  if (template === undefined) return grant
  if (!schemas) throw new TypeError("a compiled policy names a provider that does not exist")
  return { ...grant, template: { ...template, schemas } }
}

function textUnder(path: string, texts: ReadonlyMap<string, string>): string {
  const text = texts.get(path)
  if (text === undefined) throw new TypeError("a compiled policy names a file that does not exist")
  return text
}

function revivedTarget(target: CompiledPolicy["target"]): PolicyTarget {
  if ("id" in target) return { kind: "unit", id: target.id }
  return { kind: "owner", ownerId: target.ownerId, names: revivedPattern(target.names) }
}

const compiledRule = (rule: Rule): CompiledRule => ({
  ...rule,
  grants: rule.grants === "all" ? "all" : [...rule.grants],
  conditions: rule.conditions.map(compiledCondition),
})

const revivedRule = (rule: CompiledRule): Rule => ({
  ...rule,
  grants: rule.grants === "all" ? "all" : new Set(rule.grants),
  conditions: rule.conditions.map(revivedCondition),
})

function compiledCondition({ claim, test }: Condition): CompiledCondition {
  if (test.kind === "present") return { claim, test }
  return { claim, test: { kind: test.kind, patterns: test.patterns.map((pattern) => pattern.source) } }
}

function revivedCondition({ claim, test }: CompiledCondition): Condition {
  if (test.kind === "present") return { claim, test }
  return { claim, test: { kind: test.kind, patterns: test.patterns.map(revivedPattern) } }
}

function compiledFields(fields: ReadonlyMap<string, FieldCeiling>): CompiledFields {
  return [...fields].map(([name, field]) => [
    name,
    field.kind === "text"
      ? { patterns: field.patterns.map(({ source }) => source) }
      : { entries: compiledFields(field.entries) },
  ])
}

function revivedFields(fields: CompiledFields): ReadonlyMap<string, FieldCeiling> {
  return new Map(
    fields.map(([name, field]) => [
      name,
      "patterns" in field
        ? { kind: "text", patterns: field.patterns.map(revivedPattern) }
        : { kind: "map", entries: revivedFields(field.entries) },
    ]),
  )
}

function revivedPattern(source: string): Pattern {
  const pattern = compilePattern(source)
  if (!pattern.ok) throw new TypeError(`a compiled policy has an invalid pattern: ${pattern.fault}`)
  return pattern.value
}
