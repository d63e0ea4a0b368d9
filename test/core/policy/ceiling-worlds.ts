import fc from "fast-check"
import * as z from "zod"
import { cautionsOf } from "../../../broker/core/families/cautions.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import type { Claims, ClaimValue, Identity } from "../../../broker/core/identity.ts"
import type { Condition, Test } from "../../../broker/core/policy/condition.ts"
import type { DecisionInput } from "../../../broker/core/policy/decide.ts"
import type { EnvironmentDemand, ProtectionFact } from "../../../broker/core/policy/environment-protection.ts"
import type {
  Boundary,
  Connection,
  FieldCeiling,
  Grant,
  Organisation,
  Policy,
  Rule,
} from "../../../broker/core/policy/model.ts"
import { compilePattern, type Pattern } from "../../../broker/core/policy/pattern.ts"
import type { ProviderSchemaTable } from "../../../broker/core/policy/provider-schemas.ts"
import { claimsOf, hasGaps } from "../../../broker/core/policy/template.ts"
import { job } from "../job.ts"

// Small worlds in which policies, boundaries and jobs collide all the time: written as plain data, which the naive reading in
// naive-ceiling.ts judges as it stands, and which is turned into the engine's own model here.

export type TestText = { any: string[] } | { none: string[] } | { present: boolean }
export type When = Readonly<Record<string, TestText>>
/** Patterns, or one of these for each key. */
export type FieldText = readonly string[] | { readonly [key: string]: FieldText }

export interface EntryText {
  readonly connection: string
  readonly fields: Readonly<Record<string, FieldText>>
}

export interface BoundaryText {
  readonly when: When
  readonly allow: readonly EntryText[]
  readonly require: When
  readonly demand: EnvironmentDemand | undefined
  readonly maxTtl: number | undefined
}

export interface RuleText {
  readonly when: When
  readonly grants: readonly string[] | "all"
}

export interface GrantText {
  readonly connection: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly ttl: number
}

export interface PolicyText {
  readonly origin: "organisation" | "repository"
  readonly target: { readonly id: string; readonly repository: string } | { readonly ownerId: string; names: string }
  readonly environment: string | undefined
  readonly demand: EnvironmentDemand | undefined
  readonly allow: readonly RuleText[]
  readonly deny: readonly RuleText[]
  readonly grants: Readonly<Record<string, GrantText>>
}

export interface World {
  readonly boundaries: readonly BoundaryText[]
  readonly policies: readonly PolicyText[]
  readonly identity: Identity
  readonly fact: ProtectionFact | undefined
  readonly asked: readonly string[]
  readonly ttl: number | undefined
}

export const ISSUER_URL = "https://token.actions.githubusercontent.com"
/** The organisation was called acme-old once, and is called acme-inc by its host now. */
export const OWNERS: ReadonlyMap<string, string> = new Map([
  ["acme", "9001"],
  ["lab", "9002"],
])
export const MIN_TTL_SECONDS = 60
export const GRANTS = ["one", "two"]
/** The conflict that the provider sees between a grant and its connection. */
export const FORBIDDEN_ROLE = "role/forbidden"

const CONNECTIONS: ReadonlyMap<string, Connection> = new Map(
  ["cloud", "vault"].map((name) => [name, { name, provider: "any", settings: {}, requireBoundToken: false }]),
)

export const PROVIDERS: ProviderSchemaTable = new Map([
  [
    "any",
    {
      connection: z.unknown(),
      grant: z.looseObject({}),
      check: (grant: unknown) => {
        const { role } = grant as { role?: unknown }
        return role === FORBIDDEN_ROLE ? "its role is forbidden" : null
      },
      minTtlSeconds: MIN_TTL_SECONDS,
      maxTtlSeconds: 3600,
      resource: () => "any",
    },
  ],
])

const from = <Value>(...values: readonly Value[]) => fc.constantFrom(...values)
/** Left out as often as `without` of `without + 2` times. */
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>, without = 1) =>
  fc.oneof({ weight: 2, arbitrary }, { weight: without, arbitrary: fc.constant(undefined) })

/** A gap in a grant, as policies write it. */
export const gap = (claim: string) => `$\{${claim}}`

/** What each claim can be, and what policies say of it. */
const POOLS: Readonly<Record<string, { readonly values: readonly string[]; readonly patterns: readonly string[] }>> = {
  ref: { values: ["main", "main", "main", "dev", "a/b"], patterns: ["main", "*", "**", "m*", "dev"] },
  event_name: {
    values: [...Array(8).fill("push"), "pull_request_target"],
    patterns: ["push", "*", "**", "pull_request_target"],
  },
  runner: { values: ["hosted", "hosted", "hosted", "self"], patterns: ["hosted", "self", "h*"] },
  repository: {
    values: ["acme/shop", "acme/svc-a", "acme/svc-b", "acme-inc/svc-a", "lab/svc-a"],
    patterns: ["acme/shop", "acme/*", "acme/svc-*", "acme-inc/*", "acme/svc-a", "**"],
  },
  repository_owner: { values: ["acme"], patterns: ["acme", "acme-inc", "lab", "*"] },
  repository_id: { values: ["41", "42"], patterns: ["41", "42", "4*"] },
  repository_owner_id: { values: ["9001"], patterns: ["9001", "9002"] },
  enterprise: { values: ["e"], patterns: ["e", "f"] },
}
export const CLAIMS = [...Object.keys(POOLS), "team"]

const conditionOn = (claims: readonly string[], withPresence: boolean): fc.Arbitrary<[string, TestText]> =>
  from(...claims).chain((claim) => {
    const patterns = fc.uniqueArray(from(...(POOLS[claim]?.patterns ?? ["*"])), { minLength: 1, maxLength: 2 })
    return fc.tuple(
      fc.constant(claim),
      fc.oneof(
        { weight: 6, arbitrary: patterns.map((any): TestText => ({ any })) },
        { weight: 1, arbitrary: patterns.map((none): TestText => ({ none })) },
        { weight: withPresence ? 1 : 0, arbitrary: fc.boolean().map((present): TestText => ({ present })) },
      ),
    )
  })

const whenOf = (claims: readonly string[], minLength: number, withPresence: boolean): fc.Arbitrary<When> =>
  fc.array(conditionOn(claims, withPresence), { minLength, maxLength: 2 }).map((pairs) => Object.fromEntries(pairs))

const JOB_CLAIMS = ["ref", "ref", "event_name", "runner"]
const BOUNDARY_CLAIMS = [...Object.keys(POOLS), ...Array<string>(8).fill("repository"), "repository_owner"]

/** Conditions for whatever is added to a world later, too. */
export const jobCondition = conditionOn(JOB_CLAIMS, true)

const demand: fc.Arbitrary<EnvironmentDemand> = fc
  .record({
    requiredReviewers: fc.boolean(),
    preventSelfReview: fc.boolean(),
    branches: maybe(fc.subarray(["protected", "custom"] as const, { minLength: 1 })),
  })
  .map(({ branches, ...rest }) => ({ ...rest, ...(branches ? { deploymentBranches: branches } : {}) }))

const fieldTexts: fc.Arbitrary<Readonly<Record<string, FieldText>>> = fc
  .record({
    role: maybe(from<FieldText>(["role/shop-*"], ["role/**"], ["role/*"], ["role/svc-a", "role/admin"]), 3),
    tags: maybe(from<FieldText>({ team: ["shop"] }, { team: ["*"], x: ["y"] }, ["shop"], ["shop", "y"]), 6),
    arns: maybe(from<FieldText>(["p1"], ["p*"]), 6),
    level: maybe(from<FieldText>(["1"], ["true"], ["*"]), 6),
  })
  .map(defined)

const entry: fc.Arbitrary<EntryText> = fc.record({ connection: from("cloud", "cloud", "vault"), fields: fieldTexts })

const boundaryOf = (withPresence: boolean): fc.Arbitrary<BoundaryText> =>
  fc.record({
    when: whenOf(BOUNDARY_CLAIMS, 1, withPresence),
    allow: fc.oneof(
      { weight: 5, arbitrary: fc.array(entry, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constant([]) },
    ),
    require: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: whenOf(JOB_CLAIMS, 1, withPresence) },
    ),
    demand: maybe(demand, 6),
    maxTtl: maybe(from(30, 60, 300, 1200), 2),
  })

export const boundary = boundaryOf(true)

const grantFields = fc
  .record({
    role: maybe(
      from("role/shop-a", "role/admin", `role/${gap("repository_name")}`, `role/${gap("team")}`, FORBIDDEN_ROLE),
      1,
    ),
    tags: maybe(from<unknown>({}, { team: "shop" }, { team: "shop", x: "y" }, { team: ["shop", gap("team")] }), 1),
    arns: maybe(from<unknown>([], ["p1"], ["p1", "p2"], "p1", [["p1"], ["q"]]), 1),
    level: maybe(from<unknown>(1, true, "1", 1.5, null, -0), 1),
  })
  .map(defined)

const grant: fc.Arbitrary<GrantText> = fc.record({
  connection: from("cloud", "cloud", "vault"),
  fields: grantFields,
  ttl: from(60, 600, 900),
})

const ruleOf = (grants: fc.Arbitrary<readonly string[] | "all">, withPresence: boolean): fc.Arbitrary<RuleText> =>
  fc.record({ when: whenOf(JOB_CLAIMS, 0, withPresence), grants })

const someGrants = fc.subarray(GRANTS, { minLength: 1 })

const denyOf = (withPresence: boolean) => ruleOf(fc.oneof(someGrants, fc.constant("all" as const)), withPresence)

export const denyRule = denyOf(true)

const target: fc.Arbitrary<PolicyText["target"]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ id: from(...Array(7).fill("41"), "42"), repository: from("acme/shop", "acme/svc-a") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ ownerId: from("9001", "9001", "9001", "9002"), names: from("*", "svc-*", "*", "**") }),
  },
)

const policyOf = (withPresence: boolean): fc.Arbitrary<PolicyText> =>
  fc
    .record({
      origin: from(...Array<"organisation">(3).fill("organisation"), "repository" as const),
      target,
      environment: from(...Array(20).fill("production"), undefined),
      demand: maybe(demand, 30),
      allow: fc.array(ruleOf(someGrants, withPresence), { minLength: 1, maxLength: 3 }),
      deny: fc.oneof(
        { weight: 9, arbitrary: fc.constant<RuleText[]>([]) },
        { weight: 1, arbitrary: fc.array(denyOf(withPresence), { minLength: 1, maxLength: 1 }) },
      ),
      offered: fc.oneof({ weight: 1, arbitrary: fc.subarray(GRANTS) }, { weight: 4, arbitrary: fc.constant(GRANTS) }),
      grants: fc.tuple(grant, grant),
    })
    .map(({ offered, grants, ...rest }) => ({
      ...rest,
      grants: Object.fromEntries(
        GRANTS.flatMap((name, index) => (offered.includes(name) ? [[name, grants[index] as GrantText]] : [])),
      ),
    }))

const claimValue = (claim: string): fc.Arbitrary<ClaimValue | undefined> =>
  fc.oneof(
    { weight: 20, arbitrary: from<ClaimValue>(...(POOLS[claim]?.values ?? ["shop"])) },
    {
      weight: 1,
      arbitrary: from<ClaimValue | undefined>(undefined, null, true, 1.5, ["main", "hosted", "push"], [{}]),
    },
  )

/** Repositories as hosts know them; the last is a stranger's. */
const HOMES: readonly { readonly repository: string; readonly unitId: string; readonly ownerId: string }[] = [
  ...Array(14).fill({ repository: "acme/shop", unitId: "41", ownerId: "9001" }),
  ...Array(8).fill({ repository: "acme/svc-a", unitId: "41", ownerId: "9001" }),
  { repository: "acme-inc/svc-a", unitId: "42", ownerId: "9001" },
  { repository: "acme-inc/svc-b", unitId: "43", ownerId: "9001" },
  { repository: "lab/svc-a", unitId: "41", ownerId: "9002" },
  { repository: "acme/shop", unitId: "41", ownerId: "666" },
]

const identity: fc.Arbitrary<Identity> = fc
  .record({
    home: from(...HOMES),
    environment: from(...Array<string>(20).fill("production"), undefined, "Production"),
    ref: claimValue("ref"),
    event_name: claimValue("event_name"),
    runner: claimValue("runner"),
    enterprise: maybe(from<ClaimValue>("e", "f")),
    team: maybe(from<ClaimValue>("shop", "admin", "shop", "..", "a/b", "", "forbidden", 7, ["shop"]), 1),
    hidden: maybe(from(...CLAIMS), 14),
  })
  .map(({ home, environment, hidden, ...claims }) => {
    const owner = home.repository.slice(0, home.repository.indexOf("/"))
    const all: Record<string, ClaimValue> = Object.assign(Object.create(null), {
      ...defined(claims),
      repository: home.repository,
      repository_id: home.unitId,
      repository_owner: owner,
      repository_owner_id: home.ownerId,
    })
    if (hidden !== undefined) delete all[hidden]
    const { environment: _, ...anywhere } = job({ ...home, owner, claims: all as Claims })
    const event = typeof claims.event_name === "string" ? claims.event_name : "push"
    const cautions = cautionsOf(GITHUB_ACTIONS, { event_name: event })
    return { ...anywhere, event, cautions, ...(environment === undefined ? {} : { environment }) }
  })

const fact: fc.Arbitrary<ProtectionFact | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant<ProtectionFact>({ known: false, reason: "nobody knows" }),
  fc
    .record({
      requiredReviewers: fc.boolean(),
      preventSelfReview: fc.boolean(),
      deploymentBranches: from("all" as const, "protected" as const, "custom" as const),
    })
    .map((protection): ProtectionFact => ({ known: true, protection })),
)

/** `presence`: whether conditions may ask for the absence of a claim, which laws about deleting claims leave out. */
export const worldOf = ({ presence }: { readonly presence: boolean }): fc.Arbitrary<World> =>
  fc
    .record({
      boundaries: fc.array(boundaryOf(presence), { maxLength: 3 }),
      policies: fc.array(policyOf(presence), { minLength: 1, maxLength: 3 }),
      twice: from(false, false, false, false, true),
      identity,
      fact,
      asked: fc.oneof({ weight: 4, arbitrary: from(...GRANTS).map((name) => [name]) }, fc.constant(GRANTS)),
      ttl: maybe(from(0, 30, 60, 120, 5000, Number.NaN), 12),
    })
    .map(({ twice, policies, ...rest }) => ({ ...rest, policies: twice ? policies : definedOnce(policies) }))

/** What a loader lets through, mostly: each grant defined by one policy. */
function definedOnce(policies: readonly PolicyText[]): readonly PolicyText[] {
  const seen = new Set<string>()
  return policies.map((policy) => {
    const fresh = Object.entries(policy.grants).filter(([name]) => !seen.has(name))
    for (const [name] of fresh) seen.add(name)
    return { ...policy, grants: Object.fromEntries(fresh) }
  })
}

/** The world as the engine is asked about it. */
export function inputOf({ boundaries, policies, identity, fact, asked, ttl }: World): DecisionInput {
  return {
    organisation: organisationOf(boundaries),
    policies: policies.map(policyFrom),
    identity,
    grants: asked,
    ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
    ...(fact === undefined ? {} : { protection: fact }),
  }
}

export const organisationOf = (boundaries: readonly BoundaryText[]): Organisation => ({
  issuers: new Map([
    ["github", { name: "github", family: "github-actions", url: ISSUER_URL, owners: OWNERS, repositoryPolicies: true }],
  ]),
  connections: CONNECTIONS,
  boundaries: boundaries.map(boundaryFrom),
  limits: [],
  requireBoundToken: false,
})

function boundaryFrom({ when, allow, require, demand, maxTtl }: BoundaryText, index: number): Boundary {
  return {
    name: `boundary ${index}`,
    file: "daypass.yaml",
    line: index + 1,
    when: conditionsFrom(when),
    allow: allow.map(({ connection, fields }, line) => ({ connection, line, fields: ceilingsFrom(fields) })),
    require: conditionsFrom(require),
    ...(demand === undefined ? {} : { protectedEnvironment: demand }),
    ...(maxTtl === undefined ? {} : { maxTtlSeconds: maxTtl }),
  }
}

function policyFrom({ origin, target, environment, demand, allow, deny, grants }: PolicyText, index: number): Policy {
  const file = `${index}.yaml`
  const rules = (kind: Rule["kind"], texts: readonly RuleText[]) =>
    texts.map(({ when, grants: named }, line): Rule => {
      const covered = named === "all" ? named : new Set(named)
      return { kind, name: `${kind} ${line}`, file, line, grants: covered, conditions: conditionsFrom(when) }
    })
  const reach = "id" in target ? target.repository : `acme/${target.names}`
  return {
    file,
    issuer: "github",
    unit: reach,
    target:
      "id" in target
        ? { kind: "unit", id: target.id }
        : { kind: "owner", ownerId: target.ownerId, names: patternFrom(target.names) },
    ...(environment === undefined ? {} : { environment }),
    origin,
    ...(demand === undefined ? {} : { protectedEnvironment: demand }),
    allow: rules("allow", allow),
    deny: rules("deny", deny),
    grants: new Map(Object.entries(grants).map(([name, text]) => [name, grantFrom(file, name, text)])),
  }
}

function grantFrom(file: string, name: string, { connection, fields, ttl }: GrantText): Grant {
  const found = CONNECTIONS.get(connection)
  const schemas = PROVIDERS.get("any")
  if (!found || !schemas) throw new Error("the world has no such connection")
  const grant = { name, file, line: 1, connection: found, fields, ttlSeconds: ttl, minTtlSeconds: MIN_TTL_SECONDS }
  return hasGaps(fields) ? { ...grant, template: { raw: fields, claims: claimsOf(fields), schemas } } : grant
}

function conditionsFrom(when: When): readonly Condition[] {
  return Object.entries(when).map(([claim, test]) => ({ claim, test: testFrom(test) }))
}

function testFrom(test: TestText): Test {
  if ("present" in test) return { kind: "present", present: test.present }
  if ("any" in test) return { kind: "any", patterns: test.any.map(patternFrom) }
  return { kind: "none", patterns: test.none.map(patternFrom) }
}

function ceilingsFrom(fields: Readonly<Record<string, FieldText>>): ReadonlyMap<string, FieldCeiling> {
  return new Map(
    Object.entries(fields).map(([name, field]): [string, FieldCeiling] => [
      name,
      isPatterns(field)
        ? { kind: "text", patterns: field.map(patternFrom) }
        : { kind: "map", entries: ceilingsFrom(field) },
    ]),
  )
}

export const isPatterns = (field: FieldText): field is readonly string[] => Array.isArray(field)

const PATTERNS = new Map<string, Pattern>()

function patternFrom(source: string): Pattern {
  const before = PATTERNS.get(source)
  if (before) return before
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new Error(compiled.fault)
  PATTERNS.set(source, compiled.value)
  return compiled.value
}

/** The same record without the keys that have no value. */
function defined<Value extends object>(record: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never
}
