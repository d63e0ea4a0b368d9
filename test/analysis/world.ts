import * as z from "zod"
import { grantNamesOf, type Reach, reachesBy } from "../../analysis/reach/reach.ts"
import type { Witness } from "../../analysis/regions/region.ts"
import { axisMemo, type Space } from "../../analysis/regions/space.ts"
import { scopesOf } from "../../analysis/scopes/scope.ts"
import { type ScopePart, spaceFor } from "../../analysis/scopes/scope-space.ts"
import { type Survey, surveyOf } from "../../analysis/scopes/survey.ts"
import { type Decision, decide } from "../../broker/core/policy/decide.ts"
import type { ProtectionFact } from "../../broker/core/policy/environment-protection.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import type { PolicyFault, PolicySet } from "../../broker/core/policy/model.ts"
import { policySet } from "../../broker/core/policy/policy-set.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import { ok, type Result } from "../../broker/core/result.ts"
import { ISSUER_URL, identityOf } from "../core/policy/support.ts"
import { must } from "./patterns.ts"

/** One provider that takes fields of every shape, and one that rewrites what it is given. */
const PROVIDERS: ProviderSchemaTable = new Map([
  [
    "cloud",
    {
      connection: z.strictObject({}),
      grant: z.strictObject({
        role: z.string().optional(),
        region: z.string().default("eu"),
        scopes: z.array(z.string()).optional(),
        tags: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
      }),
      minTtlSeconds: 120,
      maxTtlSeconds: 3600,
      resource: () => "role",
    },
  ],
  [
    "shout",
    {
      connection: z.strictObject({}),
      grant: z.strictObject({ text: z.string().transform((text) => text.toUpperCase()) }),
      minTtlSeconds: 0,
      maxTtlSeconds: 3600,
      resource: () => "text",
    },
  ],
])

const HEAD = {
  version: 1,
  issuers: { github: { family: "github-actions", url: ISSUER_URL, owners: { acme: "9001", umbrella: "9002" } } },
  connections: { prod: { provider: "cloud" }, dev: { provider: "cloud" }, loud: { provider: "shout" } },
}

export interface WorldInput {
  readonly boundaries?: readonly unknown[]
  readonly policies: readonly Readonly<Record<string, unknown>>[]
  /** Indices of the policies that repositories keep for themselves. */
  readonly own?: readonly number[]
}

/** Loads an organisation and its policies, given as plain values, as the broker does. */
export function worldOf(input: WorldInput): PolicySet {
  const loaded = loadWorld(input)
  if (!loaded.ok)
    throw new Error(loaded.fault.map(({ file, code, message }) => `${file} ${code} ${message}`).join("\n"))
  return loaded.value
}

/** The same, for worlds that may have faults. */
export function loadWorld({
  boundaries = [],
  policies,
  own = [],
}: WorldInput): Result<PolicySet, readonly PolicyFault[]> {
  const files = [
    { path: "daypass.yaml", value: { ...HEAD, boundaries } as unknown },
    ...policies.map((policy, index) => ({ path: `${index}.yaml`, value: { version: 1, ...policy } as unknown })),
  ]
  // JSON is YAML: what is generated needs no writer of ours.
  const inputs = files.map(({ path, value }) => ({ path, bytes: new TextEncoder().encode(JSON.stringify(value)) }))
  const loaded = loadPolicySet(inputs, PROVIDERS)
  if (!loaded.ok) return loaded
  const { version, organisation } = loaded.value
  const origins = loaded.value.policies.map((policy) =>
    own.some((index) => policy.file === `${index}.yaml`) ? { ...policy, origin: "repository" as const } : policy,
  )
  return ok(policySet(version, organisation, origins))
}

export interface Answer {
  readonly survey: Survey
  readonly name: string
  readonly reaches: readonly Reach[]
}

/** All that a scope's policies could give, by a space that may have been made for others, too. */
export function answersIn(part: ScopePart, space: Space): readonly Answer[] {
  const survey = must(surveyOf(part, space))
  return grantNamesOf(part.scope).map((name) => ({ survey, name, reaches: must(reachesBy(survey, name)) }))
}

/** All that the policies of a set could give, each scope by a space of its own. */
export function reachesIn(set: PolicySet): readonly Answer[] {
  const memo = axisMemo()
  return scopesOf(set).flatMap((scope) => {
    const part = { scope, organisation: set.organisation }
    return answersIn(part, must(spaceFor([part], memo)))
  })
}

export const WELL_PROTECTED: ProtectionFact = {
  known: true,
  protection: { requiredReviewers: true, preventSelfReview: true, deploymentBranches: "protected" },
}

/** What the broker itself says to a job with just these claims. */
export function decideFor(set: PolicySet, claims: Witness, grant: string): Decision {
  const bare = Object.fromEntries(Object.keys(identityOf().claims).map((name) => [name, undefined]))
  const identity = identityOf({ ...bare, ...claims })
  const { organisation } = set
  const policies = set.policiesOf(identity)
  return decide({ organisation, policies, identity, grants: [grant], protection: WELL_PROTECTED })
}
