import { describe, expect, it } from "vitest"
import { allowing, checked, denying, type Files, organisation, placesOf, policy } from "./checked.ts"

const said = (files: Files | string) =>
  checked(typeof files === "string" ? { "p.yaml": files } : files).warnings.flatMap(({ code, message }) =>
    code === "value_never_sent" ? [message] : [],
  )
const codes = (text: string) => new Set(checked({ "p.yaml": text }).warnings.map(({ code }) => code))

/** What is written, and what the message proposes instead; null where it proposes none by name. */
const WRONG: readonly (readonly [claim: string, written: string, instead: string])[] = [
  ["event_name", "pull-request-target", '"pull_request_target"'],
  ["event_name", "pull-request", '"pull_request"'],
  ["event_name", "Push", '"push"'],
  ["event_name", "workflow_call", '"workflow_run"'],
  ["ref", "main", '"refs/heads/main"'],
  ["ref", "heads/main", '"refs/heads/main"'],
  ["ref", "refs/head/main", '"refs/heads/main"'],
  ["ref", "refs/branches/main", '"refs/heads/main"'],
  ["ref", "/refs/heads/main", '"refs/heads/main"'],
  ["ref", "refs/tag/v1", '"refs/tags/v1"'],
  ["ref", "tags/v*", '"refs/tags/v*"'],
  ["ref", "refs/*", '"refs/heads/*"'],
  ["ref", "refs/pull/7", '"refs/pull/7/merge"'],
  ["ref", "refs/heads/a b", '"refs/heads/a b"'],
  ["ref_type", "Branch", '"branch"'],
  ["ref_type", "tags", '"tag"'],
  ["ref_protected", '"True"', '"true"'],
  ["ref_protected", '"yes"', '"true" or "false"'],
  ["runner_environment", "github_hosted", '"github-hosted"'],
  ["runner_environment", "ubuntu-latest", '"github-hosted" or "self-hosted"'],
  ["repository_visibility", "Private", '"private"'],
  ["repository_id", "acme", "a value that tokens have"],
  ["run_id", "7a", "a value that tokens have"],
  ["sha", "8b42ec0", "a value that tokens have"],
  ["sha", "8B42EC0B6B973F5465DDC4E667CEE9BA26AEABB5", '"8b42ec0b6b973f5465ddc4e667cee9ba26aeabb5"'],
  ["actor", "acme/octocat", "a value that tokens have"],
  ["repository", "shop", "a value that tokens have"],
  ["base_ref", "refs/heads/main", '"main"'],
  ["workflow_ref", "deploy.yml", "a value that tokens have"],
  ["job_workflow_ref", "acme/ci/.github/workflows/deploy.yml", "a value that tokens have"],
]

describe("a value that no token has", () => {
  it.each(WRONG)("%s: %s in a deny is said, with what was most likely meant", (claim, written, instead) => {
    const [message, ...more] = said(denying(`{ ${claim}: ${written} }`))
    expect(more).toEqual([])
    expect(message).toContain(`${claim} `)
    expect(message).toContain('The deny "the rule" refuses no job.')
    // A ref with a space has no right form that could be told.
    if (!written.includes(" ")) expect(message).toContain(`Write ${instead}.`)
  })

  it.each(WRONG)("%s: %s in an allow is said, and its grant is unreachable", (claim, written) => {
    const found = codes(allowing(`{ ${claim}: ${written}, actor_id: "1" }`, { environment: "production" }))
    expect(found).toContain("value_never_sent")
    expect(found).toContain("grant_unreachable")
  })

  it("stands at its place in the list, and does not make the rule useless beside a right one", () => {
    const rule = allowing("{ ref: [refs/heads/main, main], event_name: push }")
    expect(placesOf("value_never_sent", rule)).toEqual(["p.yaml:6:36"])
    expect(said(rule)).toEqual([expect.stringContaining('The allow "the rule" is not changed by it.')])
    expect(codes(rule)).toEqual(new Set(["value_never_sent"]))
  })

  it.each([
    ["allow", allowing("{ event_name: { not: pull-request }, ref: refs/heads/main }"), "leaves nothing out by it"],
    ["deny", denying("{ event_name: { not: [push, pull-request] } }"), "does not spare it"],
  ])("behind not in an %s is said", (_, text, effect) => {
    expect(said(text)).toEqual([expect.stringContaining(effect)])
  })

  it.each([
    [
      "when",
      '{ repository_owner_id: "9001", repository_visibility: Private }',
      "",
      'The boundary "all" allows nothing.',
    ],
    [
      "require",
      '{ repository_owner_id: "9001" }',
      "    require: { runner_environment: github_hosted }\n",
      "refuses every job that it is about",
    ],
  ])("in a boundary's %s is said", (_, when, more, effect) => {
    const boundaries = `boundaries:\n  - name: all\n    when: ${when}\n    allow: [{ connection: oidc }]\n${more}`
    const files = { "daypass.yaml": organisation(boundaries), "p.yaml": allowing("{ ref: refs/heads/main }") }
    expect(said(files)).toEqual([expect.stringContaining(effect)])
  })

  it("is a claim that must be missing and that every token has", () => {
    expect(said(denying("{ ref: { present: false } }"))).toEqual([
      'Every token has the claim ref. The deny "the rule" refuses no job: remove the condition.',
    ])
  })

  it("is a repository in a limit that no token names", () => {
    const limits = "limits:\n  - { when: { repository: shop }, open_leases: 3 }\n"
    const found = said({ "daypass.yaml": organisation(limits), "p.yaml": allowing("{ ref: refs/heads/main }") })
    expect(found).toEqual([expect.stringContaining("The limit in line 11 limits nothing")])
  })

  it("is an environment with a star, which is a name", () => {
    const text = allowing("{ ref: refs/heads/main }", { environment: '"preview/*"' })
    expect(placesOf("value_never_sent", text)).toEqual(["p.yaml:4:14"])
  })
})

describe("a value that tokens have", () => {
  it.each([
    ["event_name", "[push, schedule, release, merge_group, repository_dispatch]"],
    ["event_name", '"pull_*"'],
    ["event_name", "{ not: [pull_request, pull_request_target] }"],
    ["ref", '["refs/heads/main", "refs/heads/release/*", "refs/heads/**", "refs/tags/v*"]'],
    ["ref", '["refs/pull/*/merge", "refs/pull/7/merge", "refs/**", "**", "r**n"]'],
    ["ref", '"refs/heads/größe"'],
    ["ref_type", "[branch, tag]"],
    ["ref_protected", '["true", "false"]'],
    ["ref_protected", '"t*"'],
    ["runner_environment", "[github-hosted, self-hosted]"],
    ["repository_visibility", "[private, internal, public]"],
    ["actor", '[octocat, "dependabot[bot]", octo-cat_acme, "octo*"]'],
    ["run_id", '["7000000001", "7*"]'],
    ["sha", "8b42ec0b6b973f5465ddc4e667cee9ba26aeabb5"],
    ["sha", '"8b42*"'],
    ["base_ref", "[main, release/1]"],
    ["head_ref", "feature/x"],
    ["workflow", '"Deploy: production"'],
    ["workflow_ref", '["acme/shop/.github/workflows/deploy.yml@refs/heads/main", "acme/shop/**", "**/deploy.yml@**"]'],
    ["job_workflow_ref", "acme/ci/.github/workflows/deploy.yml@8b42ec0b6b973f5465ddc4e667cee9ba26aeabb5"],
    ["repository", '[acme/shop, "acme/*", "**"]'],
    ["enterprise", "acme-inc"],
    ["environment", "production"],
    ["repo_property_team", '"payments,shop"'],
    ["sub", '"repo:acme/shop:ref:refs/heads/main"'],
    ["head_ref", "{ present: false }"],
  ])("%s: %s is not said anything of", (claim, written) => {
    expect(said(denying(`{ ${claim}: ${written} }`))).toEqual([])
  })
})

describe("conditions that no job fulfils together", () => {
  const contradictions = (text: string) =>
    checked({ "p.yaml": text }).warnings.flatMap(({ code, message }) =>
      code === "conditions_contradict" ? [message] : [],
    )

  it.each([
    ["a merge group's ref is its own", "{ event_name: merge_group, ref: refs/heads/main }"],
    ["a tag is no branch", "{ ref_type: tag, ref: refs/heads/main }"],
    ["a branch is no tag", '{ ref_type: branch, ref: "refs/tags/v*" }'],
    ["what is not a tag is no tag", '{ ref_type: { not: tag }, ref: "refs/tags/v*" }'],
    ["a scheduled run is on a branch", "{ event_name: schedule, ref: refs/tags/v1 }"],
    ["a push is to no pull request", "{ event_name: push, ref: refs/pull/*/merge }"],
    ["a scheduled run is on some branch", '{ event_name: schedule, ref: { not: "refs/heads/**" } }'],
    [
      "outsiders' events are not meant unless they are named",
      '{ event_name: ["pull_*", push], ref: refs/pull/*/merge }',
    ],
  ])("%s", (_, when) => {
    const text = allowing(when, { environment: "production" })
    expect(contradictions(text)).toEqual([expect.stringContaining('the allow "the rule" matches no job')])
    expect(codes(text)).toContain("grant_unreachable")
  })

  it("are said of one event among others", () => {
    const text = allowing("{ event_name: [push, merge_group], ref: refs/heads/main }")
    expect(contradictions(text)).toEqual([
      expect.stringContaining('the allow "the rule" is not changed by "merge_group"'),
    ])
    expect(codes(text)).toEqual(new Set(["conditions_contradict"]))
  })

  it.each([
    "{ event_name: merge_group, ref: refs/heads/gh-readonly-queue/main/** }",
    "{ event_name: [push, pull_request], ref: [refs/heads/main, refs/pull/*/merge] }",
    '{ ref_type: tag, ref: "refs/tags/v*" }',
    "{ ref_type: branch, ref: refs/pull/*/merge, event_name: pull_request }",
    '{ event_name: "*", ref: refs/tags/v1 }',
    "{ event_name: push, ref: { not: refs/heads/dev } }",
    "{ event_name: schedule, ref: { present: true } }",
  ])("are none in %s", (when) => {
    expect(contradictions(allowing(when, { environment: "production" }))).toEqual([])
  })

  it("are not said beside a value that is wrong by itself", () => {
    expect(codes(denying("{ event_name: push, ref: main }"))).toEqual(new Set(["value_never_sent"]))
  })
})

describe("a deny that can never match", () => {
  it("does not make an allow look denied", () => {
    const rules = `deny:\n  - name: typo\n    when: { event_name: Push }\nallow:\n  - name: main\n    when: { event_name: push, ref: refs/heads/main }\n    grants: [token]\ngrants:\n  token: { connection: oidc, audience: "https://vault.example.com" }\n`
    expect(codes(policy(rules))).toEqual(new Set(["value_never_sent"]))
  })
})
