import { factsOf } from "../../broker/core/families/families.ts"
import type { Policy, PolicyFault, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { ORGANISATION_FILE, type PolicyInput } from "../../broker/core/policy/policy-input.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { Result } from "../../broker/core/result.ts"
import { diffPolicySets } from "../diff/diff.ts"
import { type Narrowing, narrowed } from "./narrow.ts"
import { Replayer } from "./replay.ts"
import type { Runs } from "./runs.ts"
import type { FilePatch } from "./unified-diff.ts"
import { placeKey, type RuleUse, type Usage, unusedGrants, usageOf } from "./usage.ts"
import { applied, itemsOf, YamlEdits } from "./yaml-edits.ts"

/** Something of a folder that no recorded run used, or used less of. */
export interface Looseness {
  readonly kind: "rule" | "grant" | "connection" | "condition"
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** The name of the rule, grant or connection. */
  readonly name: string
  /** What is wrong, without its subject: `gave nothing`. */
  readonly says: string
  /** For a condition: what it was and what it becomes. */
  readonly narrowing?: Narrowing
  /** Whether the patch changes it. If not, the change did not pass the checks, and a person must see why. */
  patched: boolean
}

export interface Tightening {
  readonly found: readonly Looseness[]
  readonly patches: readonly FilePatch[]
  readonly usage: Usage
}

export interface TightenContext {
  readonly inputs: readonly PolicyInput[]
  readonly load: (files: readonly PolicyInput[]) => Result<PolicySet, readonly PolicyFault[]>
  readonly providers: ProviderSchemaTable
}

/**
 * Finds grants, rules and connections that nobody used. Makes the tightest policies that still give every recorded run what it got.
 *
 * Nothing is believed that is not checked: the changed folder must load, must give no job more (by `diffPolicySets`), and must give
 * every recorded run what the folder gives it today. Files whose changes fail a check stay as they are.
 */
export function tighten(set: PolicySet, runs: Runs, context: TightenContext): Tightening {
  const usage = usageOf(set, runs)
  const found: Looseness[] = []
  const texts = new Map(context.inputs.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)]))
  const denied = new Set(
    set.policies.flatMap(({ deny }) => deny.flatMap(({ grants }) => (grants === "all" ? [] : [...grants]))),
  )
  const plans: FilePatch[] = []
  for (const policy of set.policies) {
    const before = texts.get(policy.file)
    if (before === undefined) continue
    const edits = planOf(policy, before, { set, usage, denied, found })
    if (edits === "delete" || edits.length > 0)
      plans.push({ path: policy.file, before, edits: edits === "delete" ? null : edits })
  }
  const connections = unusedConnections(set, runs, texts.get(ORGANISATION_FILE) ?? "", found)
  if (connections !== null) plans.push(connections)

  const patches = passing(plans, (some) => isTighter(set, some, usage, context))
  const files = new Set(patches.map(({ path }) => path))
  for (const one of found) one.patched = files.has(one.file) && !(one.kind === "grant" && denied.has(one.name))
  return { found, patches, usage }
}

interface Plan {
  readonly set: PolicySet
  readonly usage: Usage
  /** Grants that a deny names: without their definition the folder does not load. */
  readonly denied: ReadonlySet<string>
  readonly found: Looseness[]
}

function planOf(policy: Policy, before: string, { set, usage, denied, found }: Plan) {
  const { file, issuer, allow, deny, grants, protectedEnvironment } = policy
  const yaml = new YamlEdits(before)
  const family = factsOf(set.organisation.issuers.get(issuer)?.family)
  const say = (at: Omit<Looseness, "patched" | "file">) => found.push({ file, ...at, patched: false })
  const uses = allow.map((rule) => usage.rules.get(placeKey(rule)))
  const list = yaml.at(yaml.root, "allow")
  for (const [index, rule] of allow.entries()) {
    const use = uses[index]
    if (use === undefined) {
      say({ kind: "rule", line: rule.line, name: rule.name, says: "gave nothing" })
    } else if (!use.isOpen) planRule(rule, use, narrowed(rule.conditions, use, family), yaml, yaml.at(list, index), say)
  }
  yaml.removeItems(list, missing(uses))
  const unused = unusedGrants(policy, usage)
  for (const { name, line } of unused) {
    const stays = denied.has(name)
    say({
      kind: "grant",
      line,
      name,
      says: `was not given to any job${stays ? ", and stays because a deny names it" : ""}`,
    })
  }
  const removed = unused.filter(({ name }) => !denied.has(name)).map(({ name }) => name)
  yaml.removeKeys(yaml.at(yaml.root, "grants"), removed)
  const noRules = missing(uses).length === allow.length
  const noGrants = removed.length === grants.size
  const isEdited = allow.length + grants.size > 0
  if (isEdited && noRules && noGrants && deny.length === 0 && protectedEnvironment === undefined) return "delete"
  yaml.removeKeys(yaml.root, [
    ...(noRules && allow.length > 0 ? ["allow"] : []),
    ...(noGrants && grants.size > 0 ? ["grants"] : []),
  ])
  return yaml.edits
}

const missing = (uses: readonly (RuleUse | undefined)[]): readonly number[] =>
  uses.flatMap((use, index) => (use === undefined ? [index] : []))

function planRule(
  { name, line, grants, conditions }: Rule,
  use: RuleUse,
  narrowings: readonly Narrowing[],
  yaml: YamlEdits,
  rule: unknown,
  say: (at: Omit<Looseness, "patched" | "file">) => unknown,
): void {
  const listed = yaml.at(rule, "grants")
  const names = grants === "all" ? [] : [...grants]
  const never = names.filter((grant) => !use.grants.has(grant))
  for (const grant of never) say({ kind: "rule", line, name, says: `never gave ${grant}` })
  yaml.removeItems(
    listed,
    never.map((grant) => names.indexOf(grant)),
  )
  const added = new Map(narrowings.filter(({ patterns }) => patterns === null).map(({ claim, is }) => [claim, is]))
  if (added.size > 0 && conditions.length === 0) yaml.addWhen(rule, added)
  for (const narrowing of narrowings) {
    const { claim, patterns, was, is } = narrowing
    const old = was.length === 0 ? "any value" : was.join(" or ")
    say({
      kind: "condition",
      line,
      name,
      says: `needed of ${claim} only ${is.join(" or ")} in ${use.exchanges} ${use.exchanges === 1 ? "exchange" : "exchanges"}, and allows ${old}`,
      narrowing,
    })
    if (patterns === null) {
      if (conditions.length > 0) yaml.addKey(yaml.at(rule, "when"), claim, is)
      continue
    }
    const value = yaml.at(rule, "when", claim)
    const items = itemsOf(value)
    yaml.removeItems(
      value,
      patterns.flatMap((texts, index) => (texts.length === 0 ? [index] : [])),
    )
    for (const [index, texts] of patterns.entries()) {
      if (texts.length === 0) continue
      if (items.length === 0) yaml.replaceText(value, texts)
      else if (texts.length > 1 || texts[0] !== was[index]) yaml.replaceText(items[index], texts, value)
    }
  }
}

/** Not of issuers whose repositories keep policies of their own: those can use connections that no file here names. */
function unusedConnections(set: PolicySet, runs: Runs, before: string, found: Looseness[]): FilePatch | null {
  const { connections, issuers } = set.organisation
  const unused = [...connections.keys()].filter((name) => !runs.connections.has(name))
  const yaml = new YamlEdits(before)
  const map = yaml.at(yaml.root, "connections")
  for (const name of unused) {
    found.push({
      kind: "connection",
      file: ORGANISATION_FILE,
      line: yaml.lineOf(map, name),
      name,
      says: "was not used by any job",
      patched: false,
    })
  }
  yaml.removeKeys(map, unused)
  const isOwn = [...issuers.values()].some(({ repositoryPolicies }) => repositoryPolicies)
  if (unused.length === 0 || isOwn || unused.length === connections.size) return null
  return { path: ORGANISATION_FILE, before, edits: yaml.edits }
}

/** All plans if they pass together; otherwise those of them that pass, half by half. */
function passing(plans: readonly FilePatch[], passes: (plans: readonly FilePatch[]) => boolean): readonly FilePatch[] {
  const kept: FilePatch[] = []
  const take = (some: readonly FilePatch[]): void => {
    if (some.length === 0) return
    if (passes([...kept, ...some])) kept.push(...some)
    else if (some.length > 1) {
      take(some.slice(0, Math.ceil(some.length / 2)))
      take(some.slice(Math.ceil(some.length / 2)))
    }
  }
  take(plans)
  return kept
}

function isTighter(
  set: PolicySet,
  patches: readonly FilePatch[],
  { given }: Usage,
  { inputs, load, providers }: TightenContext,
): boolean {
  const changed = new Map(patches.map(({ path, before, edits }) => [path, edits && applied(before, edits)]))
  const loaded = load(
    inputs.flatMap((input): PolicyInput[] => {
      const text = changed.get(input.path)
      if (text === undefined) return [input]
      return text === null ? [] : [{ ...input, bytes: new TextEncoder().encode(text) }]
    }),
  )
  if (!loaded.ok) return false
  const next = loaded.value
  const [before, after] = [new Replayer(set), new Replayer(next)]
  const isSame = given.every((group) => {
    const [was, is] = [before.replay(group), after.replay(group)]
    // More may be unknown than before only where it was unknown before.
    return was.outcome === is.outcome || (was.outcome === "unknown" && is.outcome !== "deny")
  })
  return isSame && !diffPolicySets(set, next, { providers }).widens
}
