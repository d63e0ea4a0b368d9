import type { Condition, Test } from "./condition.ts"
import type { Connection, Grant, IssuerConfig, Organisation, Policy, PolicySet, Rule } from "./model.ts"
import { compilePattern } from "./pattern.ts"
import { policySet } from "./policy-set.ts"

/**
 * A policy set as JSON: what a build puts into a bundle, so that a Worker starts without reading YAML. Made from a set that
 * loaded without a fault; nothing in it is checked again but its patterns, which are compiled anew.
 */
export interface CompiledPolicies {
  readonly version: string
  readonly organisation: {
    readonly issuers: readonly (Omit<IssuerConfig, "owners"> & {
      readonly owners: readonly (readonly [string, string])[]
    })[]
    readonly connections: readonly Connection[]
    readonly requireBoundToken: boolean
  }
  readonly policies: readonly CompiledPolicy[]
}

type CompiledPolicy = Omit<Policy, "allow" | "deny" | "grants"> & {
  readonly allow: readonly CompiledRule[]
  readonly deny: readonly CompiledRule[]
  readonly grants: readonly (Omit<Grant, "connection"> & { readonly connection: string })[]
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
  const { issuers, connections, requireBoundToken } = set.organisation
  return {
    version: set.version,
    organisation: {
      issuers: [...issuers.values()].map((issuer) => ({ ...issuer, owners: [...issuer.owners] })),
      connections: [...connections.values()],
      requireBoundToken,
    },
    policies: set.policies.map((policy) => ({
      ...policy,
      allow: policy.allow.map(compiledRule),
      deny: policy.deny.map(compiledRule),
      grants: [...policy.grants.values()].map((grant) => ({ ...grant, connection: grant.connection.name })),
    })),
  }
}

/** Reads what `compiled` wrote. @throws {TypeError} when it was not written by `compiled` of this version */
export function revived(from: CompiledPolicies): PolicySet {
  const { issuers, connections, requireBoundToken } = from.organisation
  const organisation: Organisation = {
    issuers: new Map(issuers.map((issuer) => [issuer.name, { ...issuer, owners: new Map(issuer.owners) }])),
    connections: new Map(connections.map((connection) => [connection.name, connection])),
    requireBoundToken,
  }
  const policies = from.policies.map(
    (policy): Policy => ({
      ...policy,
      allow: policy.allow.map(revivedRule),
      deny: policy.deny.map(revivedRule),
      grants: new Map(
        policy.grants.map((grant) => [grant.name, { ...grant, connection: named(organisation, grant.connection) }]),
      ),
    }),
  )
  return policySet(from.version, organisation, policies)
}

const compiledRule = (rule: Rule): CompiledRule => ({
  ...rule,
  grants: rule.grants === "all" ? "all" : [...rule.grants],
  conditions: rule.conditions.map(({ claim, test }) => ({
    claim,
    test:
      test.kind === "present" ? test : { kind: test.kind, patterns: test.patterns.map((pattern) => pattern.source) },
  })),
})

const revivedRule = (rule: CompiledRule): Rule => ({
  ...rule,
  grants: rule.grants === "all" ? "all" : new Set(rule.grants),
  conditions: rule.conditions.map(revivedCondition),
})

function revivedCondition({ claim, test }: CompiledCondition): Condition {
  if (test.kind === "present") return { claim, test }
  const patterns = test.patterns.map((source) => {
    const pattern = compilePattern(source)
    if (!pattern.ok) throw new TypeError(`a compiled policy has a pattern that is none: ${pattern.fault}`)
    return pattern.value
  })
  return { claim, test: { kind: test.kind, patterns } }
}

function named(organisation: Organisation, name: string): Connection {
  const connection = organisation.connections.get(name)
  if (!connection) throw new TypeError("a compiled policy names a connection that is not there")
  return connection
}
