import { applied, type Edit } from "../../../analysis/used/yaml-edits.ts"
import { loadPolicySet, type PolicyInput } from "../../../broker/core/policy/load.ts"
import type { PolicyFault, PolicySet } from "../../../broker/core/policy/model.ts"
import { ok, type Result } from "../../../broker/core/result.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { policyPath } from "../../init/text.ts"
import { readWorkflows } from "../survey/repository.ts"
import type { RepositoryFile, WorkflowFile } from "../workflow/read.ts"
import { keysAt, readWorkflow, textAt, usesOf } from "../workflow/read.ts"
import { jobsOf, type SecretUse, secretUsesOf, type Workflows } from "../workflow/secret-uses.ts"
import { type ActionStep, editsOf } from "./job-edits.ts"
import { type JobPlan, jobFault, type Left, planJob } from "./job-plan.ts"
import type { OfferWorld } from "./offers.ts"
import {
  type MigratedGrant,
  type MigratedPolicy,
  type MigratedRule,
  merged,
  policyText,
  type Replacement,
  readPolicy,
  replacementLine,
} from "./policy-file.ts"
import { type Triggers, triggersOf } from "./triggers.ts"

/** What is to be moved, and by which means. */
export interface Wish extends ActionStep {
  readonly owner: string
  readonly name: string
  readonly repositoryId: string
  readonly branch: string
  /** Null: jobs that run in no environment. */
  readonly environment: string | null
  readonly store: string | undefined
  readonly locator: string | undefined
}

/** A workflow before and after. */
export interface FileChange {
  readonly path: string
  readonly before: string
  readonly after: string
  readonly edits: readonly Edit[]
}

export interface Plan {
  /** The policy file, from the policy folder; null when it stays as it is. */
  readonly policy: { readonly path: string; readonly text: string; readonly before: string | null } | null
  readonly workflows: readonly FileChange[]
  readonly replaced: readonly Replacement[]
  readonly left: readonly Left[]
  readonly notes: readonly string[]
}

export type PlanFault = string | readonly PolicyFault[]

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
  const world: OfferWorld = { ...worldOf(wish, set, inputs), repository }
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
  const text = add.replaced.length === 0 ? before : policyText(merged(old?.value ?? null, add))
  const plan: Plan = {
    policy: text === null || text === before || add.grants.length === 0 ? null : { path, text, before },
    workflows: parts.flatMap(({ change }) => change ?? []),
    replaced: add.replaced,
    left: parts.flatMap(({ left }) => left),
    notes: [...new Set([...read.faults, ...parts.flatMap(({ notes }) => notes), ...unwritten(add)])],
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

/** The file of a migration, beside the environment's own. */
export const migratedPath = ({
  owner,
  name,
  repositoryId: id,
  branch,
  environment,
}: Pick<Wish, "owner" | "name" | "repositoryId" | "branch" | "environment">): string =>
  policyPath({ owner, name, id, branch, ownerId: "" }, environment ?? undefined).replace(/\.yaml$/, "-migrated.yaml")

function worldOf(wish: Wish, set: PolicySet, inputs: readonly PolicyInput[]): Omit<OfferWorld, "repository"> {
  const path = migratedPath(wish)
  const policies = set.policies.filter(
    ({ target, environment, file }) =>
      target.kind === "unit" &&
      target.id === wish.repositoryId &&
      (environment ?? null) === wish.environment &&
      file !== path,
  )
  return { set, inputs, policies, environment: wish.environment, store: wish.store, locator: wish.locator }
}

const issuerOf = ({ organisation: { issuers } }: PolicySet): string | null =>
  [...issuers.values()].find(({ family }) => family === "github-actions")?.name ?? null

const withFile = (inputs: readonly PolicyInput[], path: string, text: string): readonly PolicyInput[] => [
  ...inputs.filter((input) => input.path !== path),
  { path, bytes: new TextEncoder().encode(text) },
]

interface FilePlan {
  readonly change: FileChange | null
  readonly rule: MigratedRule | null
  readonly grants: readonly MigratedGrant[]
  readonly replaced: readonly Replacement[]
  readonly left: readonly Left[]
  readonly notes: readonly string[]
}

function planFile(file: WorkflowFile, all: Workflows, wish: Wish, world: OfferWorld): FilePlan {
  const uses = secretUsesOf(file, all).filter(({ kind }) => kind !== "stays")
  const left: Left[] = []
  const leave = (some: readonly SecretUse[], why: string) =>
    left.push(...some.map(({ line, job, secret }) => ({ file: file.path, line, job, secret, why })))
  const jobs = jobsOf(file).filter((job) => isOfEnvironment(file, job, wish.environment))
  if (jobs.some((job) => uses.some((use) => use.job === job)) || jobs.length === jobsOf(file).length)
    leave(
      uses.filter(({ job }) => job === null),
      "it is above the jobs, for all of them: move it to the jobs that need it",
    )
  const plans: { readonly plan: JobPlan; readonly triggers: Triggers; readonly edits: readonly Edit[] }[] = []
  for (const job of jobs) {
    const own = uses.filter((use) => use.job === job)
    if (own.length === 0) continue
    const triggers = triggersOf(file, job, wish.branch)
    const fault = jobFault(file, job) ?? (typeof triggers === "string" ? triggers : null)
    if (fault !== null || typeof triggers === "string") {
      leave(own, fault ?? "")
      continue
    }
    const plan = planJob(file, job, own, world)
    const edits = editsOf(file, plan, wish)
    if (typeof edits === "string") leave(own, edits)
    else {
      left.push(...plan.left)
      if (plan.changes.length > 0) plans.push({ plan, triggers, edits })
    }
  }
  const edits = plans.flatMap((one) => one.edits).toSorted((a, b) => a.start - b.start || a.end - b.end)
  const after = applied(file.text, edits)
  const changes = plans.flatMap(({ plan }) => plan.changes)
  if (changes.length === 0) return { change: null, rule: null, grants: [], replaced: [], left, notes: [] }
  const fault = faultOfResult(
    file,
    after,
    changes.map(({ use }) => use),
  )
  if (fault !== null) {
    leave(
      changes.map(({ use }) => use),
      fault,
    )
    return { change: null, rule: null, grants: [], replaced: [], left, notes: [] }
  }
  const written = new Map(
    changes.flatMap(({ offer }) => (offer.written === undefined ? [] : [[offer.grant, offer.written] as const])),
  )
  return {
    change: { path: file.path, before: file.text, after, edits },
    rule:
      written.size === 0
        ? null
        : ruleOf(
            file,
            plans.map(({ triggers }) => triggers),
            [...written.keys()],
            wish,
          ),
    grants: [...written.values()],
    replaced: changes.map(({ use, offer }) => ({ workflow: file.path, secret: use.secret ?? "", grant: offer.grant })),
    left,
    notes: plans.flatMap(({ plan, triggers }) =>
      [...triggers.notes, ...plan.notes, ...permissionNote(file, plan.job)].map(
        (note) => `${file.path}, job ${plan.job}: ${note}`,
      ),
    ),
  }
}

/** A job's environment is a name, or a map with one. */
function isOfEnvironment(file: WorkflowFile, job: string, environment: string | null): boolean {
  const name = textAt(file, "jobs", job, "environment") ?? textAt(file, "jobs", job, "environment", "name") ?? null
  return name === environment
}

function permissionNote(file: WorkflowFile, job: string): readonly string[] {
  const has = keysAt(file).includes("permissions") || keysAt(file, "jobs", job).includes("permissions")
  return has
    ? []
    : ["it had the permissions of the repository's settings, and keeps contents: read alone: add what else it needs"]
}

function ruleOf(
  file: WorkflowFile,
  triggers: readonly Triggers[],
  grants: readonly string[],
  { owner, name }: Wish,
): MigratedRule {
  const each = (of: (one: Triggers) => readonly string[]) => [...new Set(triggers.flatMap(of))].sort()
  return {
    name: file.path,
    workflowRefs: each(({ refs }) => refs).map((ref) => `${owner}/${name}/${file.path}@${ref}`),
    events: each(({ events }) => events),
    grants,
  }
}

/** Reads the changed text again. It must be YAML that has the same jobs, and of the secrets no more and no fewer uses than planned. */
function faultOfResult(file: WorkflowFile, after: string, gone: readonly SecretUse[]): string | null {
  const read = readWorkflow({ path: file.path, bytes: new TextEncoder().encode(after) })
  const odd = "its layout cannot be changed safely: change it by hand"
  if (typeof read === "string" || jobsOf(read).join() !== jobsOf(file).join()) return odd
  const count = (one: WorkflowFile) =>
    usesOf(one, "secrets")
      .map(({ name }) => name?.toUpperCase() ?? "*")
      .sort()
  const expected = count(file)
  for (const { secret } of gone) expected.splice(expected.indexOf(secret ?? "*"), 1)
  return count(read).join() === expected.join() ? null : odd
}
