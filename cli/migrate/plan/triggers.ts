import { isMap, isScalar, isSeq } from "yaml"
import { markedValues } from "../../../broker/core/families/cautions.ts"
import { factsOf } from "../../../broker/core/families/families.ts"
import { keysAt, nodeAt, textAt, type WorkflowFile } from "../workflow/read.ts"

/** When a job runs, as the conditions of a rule. Never wider than the workflow; what it leaves out is said. */
export interface Triggers {
  /** Values of `event_name`. */
  readonly events: readonly string[]
  /** Patterns for refs. */
  readonly refs: readonly string[]
  /** Sentences about runs that the rule does not cover. */
  readonly notes: readonly string[]
}

/** Events that people without write access can cause: a rule of a policy matches them only by their names. */
const OUTSIDER_EVENTS: ReadonlySet<string> = new Set(
  markedValues(factsOf("github-actions")).flatMap(([claim, values]) =>
    claim === "event_name" ? [...values.keys()] : [],
  ),
)
/** Events that run on the default branch. */
const ON_DEFAULT_BRANCH: ReadonlySet<string> = new Set(["schedule", "workflow_dispatch", "repository_dispatch"])

/** The triggers of a job; a text says why no rule can be written for it. */
export function triggersOf(file: WorkflowFile, job: string, branch: string): Triggers | string {
  const only = conditionOf(textAt(file, "jobs", job, "if"))
  const named = eventsOf(file).filter((event) => only.event === null || event === only.event)
  if (named.includes("workflow_call")) return "other workflows call it, and the rule would be about each caller"
  const outside = named.filter((event) => OUTSIDER_EVENTS.has(event) && !isExcluded(event, only.ref))
  if (outside.length > 0)
    return `it also runs on ${outside.join(", ")}, which people without write access can cause. Let the job run on push alone, with if: github.event_name == 'push', or move it to a workflow of its own`

  const [events, refs, notes] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const event of named) {
    if (OUTSIDER_EVENTS.has(event)) continue
    if (ON_DEFAULT_BRANCH.has(event)) refs.add(`refs/heads/${branch}`)
    else if (event === "release") refs.add("refs/tags/**")
    else if (event === "push") for (const ref of pushRefs(file, branch, notes)) refs.add(ref)
    else {
      notes.add(`runs on ${event} get nothing by the rule: add the event if they need it`)
      continue
    }
    events.add(event)
  }
  if (events.size === 0) return "it runs on no event that a rule can be written for"
  const kept = only.ref === null ? [...refs] : [only.ref]
  return { events: [...events].sort(), refs: kept.sort(), notes: [...notes] }
}

/** The events under `on`, in its three forms. YAML 1.1's reading of the key as a boolean is not GitHub's. */
function eventsOf(file: WorkflowFile): readonly string[] {
  const on = nodeAt(file.document, ["on"])
  if (isMap(on)) return keysAt(file, "on")
  if (isSeq(on)) return on.items.flatMap((item) => (isScalar(item) ? [String(item.value)] : []))
  return isScalar(on) ? [String(on.value)] : []
}

interface Condition {
  readonly event: string | null
  readonly ref: string | null
}

/** What a job's `if` demands, where it is nothing but comparisons that must all hold. */
function conditionOf(text: string | undefined): Condition {
  const inner = (text ?? "").replace(/^\s*\$\{\{|\}\}\s*$/g, "")
  if (inner.includes("||")) return { event: null, ref: null }
  const parts = inner.split("&&").map((part) => /^\s*github\.(event_name|ref)\s*==\s*'([^'*\\]+)'\s*$/.exec(part))
  const value = (name: string) => parts.find((part) => part?.[1] === name)?.[2] ?? null
  return { event: value("event_name"), ref: value("ref") }
}

/** A pull request's own ref is never a branch. `pull_request_target` and the others run on the default branch. */
const isExcluded = (event: string, ref: string | null) =>
  ref !== null && /^refs\/(?:heads|tags)\//.test(ref) && event === "pull_request"

/** Branches and tags under `push`. Without a filter, only the default branch. */
function pushRefs(file: WorkflowFile, branch: string, notes: Set<string>): readonly string[] {
  const filters = (
    [
      ["branches", "heads"],
      ["tags", "tags"],
    ] as const
  ).flatMap(([key, kind]) => {
    const node = nodeAt(file.document, ["on", "push", key])
    const texts = isSeq(node)
      ? node.items.flatMap((item) => (isScalar(item) ? [String(item.value)] : []))
      : isScalar(node)
        ? [String(node.value)]
        : []
    return texts.map((text) => ({ kind, text }))
  })
  if (filters.length === 0) {
    notes.add(`pushes to other branches than ${branch} get nothing by the rule`)
    return [`refs/heads/${branch}`]
  }
  return filters.flatMap(({ kind, text }) => {
    const pattern = patternOf(text)
    if (pattern === null)
      notes.add(`pushes that match ${JSON.stringify(text)} get nothing by the rule: write the refs into it`)
    return pattern === null ? [] : [`refs/${kind}/${pattern}`]
  })
}

/**
 * A filter of GitHub's as a pattern of a policy; null for forms that a policy has not. A star of GitHub's matches any characters but
 * `/`, and a policy's at least one and also no `:` and `@`: the rule is narrower, never wider. A filter that begins with `!` takes refs
 * away again, which makes the others narrower, not this rule.
 */
function patternOf(filter: string): string | null {
  return /^[A-Za-z0-9_.*/-]+$/.test(filter) && !filter.includes("***") ? filter : null
}
