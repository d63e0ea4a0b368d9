import fc from "fast-check"
import * as z from "zod"
import { diffPolicySets } from "../../../analysis/diff/diff.ts"
import type { PolicyDiff } from "../../../analysis/diff/model.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../../broker/core/policy/provider-schemas.ts"
import { ISSUER_URL } from "../../core/policy/support.ts"

/** A provider whose connections have a list and other settings, and whose grants have fields of every shape. */
export const CLOUDS: ProviderSchemaTable = new Map([
  [
    "cloud",
    {
      connection: z.strictObject({
        region: z.string().optional(),
        accounts: z.array(z.string()).optional(),
      }),
      grant: z.strictObject({
        role: z.string().optional(),
        scopes: z.array(z.string()).optional(),
        tags: z.record(z.string(), z.string()).optional(),
      }),
      minTtlSeconds: 120,
      maxTtlSeconds: 3600,
      resource: (grant: unknown) => String((grant as { role?: string }).role ?? "everything"),
    },
  ],
])

export interface DiffWorld {
  readonly organisation?: Readonly<Record<string, unknown>>
  /** By file. */
  readonly policies: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

export const ISSUER = { family: "github-actions", url: ISSUER_URL, owners: { acme: "9001" } }
const ORGANISATION = {
  version: 1,
  issuers: { github: ISSUER },
  connections: { prod: { provider: "cloud" }, dev: { provider: "cloud" } },
}

/** Loads a world as the broker does; null when it has faults. */
export function loadDiffWorld({ organisation, policies }: DiffWorld): PolicySet | null {
  const files = [
    ["daypass.yaml", { ...ORGANISATION, ...organisation }] as const,
    ...Object.entries(policies).map(([path, policy]) => [path, { version: 1, ...policy }] as const),
  ]
  // JSON is YAML: what is generated needs no writer of ours.
  const inputs = files.map(([path, value]) => ({ path, bytes: new TextEncoder().encode(JSON.stringify(value)) }))
  const loaded = loadPolicySet(inputs, CLOUDS)
  return loaded.ok ? loaded.value : null
}

export function diffWorldOf(world: DiffWorld): PolicySet {
  const set = loadDiffWorld(world)
  if (set === null) throw new Error("a world with faults")
  return set
}

export const diffOf = (old: DiffWorld, next: DiffWorld): PolicyDiff =>
  diffPolicySets(diffWorldOf(old), diffWorldOf(next), { providers: CLOUDS })

const PATTERNS = ["a", "b", "*", "a*", "**", "push", "pull_request"]
const NAMES = ["acme/svc-a", "acme/svc-*", "acme/*", "acme/shop"]
const one = fc.oneof(
  fc.constantFrom(...PATTERNS),
  fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 2 }),
)
const test = fc.oneof({ weight: 4, arbitrary: one }, fc.record({ not: one }), fc.record({ present: fc.boolean() }))
const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 2 })
const claims = fc.dictionary(fc.constantFrom("ref", "team", "event_name"), test, {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
})
const when = fc
  .tuple(claims, fc.option(names, { nil: undefined, freq: 3 }))
  .map(([own, repository]) => ({ ...own, ...(repository === undefined ? {} : { repository }) }))
const grantNames = fc.uniqueArray(fc.constantFrom("deploy", "read"), { minLength: 1 })
const role = fc.constantFrom("a", "b", "svc-a", `\${repository_name}`, `\${team}`)
const fields = fc.record({ role, scopes: fc.array(role, { minLength: 1, maxLength: 2 }) }, { requiredKeys: [] })
const ttl = fc.constantFrom("10m", "20m")
const grants = fc.tuple(fields, ttl, fields).map(([deploy, lifetime, read]) => ({
  deploy: { connection: "prod", ...deploy, ttl: lifetime },
  read: { connection: "dev", ...read },
}))
const protectedEnvironment = fc.constantFrom(
  { required_reviewers: true },
  { required_reviewers: true, deployment_branches: ["protected", "custom"] },
  { deployment_branches: "protected", prevent_self_review: true },
)
const head = fc.constantFrom(
  { repository: "acme/svc-a", repository_id: "41" },
  { repository: "acme/shop", repository_id: "42" },
  { repository: "acme/*" },
  { repository: "acme/svc-*" },
)
const policy = fc
  .record(
    {
      head,
      environment: fc.option(fc.constant("production"), { nil: undefined, freq: 4 }),
      allow: fc.array(fc.record({ when, grants: grantNames }), { minLength: 1, maxLength: 2 }),
      deny: fc.array(fc.record({ when, grants: grantNames }, { requiredKeys: ["when"] }), {
        minLength: 1,
        maxLength: 2,
      }),
      grants,
      protected_environment: protectedEnvironment,
    },
    { requiredKeys: ["head", "environment", "grants", "allow"] },
  )
  .map(({ head: whose, environment, allow, deny, ...rest }) => ({
    ...whose,
    ...(environment === undefined ? {} : { environment }),
    ...rest,
    allow: allow.map((rule, index) => ({ name: `allow ${index}`, ...rule })),
    ...(deny ? { deny: deny.map((rule, index) => ({ name: `deny ${index}`, ...rule })) } : {}),
  }))
const ceilingRole = fc.constantFrom("a", "**", "*", "svc-*", ["a", "b"])
const entry = fc.record(
  {
    connection: fc.constantFrom("prod", "dev"),
    role: ceilingRole,
    scopes: ceilingRole,
    tags: fc.constantFrom("a", { k: "a" }, { k: "*", l: "b" }),
  },
  { requiredKeys: ["connection"] },
)
const boundary = fc.record(
  {
    when,
    allow: fc.array(entry, { minLength: 1, maxLength: 2 }),
    require: claims,
    max_ttl: fc.constantFrom("3m", "10m"),
    protected_environment: protectedEnvironment,
  },
  { requiredKeys: ["when"] },
)
const organisation = fc.record({
  issuers: fc.record({
    github: fc.record({ repository_policies: fc.boolean() }).map((more) => ({ ...ISSUER, ...more })),
  }),
  boundaries: fc
    .array(boundary, { maxLength: 2 })
    .map((all) => all.map((each, index) => ({ name: `b${index}`, ...each }))),
  connections: fc.record({
    prod: fc.record({ provider: fc.constant("cloud"), require_bound_token: fc.boolean() }),
    dev: fc.constant({ provider: "cloud" }),
  }),
})
export type GeneratedWorld = DiffWorld & { readonly organisation: Readonly<Record<string, unknown>> }
const world: fc.Arbitrary<GeneratedWorld> = fc.record({
  organisation,
  policies: fc.array(policy, { minLength: 1, maxLength: 3 }).map((all) => {
    // A grant is defined once for one target and environment.
    const key = (each: (typeof all)[number]) => `${each.repository} ${"environment" in each}`
    const kept = all.filter((each, index) => all.findIndex((other) => key(other) === key(each)) === index)
    return Object.fromEntries(kept.map((each, index) => [`${index}.yaml`, each]))
  }),
})

/** A world, and what became of it: a few of its parts are another world's. */
export const change: fc.Arbitrary<readonly [GeneratedWorld, GeneratedWorld]> = fc
  .tuple(world, world, fc.nat({ max: 255 }))
  .map(([old, other, mask]) => {
    const isTaken = (bit: number) => (mask >> bit) & 1
    const files = [...new Set([...Object.keys(old.policies), ...Object.keys(other.policies)])]
    const policies = Object.fromEntries(
      files.flatMap((file, index) => {
        const [mine, theirs] = [old.policies[file], other.policies[file]]
        if (!isTaken(index)) return mine ? [[file, mine]] : []
        // Half of a file: its rules are old, its grants new, say.
        if (mine && theirs && isTaken(3))
          return [[file, { ...mine, ...(isTaken(4) ? { allow: theirs.allow } : { grants: theirs.grants }) }]]
        return theirs ? [[file, theirs]] : []
      }),
    )
    const next = Object.fromEntries(
      Object.entries(old.organisation).map(([key, value], index) => [
        key,
        isTaken(5 + index) ? other.organisation[key] : value,
      ]),
    )
    return [old, { organisation: next, policies }] as const
  })

const simpleWhen = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ repository: "acme/*" }) },
  fc.constantFrom<Readonly<Record<string, unknown>>>(
    { repository: "acme/svc-*" },
    { repository: "acme/*", ref: "a*" },
    { repository: "acme/*", environment: "production" },
  ),
)
const ownBoundary = fc.record(
  {
    when: simpleWhen,
    allow: fc.array(entry, { minLength: 1, maxLength: 3 }),
    require: fc.constantFrom({ ref: "a*" }, { team: { not: "b" } }),
    max_ttl: fc.constantFrom("3m", "10m"),
    protected_environment: protectedEnvironment,
  },
  { requiredKeys: ["when", "allow"] },
)
const restriction = fc
  .record({
    head: fc.constantFrom({ repository: "acme/*" }, { repository: "acme/shop", repository_id: "42" }),
    deny: fc.constantFrom({ ref: "a" }, { team: ["a", "c"] }, { event_name: "a" }),
  })
  .map(({ head: whose, deny }) => ({ ...whose, environment: "production", deny: [{ name: "deny", when: deny }] }))
const ownWorld = fc.record({
  boundaries: fc
    .array(ownBoundary, { minLength: 1, maxLength: 2 })
    .map((all) => all.map((each, index) => ({ name: `b${index}`, ...each }))),
  isOpen: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false)),
  restrictions: fc.array(restriction, { maxLength: 2 }),
})

/** Worlds in which repositories keep policies of their own, and what became of each: one part of it is another world's. */
export const ownChange: fc.Arbitrary<readonly [DiffWorld, DiffWorld]> = fc
  .tuple(ownWorld, ownWorld, fc.constantFrom("boundaries", "isOpen", "restrictions", "all"))
  .map(([old, other, part]) => {
    const worldFrom = ({ boundaries, isOpen, restrictions }: typeof old): DiffWorld => ({
      organisation: { boundaries, issuers: { github: { ...ISSUER, repository_policies: isOpen } } },
      policies: Object.fromEntries(restrictions.map((each, index) => [`${index}.yaml`, each])),
    })
    return [worldFrom(old), worldFrom(part === "all" ? other : { ...old, [part]: other[part] })]
  })
