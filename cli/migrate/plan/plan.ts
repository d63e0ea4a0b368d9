import { audiencesOf } from "../../../analysis/trust/given.ts"
import { loadPolicySet, type PolicyInput } from "../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../../broker/core/result.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { policyPath } from "../../init/text.ts"
import { readWorkflows } from "../survey/repository.ts"
import type { RepositoryFile } from "../workflow/read.ts"
import { planFile } from "./file-plan.ts"
import type { Plan, PlanFault, ToTrust, Wish } from "./model.ts"
import type { OfferWorld } from "./offers.ts"
import {
  ambiguousGrant,
  type MigratedGrant,
  type MigratedPolicy,
  merged,
  policyText,
  readPolicy,
  replacementLine,
} from "./policy-file.ts"

/** The plan for one environment of one repository. Pure; the fault says why there is none. */
export function planFor(
  wish: Wish,
  files: readonly RepositoryFile[],
  { set, inputs }: { readonly set: PolicySet; readonly inputs: readonly PolicyInput[] },
): Result<Plan, PlanFault> {
  const repository = `${wish.owner}/${wish.name}`
  const path = migratedPath(wish)
  const known = inputs.find((input) => input.path === path)
  const before = known === undefined ? null : new TextDecoder().decode(known.bytes)
  const old = before === null ? null : readPolicy(path, before)
  if (old !== null && !old.ok) return old
  const world: OfferWorld = { ...worldOf(wish, set), repository, inputs, earlier: old?.value.grants ?? [] }
  const read = readWorkflows(files)
  const parts = read.workflows.map((file) => planFile(file, read, wish, world))
  const add: MigratedPolicy = {
    issuer: set.organisation.issuers.size > 1 ? issuerOf(set) : null,
    repository,
    repositoryId: wish.repositoryId,
    environment: wish.environment,
    rules: parts.flatMap(({ rule }) => rule ?? []),
    grants: parts.flatMap(({ grants }) => grants),
    replaced: parts.flatMap(({ replaced }) => replaced),
  }
  const ambiguous = ambiguousGrant([...(old?.value.grants ?? []), ...add.grants])
  if (ambiguous !== null)
    return fail(
      `${path} would have two different grants ${ambiguous}: write one of them into a policy file of your own, and use it by hand`,
    )
  const text = add.replaced.length === 0 ? before : policyText(merged(old?.value ?? null, add))
  const plan: Plan = {
    policy: text === null || text === before || add.grants.length === 0 ? null : { path, text, before },
    workflows: parts.flatMap(({ change }) => change ?? []),
    replaced: add.replaced,
    left: parts.flatMap(({ left }) => left),
    notes: [...new Set([...read.faults, ...parts.flatMap(({ notes }) => notes), ...unwritten(add)])],
    trust: trustFor(add.grants, old?.value.grants ?? [], set),
  }
  // The folder must load with the new file: a plan that the broker refuses would leave jobs without credentials.
  const together = plan.policy === null ? null : loadPolicySet(withFile(inputs, path, plan.policy.text), PROVIDERS)
  return together === null || together.ok ? ok(plan) : together
}

/** Without a grant of its own, the migration writes no file that `verify` could read. */
function unwritten({ grants, replaced }: MigratedPolicy): readonly string[] {
  if (grants.length > 0 || replaced.length === 0) return []
  return [
    `put these lines into the environment's policy file, so that migrate verify knows them: ${replaced.map(replacementLine).join(" ")}`,
  ]
}

/** New grants, by connections at which the broker logs in with its own tokens: the other side must know their subjects. */
function trustFor(
  grants: readonly MigratedGrant[],
  known: readonly MigratedGrant[],
  { organisation: { connections } }: PolicySet,
): readonly ToTrust[] {
  const fresh = grants.filter(({ name }) => !known.some((one) => one.name === name))
  const names = [...new Set(fresh.map(({ connection }) => connection))].filter((name) => {
    const connection = connections.get(name)
    return connection !== undefined && audiencesOf(connection, null, PROVIDERS).length > 0
  })
  return names.sort().map((connection) => ({
    connection,
    grants: [...new Set(fresh.flatMap((one) => (one.connection === connection ? one.name : [])))].sort(),
  }))
}

/** The file of a migration, beside the environment's own. */
export const migratedPath = ({
  owner,
  name,
  repositoryId: id,
  branch,
  environment,
}: Pick<Wish, "owner" | "name" | "repositoryId" | "branch" | "environment">): string =>
  policyPath({ owner, name, id, branch, ownerId: "" }, environment ?? undefined).replace(/\.yaml$/, "-migrated.yaml")

function worldOf(wish: Wish, set: PolicySet): Omit<OfferWorld, "repository" | "inputs" | "earlier"> {
  const path = migratedPath(wish)
  const policies = set.policies.filter(
    ({ target, environment, file }) =>
      target.kind === "unit" &&
      target.id === wish.repositoryId &&
      (environment ?? null) === wish.environment &&
      file !== path,
  )
  const { environment, store, locator, said } = wish
  return { set, policies, environment, store, locator, said }
}

const issuerOf = ({ organisation: { issuers } }: PolicySet): string | null =>
  [...issuers.values()].find(({ family }) => family === "github-actions")?.name ?? null

const withFile = (inputs: readonly PolicyInput[], path: string, text: string): readonly PolicyInput[] => [
  ...inputs.filter((input) => input.path !== path),
  { path, bytes: new TextEncoder().encode(text) },
]
