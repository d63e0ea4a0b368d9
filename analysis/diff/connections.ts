import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { Connection, PolicySet } from "../../broker/core/policy/model.ts"
import { findJob } from "../reach/find-job.ts"
import { shown } from "../reach/grant-words.ts"
import { decideSample, isMore, PROTECTIONS } from "../reach/sample-job.ts"
import type { Witness } from "../regions/region.ts"
import type { AxisMemo } from "../regions/space.ts"
import { settingsOf, stable } from "../scopes/meaning.ts"
import { allJobsOf, type ChangeSubject } from "../scopes/scope.ts"
import type { PolicyChange } from "./model.ts"

/** What a connection's changed settings give more and less, to jobs that have its grants in both sets. */
export function connectionChanges(
  before: Connection,
  after: Connection,
  old: PolicySet,
  next: PolicySet,
  memo: AxisMemo,
): PolicyChange[] {
  const bound = {
    before: old.organisation.requireBoundToken || before.requireBoundToken,
    after: next.organisation.requireBoundToken || after.requireBoundToken,
  }
  if (bound.before === bound.after && settingsOf(before) === settingsOf(after)) return []
  const differences: Difference[] = []
  if (bound.before && !bound.after) {
    const says = `no longer need a key-bound token for ${after.name}`
    differences.push({ direction: "wider", kind: "token-binding", says })
  }
  if (!bound.before && bound.after) {
    const says = `need a key-bound token for ${after.name}`
    differences.push({ direction: "narrower", kind: "token-binding", says })
  }
  if (settingsOf(before) !== settingsOf(after)) {
    const { more, less, words } = settingsDifference(before, after)
    const says = `have grants of ${after.name}, where ${words}`
    if (more) differences.push({ direction: "wider", kind: "connection", says })
    if (less) differences.push({ direction: "narrower", kind: "connection", says })
  }
  // Only connections that both sets use: a grant that one set alone has is reported as a change of that grant.
  const [used, uses] = [usesOf(after.name, old), usesOf(after.name, next)]
  const issuers = [...uses.keys()].filter((issuer) => used.has(issuer))
  const differ = (more: PolicySet, less: PolicySet, own: string) =>
    findJob(
      next,
      memo,
      own,
      (witness, grant, issuer, connection) => connection === after.name && getsSame(more, less, witness, issuer, grant),
    )
  return differences.flatMap((difference) =>
    issuers.map((issuer) => ({
      ...organisationChange({
        ...difference,
        subjects: uses.get(issuer) ?? [],
        example: difference.direction === "wider" ? differ(next, old, issuer) : differ(old, next, issuer),
      }),
      connection: after.name,
    })),
  )
}

type Difference = Pick<PolicyChange, "direction" | "kind" | "says">

/** Whether a job gets the same grant from both sets, and more of it from one. */
function getsSame(more: PolicySet, less: PolicySet, witness: Witness, issuer: string, grant: string): boolean {
  return PROTECTIONS.some((protection) => {
    const asked = { witness, issuer, grant, protection }
    const [one, other] = [decideSample(more, asked), decideSample(less, asked)]
    return other?.outcome === "allow" && isMore(one, other)
  })
}

/** A list limits what grants may reach, so a longer list is more and a shorter one less. Any other change is both. */
function settingsDifference(before: Connection, after: Connection) {
  const [one, other] = [entriesOf(before), entriesOf(after)]
  const words: string[] = []
  let [more, less] = [false, false]
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const [was, is] = [one[key], other[key]]
    if (stable(was) === stable(is)) continue
    if (Array.isArray(was) && Array.isArray(is)) {
      const [added, removed] = [without(is, was), without(was, is)]
      if (added.length + removed.length === 0) continue
      more ||= added.length > 0
      less ||= removed.length > 0
      const parts = [
        ...(added.length > 0 ? [`adds ${added.join(", ")}`] : []),
        ...(removed.length > 0 ? [`removes ${removed.join(", ")}`] : []),
      ]
      words.push(`${key} ${parts.join(" and ")}`)
    } else {
      more = less = true
      words.push(
        was === undefined
          ? `${key} is ${shown(is)}`
          : is === undefined
            ? `${key} is removed`
            : `${key} is ${shown(is)} instead of ${shown(was)}`,
      )
    }
  }
  return { more, less, words: words.join(" and ") }
}

function entriesOf({ provider, settings }: Connection): Readonly<Record<string, unknown>> {
  return { provider, ...(typeof settings === "object" && settings !== null ? settings : { settings }) }
}

const without = (list: readonly unknown[], other: readonly unknown[]): readonly string[] => {
  const known = new Set(other.map(stable))
  return list.filter((member) => !known.has(stable(member))).map(shown)
}

/**
 * By issuer: the jobs whose policies have grants of a connection. Where repositories keep policies of their own and a
 * boundary allows the connection, that is all jobs of the issuer.
 */
function usesOf(
  connection: string,
  { policies, organisation }: PolicySet,
): ReadonlyMap<string, readonly ChangeSubject[]> {
  const subjects = policies
    .filter(({ grants }) => [...grants.values()].some((grant) => grant.connection.name === connection))
    .map(({ issuer, target, unit, environment }) => ({
      ...allJobsOf(organisation.issuers.get(issuer)),
      unit,
      unitId: target.kind === "unit" ? target.id : null,
      environment: environment ?? null,
    }))
  const isOpen = organisation.boundaries.some(({ allow }) => allow.some((entry) => entry.connection === connection))
  const own = [...organisation.issuers.values()].flatMap((issuer) =>
    isOpen && issuer.repositoryPolicies ? [allJobsOf(issuer)] : [],
  )
  const different = new Map([...subjects, ...own].map((subject) => [stable(subject), subject]))
  const byIssuer = new Map<string, ChangeSubject[]>()
  for (const subject of different.values()) {
    const known = byIssuer.get(subject.issuer)
    if (known) known.push(subject)
    else byIssuer.set(subject.issuer, [subject])
  }
  return byIssuer
}

/** A change that comes from the organisation file alone. */
export function organisationChange(
  change: Pick<PolicyChange, "direction" | "kind" | "says" | "subjects" | "example">,
): PolicyChange {
  return {
    ...change,
    grant: null,
    connection: null,
    cases: [],
    proven: true,
    place: { set: "new", file: ORGANISATION_FILE, line: 1 },
    regions: [],
  }
}
