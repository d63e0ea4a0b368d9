import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { jobOf } from "../../../analysis/reach/sample-job.ts"
import { CAUSED, furtherFacts } from "../../../analysis/regions/cautions.ts"
import { contains, type Witness } from "../../../analysis/regions/region.ts"
import { createSpace, type Space } from "../../../analysis/regions/space.ts"
import { domainsOf } from "../../../analysis/scopes/claim-domains.ts"
import { regionOfRule } from "../../../analysis/scopes/rule-region.ts"
import { tokenOf } from "../../../analysis/scopes/token.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import type { Condition } from "../../../broker/core/policy/condition.ts"
import { evaluateRule } from "../../../broker/core/policy/evaluate-rule.ts"
import type { IssuerConfig, PolicySet, Rule } from "../../../broker/core/policy/model.ts"
import { policySet } from "../../../broker/core/policy/policy-set.ts"
import { must, pattern } from "../patterns.ts"
import { listOwnFamilies, PROJECTS } from "./own-families.ts"

let unlist = () => {}
beforeAll(() => {
  unlist = listOwnFamilies()
})
afterAll(() => unlist())

const any = (claim: string, ...sources: string[]): Condition => ({
  claim,
  test: { kind: "any", patterns: sources.map(pattern) },
})
const not = (claim: string, ...sources: string[]): Condition => ({
  claim,
  test: { kind: "none", patterns: sources.map(pattern) },
})
const present = (claim: string, is: boolean): Condition => ({ claim, test: { kind: "present", present: is } })

function setOf(family: string): PolicySet {
  const issuer: IssuerConfig = {
    name: "ci",
    family,
    url: "https://ci.example.com",
    owners: new Map(),
    repositoryPolicies: false,
  }
  const none = { connections: new Map(), boundaries: [], limits: [], requireBoundToken: false }
  return policySet("", { ...none, issuers: new Map([["ci", issuer]]) }, [])
}

/** Every job of a space, on the axes that matter here. */
function jobsIn({ axes, family }: Space, claims: readonly string[]): Witness[] {
  const chosen = axes.filter(({ claim }) => claims.includes(claim))
  const others = axes.filter(({ claim }) => !claims.includes(claim) && !furtherFacts(family).some((f) => f === claim))
  const rest = Object.fromEntries(others.flatMap(({ claim, values }) => (values[0] ? [[claim, values[0]]] : [])))
  const plain = chosen.reduce<Witness[]>(
    (jobs, { claim, values }) =>
      jobs.flatMap((job) => values.map((value) => (value === null ? job : { ...job, [claim]: value }))),
    [rest],
  )
  return plain.map((job) => {
    const found = family.furtherCautions?.(tokenOf(job, family)) ?? []
    const caused = furtherFacts(family).filter((fact) => found.some((one) => one.fact === fact))
    return { ...job, ...Object.fromEntries(caused.map((fact) => [fact, CAUSED])) }
  })
}

const OF_CAUTIONS: readonly (readonly Condition[])[] = [
  [],
  [any("outsider", "true")],
  [any("outsider", "false")],
  [any("outsider", "true", "false")],
  [any("outsider", "*")],
  [not("outsider", "true")],
  [not("outsider", "false")],
  [present("outsider", true)],
  [present("outsider", false)],
  [any("interactive", "true")],
  [any("interactive", "false")],
  [any("outsider", "true"), any("interactive", "true")],
  [any("outsider", "false"), not("interactive", "true")],
]

const kinds = ["allow", "deny"] as const

describe.each([
  {
    family: PROJECTS,
    claims: ["cause", "shell", "branch", "fork_of"],
    own: [
      [any("cause", "request")],
      [any("cause", "**")],
      [any("branch", "a:b")],
      [any("branch", "a:b", "main")],
      [any("branch", "a:b"), any("outsider", "false")],
      [any("branch", "a:**")],
      [any("shell", "true"), any("cause", "request")],
      [any("fork_of", "7"), any("outsider", "true")],
      [not("fork_of", "7")],
    ],
  },
  {
    family: GITHUB_ACTIONS,
    claims: ["event_name"],
    own: [
      [any("event_name", "pull_request")],
      [any("event_name", "pull_*"), any("outsider", "true")],
      [any("event_name", "push", "pull_request"), any("outsider", "false")],
    ],
  },
])("conditions on what is unusual about jobs of $family.name", ({ family, claims, own }) => {
  it.each(kinds.flatMap((kind) => [...OF_CAUTIONS, ...own].map((conditions) => ({ kind, conditions }))))(
    "have the jobs that the engine matches, and no other: $kind $conditions",
    ({ kind, conditions }) => {
      const space = must(createSpace({ family, conditions, domains: domainsOf(family) }))
      const rule: Rule = { kind, conditions, name: "r", file: "f", line: 1, grants: "all" }
      const region = regionOfRule(space, rule)
      const set = setOf(family.name)
      const jobs = jobsIn(space, claims)
      expect(jobs.length).toBeGreaterThan(2)
      for (const job of jobs) {
        const identity = jobOf(job, "ci", set)
        if (identity === null) throw new TypeError("no issuer")
        const { matched } = evaluateRule(rule, identity)
        const isIn = contains(region, job)
        // A value that names one caution may let in a job that has another one, too.
        if (matched || conditions.every(({ claim }) => claim !== "branch")) expect([isIn, job]).toEqual([matched, job])
      }
    },
  )
})
