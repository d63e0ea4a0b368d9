import { describe, expect, it } from "vitest"
import { markedValues } from "../../../broker/core/families/cautions.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { allowing, identityOf, policyOf, setOf } from "./support.ts"

const OUTSIDER_EVENTS = new Set(markedValues(GITHUB_ACTIONS).flatMap(([, values]) => [...values.keys()]))

/** Whether a job with these claims gets the grant of a policy with this one allow rule. */
function allowed(when: string, claims: Readonly<Record<string, unknown>>): boolean {
  return outcome(allowing(when), claims)
}

/** Whether a deny rule with this `when` keeps a job with these claims from a grant that it would get otherwise. */
function denied(when: string, claims: Readonly<Record<string, unknown>>): boolean {
  const rules = `allow:\n  - name: all pushes\n    when: { event_name: push }\n    grants: [note]\n`
  return !outcome(
    policyOf(`${rules}deny:\n  - name: the rule\n    when: ${when}\ngrants:\n  note: { connection: notes }\n`),
    claims,
  )
}

function outcome(policy: string, claims: Readonly<Record<string, unknown>>): boolean {
  const set = setOf({ "p.yaml": policy })
  const identity = identityOf(claims)
  const policies = set.policiesOf(identity)
  return decide({ organisation: set.organisation, policies, identity, grants: ["note"] }).outcome === "allow"
}

describe("a condition of an allow", () => {
  it.each([
    ["{ ref: refs/heads/main }", { ref: "refs/heads/main" }, true],
    ["{ ref: refs/heads/main }", { ref: "refs/heads/other" }, false],
    ["{ ref: [a, b] }", { ref: "b" }, true],
    ["{ ref: [a, b] }", { ref: "c" }, false],
    ["{ ref: a, actor: b }", { ref: "a", actor: "b" }, true],
    ["{ ref: a, actor: b }", { ref: "a", actor: "c" }, false],
    ["{ ref: { not: a } }", { ref: "b" }, true],
    ["{ ref: { not: a } }", { ref: "a" }, false],
    ["{ ref: { not: [a, b] } }", { ref: "b" }, false],
    ["{ ref: { not: [a, b] } }", { ref: "c" }, true],
    ["{ x: { present: true } }", { x: "" }, true],
    ["{ x: { present: true } }", { x: undefined }, false],
    ["{ x: { present: false } }", { x: undefined }, true],
    ["{ x: { present: false } }", { x: "" }, false],
  ])("%s with %j: %j", (when, claims, expected) => {
    expect(allowed(when, claims)).toBe(expected)
  })

  it.each([['"**"'], ["{ not: a }"], ["{ present: true }"], ['"undefined"'], ['"null"']])(
    "is not fulfilled by a missing claim: %s",
    (condition) => {
      expect(allowed(`{ x: ${condition} }`, { x: undefined })).toBe(false)
      expect(allowed(`{ x: ${condition} }`, { x: null })).toBe(false)
    },
  )

  it.each([
    ['"true"', true, true],
    ['"true"', "true", true],
    ["true", true, true],
    ["true", "true", true],
    ["true", false, false],
    ["true", "TRUE", false],
    ["false", "false", true],
    ["[a, false]", false, true],
    ["{ not: false }", true, true],
    ["{ not: [a, true] }", "true", false],
    ['"1"', true, false],
    ['"true"', 1, false],
    ['"41"', 41, true],
    ['"-3"', -3, true],
    ['"0"', -0, true],
    ['"1.5"', 1.5, false],
    ['"**"', 1.5, false],
    ['"9007199254740991"', 9007199254740991, true],
    ['"9007199254740992"', 9007199254740992, false],
    ['"1e21"', 1e21, false],
    ['"**"', {}, false],
    ['"[object Object]"', {}, false],
    ["a", ["b", "a"], true],
    ['"a,b"', ["a", "b"], false],
    ['"1"', [1], true],
    ['"**"', [], false],
    ['"**"', [["a"]], false],
    ['"**"', [{}], false],
    ["{ not: a }", ["b"], true],
    ["{ not: a }", ["b", "a"], false],
    ["{ not: a }", {}, false],
    ["{ not: a }", 1.5, false],
    ["{ not: a }", ["b", {}], false],
    ["{ present: true }", {}, true],
  ])("%s against the value %j: %j", (condition, value, expected) => {
    expect(allowed(`{ x: ${condition} }`, { x: value })).toBe(expected)
  })

  it.each(["toString", "constructor", "hasOwnProperty"])("finds no claim %s that the token does not have", (name) => {
    expect(allowed(`{ ${name}: { present: true } }`, {})).toBe(false)
    expect(allowed(`{ ${name}: "**" }`, {})).toBe(false)
  })
})

describe("a condition of a deny", () => {
  it.each([
    ["{ ref: a }", { ref: "a" }, true],
    ["{ ref: a }", { ref: "b" }, false],
    ["{ ref: { not: a } }", { ref: "b" }, true],
    ["{ ref: { not: a } }", { ref: "a" }, false],
    ["{ x: { not: a } }", { x: undefined }, true],
    ["{ x: { not: a } }", { x: null }, true],
    ["{ x: { not: a } }", { x: {} }, true],
    ["{ x: { present: false } }", { x: undefined }, true],
    ["{ x: { present: true } }", { x: undefined }, false],
    ["{ x: { present: true } }", { x: "a" }, true],
    ["{ ref: a, x: { not: b } }", { ref: "c", x: undefined }, false],
  ])("%s with %j denies: %j", (when, claims, expected) => {
    expect(denied(when, claims)).toBe(expected)
  })

  it.each([
    ["true", true],
    ["true", "true"],
    ["{ not: true }", "false"],
  ])("of a flag as YAML writes it, %s, matches the claim's text and its flag: %j", (condition, value) => {
    expect(denied(`{ x: ${condition} }`, { x: value })).toBe(true)
  })

  it("is fulfilled by a missing claim, so that neither leaving one out nor misspelling it lets a job through", () => {
    expect(denied("{ x: forbidden }", { x: undefined })).toBe(true)
    expect(denied("{ runner_enviroment: self-hosted }", {})).toBe(true)
    expect(denied("{ runner_enviroment: { not: github-hosted } }", {})).toBe(true)
  })

  it("without when denies always", () => {
    const body = `allow:\n  - { name: a, when: { event_name: push }, grants: [note] }\ndeny:\n  - { name: frozen }\ngrants:\n  note: { connection: notes }\n`
    expect(outcome(policyOf(body), {})).toBe(false)
  })
})

describe("an event that outsiders can cause", () => {
  it.each([...OUTSIDER_EVENTS])("%s: is let in by its own name only", (event) => {
    expect(allowed(`{ event_name: ${event} }`, { event_name: event })).toBe(true)
    expect(allowed(`{ event_name: [push, ${event}] }`, { event_name: event })).toBe(true)
    expect(allowed("{ ref: refs/heads/main }", { event_name: event })).toBe(false)
    expect(allowed('{ event_name: "**" }', { event_name: event })).toBe(false)
    expect(allowed('{ event_name: "*" }', { event_name: event })).toBe(false)
    expect(allowed(`{ event_name: "${event.slice(0, -1)}*" }`, { event_name: event })).toBe(false)
    expect(allowed(`{ event_name: ["${event.slice(0, -1)}*", push] }`, { event_name: event })).toBe(false)
    expect(allowed("{ event_name: { not: push } }", { event_name: event })).toBe(false)
    expect(allowed("{ event_name: { present: true } }", { event_name: event })).toBe(false)
  })

  it.each(["pull_request_target", "workflow_run", "issue_comment", "check_run", "check_suite", "status"])(
    "is %s, which runs on the default branch",
    (event) => {
      expect(OUTSIDER_EVENTS.has(event)).toBe(true)
    },
  )

  it("is let in by an environment's rule only when that rule names it", () => {
    const body = `allow:\n  - { name: whoever, grants: [note] }\ngrants:\n  note: { connection: notes }\n`
    expect(outcome(policyOf(body), { event_name: "push" })).toBe(true)
    expect(outcome(policyOf(body), { event_name: "pull_request_target" })).toBe(false)
  })

  it("does not widen what another event gets", () => {
    expect(allowed("{ event_name: [pull_request] }", { event_name: "pull_request_target" })).toBe(false)
    expect(allowed("{ ref: refs/heads/main }", { event_name: "push" })).toBe(true)
  })
})
