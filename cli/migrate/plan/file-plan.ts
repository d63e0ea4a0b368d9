import { applied } from "../../../analysis/used/yaml-edits.ts"
import type { Edit } from "../../../analysis/used/yaml-layout.ts"
import { keysAt, readWorkflow, textAt, usesOf, type WorkflowFile } from "../workflow/read.ts"
import { jobsOf, type SecretUse, secretUsesOf, type Workflows } from "../workflow/secret-uses.ts"
import { editsOf } from "./job-edits.ts"
import { type JobPlan, jobFault, type Left, planJob } from "./job-plan.ts"
import type { FileChange, Wish } from "./model.ts"
import type { OfferWorld } from "./offers.ts"
import type { MigratedGrant, MigratedRule, Replacement } from "./policy-file.ts"
import { type Triggers, triggersOf } from "./triggers.ts"

/** What becomes of one workflow. */
export interface FilePlan {
  readonly change: FileChange | null
  readonly rule: MigratedRule | null
  readonly grants: readonly MigratedGrant[]
  readonly replaced: readonly Replacement[]
  readonly left: readonly Left[]
  readonly notes: readonly string[]
}

/** Plans the jobs of one workflow that run in the environment. */
export function planFile(file: WorkflowFile, all: Workflows, wish: Wish, world: OfferWorld): FilePlan {
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
  const written = changes.flatMap(({ offer }) => offer.written ?? [])
  return {
    change: { path: file.path, before: file.text, after, edits },
    rule:
      written.length === 0
        ? null
        : ruleOf(
            file,
            plans.map(({ triggers }) => triggers),
            [...new Set(written.map(({ name }) => name))],
            wish,
          ),
    grants: written,
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
