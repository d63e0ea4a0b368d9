// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gaps of grants are written so
import { describe, expect, it } from "vitest"
import { allowing, ceiling, checked, denying, type Files, organisation, placesOf, policy, roled } from "./checked.ts"

const production = { environment: "production" }
const wide = { repository: "acme/svc-*", environment: "production" }
const boundary = (when: string, more = ""): string =>
  organisation(`boundaries:\n  - name: one\n    when: ${when}\n${more}`)

type Case = readonly [sentence: string, files: Files | string, places: readonly string[]]

describe("free_text_pattern", () => {
  const cases: readonly Case[] = [
    [
      "a pattern on the branch of a pull request",
      allowing("{ event_name: pull_request, head_ref: release/* }"),
      ["p.yaml:6:39"],
    ],
    [
      "a branch of a pull request written out",
      allowing("{ event_name: pull_request, head_ref: dev }"),
      ["p.yaml:6:39"],
    ],
    ["all but one such branch", allowing("{ event_name: pull_request, head_ref: { not: x } }"), ["p.yaml:6:39"]],
    ["whether there is such a branch", allowing("{ event_name: pull_request, head_ref: { present: true } }"), []],
    ["a deny of such a branch", denying("{ head_ref: evil }"), ["p.yaml:6:13"]],
    ["the subject", allowing('{ sub: "repo:acme/shop:*" }'), ["p.yaml:6:13"]],
    ["a deny by the subject", denying('{ sub: "repo:acme/shop:pull_request" }'), ["p.yaml:6:13"]],
    ["the name of a workflow", allowing("{ workflow: Deploy, ref: refs/heads/main }"), ["p.yaml:6:13"]],
    [
      "the name of a workflow beside its file",
      allowing("{ workflow: Deploy, workflow_ref: acme/shop/.github/workflows/d.yml@refs/heads/main }"),
      [],
    ],
    ["a pattern of base branches", allowing("{ event_name: pull_request, base_ref: release/* }"), ["p.yaml:6:39"]],
    ["a base branch written out", allowing("{ event_name: pull_request, base_ref: main }"), []],
    ["a deny of base branches", denying("{ base_ref: release/* }"), []],
    ["a pattern of actors", allowing('{ actor: "acme-*", ref: refs/heads/main }'), ["p.yaml:6:13"]],
    ["an actor and nothing else", allowing('{ actor: octocat, actor_id: "5" }'), ["p.yaml:6:13"]],
    ["an actor and an event", allowing('{ actor: octocat, actor_id: "5", event_name: push }'), ["p.yaml:6:13"]],
    ["an actor and a branch", allowing('{ actor: octocat, actor_id: "5", ref: refs/heads/main }'), []],
    [
      "an actor in an environment, whose branches are another matter",
      allowing('{ actor: octocat, actor_id: "5" }', production),
      [],
    ],
    ["a boundary by such text", { "daypass.yaml": boundary('{ head_ref: "x/*" }') }, ["daypass.yaml:12:13"]],
    [
      "a requirement of such text",
      { "daypass.yaml": boundary('{ repository_id: "41" }', "    require: { workflow: Deploy }\n") },
      ["daypass.yaml:13:16"],
    ],
    ["a gap for the branch of a pull request", roled("${head_ref}", production), ["p.yaml:12:11"]],
    [
      "a gap for the branch, of which any will do",
      roled("${ref}", production).replace("ref: refs/heads/main, ", ""),
      ["p.yaml:12:11"],
    ],
    ["a gap for the branch, which the only allow writes out", roled("${ref}", production), []],
    ["a gap for the actor", roled("${actor}", production), ["p.yaml:12:11"]],
    [
      "a gap for an actor whom the only allow writes out",
      roled("${actor}", production).replace(
        "event_name: push",
        'event_name: push, actor: [ada, bob], actor_id: ["1", "2"]',
      ),
      [],
    ],
    ["a gap for the repository's name", roled("${repository_name}", wide), []],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("free_text_pattern", files)).toEqual(places))

  it("is not said of a gap whose claim another file's allow leaves open, only when that is about other jobs", () => {
    const pinned = roled("${actor}", production).replace(
      "event_name: push",
      'event_name: push, actor: ada, actor_id: "1"',
    )
    const rules = "allow:\n  - name: more\n    when: { ref: refs/heads/main }\n    grants: [deploy]\n"
    expect(placesOf("free_text_pattern", { "p.yaml": pinned, "q.yaml": policy(rules, production) })).toEqual([
      "p.yaml:12:11",
    ])
    const elsewhere = roled("x", { ...production, id: "42", repository: "acme/web" })
    expect(placesOf("free_text_pattern", { "p.yaml": pinned, "q.yaml": elsewhere })).toEqual([])
  })
})

describe("double_star", () => {
  const cases: readonly Case[] = [
    ["in a ref", allowing("{ ref: refs/heads/release/** }"), ["p.yaml:6:18"]],
    ["in one of several refs", allowing("{ ref: [refs/heads/main, refs/tags/**] }"), ["p.yaml:6:36"]],
    [
      "in a workflow at a ref",
      allowing("{ job_workflow_ref: acme/ci/.github/workflows/d.yml@refs/** }"),
      ["p.yaml:6:31"],
    ],
    ["in what an allow leaves out", allowing("{ event_name: push, ref: { not: refs/heads/dev/** } }"), []],
    ["in what a deny refuses", denying("{ ref: refs/heads/** }"), []],
    ["in what a deny leaves out", denying("{ ref: { not: refs/heads/** } }"), ["p.yaml:6:25"]],
    ["a single star", allowing("{ ref: refs/heads/release/* }"), []],
    ["in a claim that has no parts", allowing('{ ref: refs/heads/main, repo_property_teams: "**shop**" }'), []],
    ["in a repository's name behind its owner", { "daypass.yaml": boundary('{ repository: "acme/**" }') }, []],
    ["in a repository's owner", { "daypass.yaml": boundary('{ repository: "acme**" }') }, ["daypass.yaml:12:25"]],
    [
      "in what a boundary requires",
      { "daypass.yaml": boundary('{ repository_id: "41" }', '    require: { ref: "refs/**" }\n') },
      ["daypass.yaml:13:21"],
    ],
    ["in a boundary's role", { "daypass.yaml": ceiling("**") }, ["daypass.yaml:13:38"]],
    [
      "alone in a boundary's field",
      {
        "daypass.yaml": organisation(
          'boundaries:\n  - name: all\n    when: { repository_id: "41" }\n    allow: [{ connection: aws, role: "**" }]\n',
        ),
      },
      [],
    ],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("double_star", files)).toEqual(places))
})

describe("environment_without_branch", () => {
  const demand = "protected_environment: { deployment_branches: protected }\n"
  const open = allowing("{ event_name: push }", production)
  const guard = (when: string, demanded = "{ deployment_branches: [protected, custom] }") => ({
    "daypass.yaml": boundary(when, `    protected_environment: ${demanded}\n`),
    "p.yaml": open,
  })
  const cases: readonly Case[] = [
    ["an allow of any push", open, ["p.yaml:6:5"]],
    [
      "an allow without conditions",
      policy(
        'allow:\n  - { name: all, grants: [token] }\ngrants:\n  token: { connection: oidc, audience: "https://vault.example.com" }\n',
        production,
      ),
      ["p.yaml:6:5"],
    ],
    ["a branch", allowing("{ ref: refs/heads/main }", production), []],
    ["any branch", allowing("{ ref: refs/heads/* }", production), ["p.yaml:6:5"]],
    ["all refs but one", allowing("{ ref: { not: refs/heads/dev } }", production), ["p.yaml:6:5"]],
    ["tags of a form", allowing("{ ref: refs/tags/v* }", production), []],
    ["any tag", allowing("{ ref_type: tag }", production), ["p.yaml:6:5"]],
    ["protected refs", allowing('{ ref_protected: "true" }', production), []],
    [
      "a workflow at a branch",
      allowing("{ workflow_ref: acme/shop/.github/workflows/d.yml@refs/heads/main }", production),
      [],
    ],
    [
      "a workflow at any ref",
      allowing("{ workflow_ref: acme/shop/.github/workflows/d.yml@** }", production),
      ["p.yaml:6:5"],
    ],
    ["workflows of a folder at any ref", allowing("{ workflow_ref: acme/shop/** }", production), ["p.yaml:6:5"]],
    [
      "a commit",
      allowing(
        "{ sha: 0000000000000000000000000000000000000001 }".replace("00", '"00').replace("1 }", '1" }'),
        production,
      ),
      [],
    ],
    ["a file for jobs in no environment", allowing("{ event_name: push }"), []],
    [
      "branches demanded by the policy",
      policy(
        `${demand}allow:\n  - { name: all, grants: [token] }\ngrants:\n  token: { connection: oidc, audience: "https://vault.example.com" }\n`,
        production,
      ),
      [],
    ],
    [
      "branches demanded by another policy of the environment",
      {
        "p.yaml": open,
        "q.yaml": policy(`${demand}deny:\n  - name: none\n    when: { run_attempt: "9" }\n`, production),
      },
      [],
    ],
    [
      "branches demanded for another environment",
      { "p.yaml": open, "q.yaml": policy(`${demand}deny:\n  - { name: none }\n`, { environment: "staging" }) },
      ["p.yaml:6:5"],
    ],
    ["branches demanded by a boundary over the repository", guard('{ repository: "acme/*" }'), []],
    [
      "branches demanded by a boundary over the environment",
      guard('{ repository_owner_id: "9001", environment: production }'),
      [],
    ],
    ["branches demanded by a boundary over another repository", guard('{ repository: "acme/web-*" }'), ["p.yaml:6:5"]],
    [
      "branches demanded by a boundary over some of the jobs",
      guard('{ repository_id: "41", ref: refs/heads/main }'),
      ["p.yaml:6:5"],
    ],
    [
      "reviewers demanded, and no branches",
      guard('{ repository_id: "41" }', "{ required_reviewers: true }"),
      ["p.yaml:6:5"],
    ],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("environment_without_branch", files)).toEqual(places))

  it("is not said of a policy with a pattern when a boundary over all of its repositories demands branches", () => {
    const files = (when: string) => ({ ...guard(when), "p.yaml": allowing("{ event_name: push }", wide) })
    expect(placesOf("environment_without_branch", files('{ repository: "acme/s*" }'))).toEqual([])
    expect(placesOf("environment_without_branch", files('{ repository: ["acme/svc-a*", "acme/svc-b*"] }'))).toEqual([
      "p.yaml:5:5",
    ])
  })
})

describe("condition_unknown_claim", () => {
  const cases: readonly Case[] = [
    ["a misspelled claim of an allow", allowing("{ ref: refs/heads/main, evnt_name: push }"), ["p.yaml:6:35"]],
    ["a misspelled claim of a deny", denying("{ runner_enviroment: self-hosted }"), ["p.yaml:6:13"]],
    [
      "a misspelled claim of a boundary",
      { "daypass.yaml": boundary("{ repositry: acme/shop }") },
      ["daypass.yaml:12:13"],
    ],
    ["a custom property", allowing("{ ref: refs/heads/main, repo_property_team: shop }"), []],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("condition_unknown_claim", files)).toEqual(places))

  it.each([
    ["an allow that asks for it", allowing("{ team: a, ref: refs/heads/main }"), "matches no job"],
    [
      "an allow that asks for its absence",
      allowing("{ team: { present: false }, ref: refs/heads/main }"),
      "as if this condition were absent",
    ],
    ["a deny that asks for it", denying("{ team: a, ref: refs/heads/x }"), "as if this condition were absent"],
    ["a deny that asks for its presence", denying("{ team: { present: true } }"), "refuses no job"],
  ])("says what becomes of %s", (_, text, effect) => {
    const said = checked({ "p.yaml": text }).warnings.filter(({ code }) => code === "condition_unknown_claim")
    expect(said.map(({ message }) => message)).toEqual([expect.stringContaining(effect)])
  })

  it("proposes the claim that was meant", () => {
    const { warnings } = checked({ "p.yaml": allowing("{ ref: refs/heads/main, evnt_name: push }") })
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('Did you mean "event_name"?')])
  })
})
