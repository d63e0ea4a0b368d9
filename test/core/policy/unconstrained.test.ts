import { describe, expect, it } from "vitest"
import { allowing, ORGANISATION, policyFaults, policyOf, setOf, shown } from "./support.ts"

// An allow of a policy without an environment must tell jobs of one repository apart.

const many = (count: number) => Array.from({ length: count }, (_, at) => `"**/**/x${at}"`).join(", ")
const inNone = { environment: null }
const unconstrained = (when: string) => policyFaults(allowing(when, inNone)).map(shown)

describe("an allow in no environment is refused when", () => {
  it.each([
    // What is about the token.
    ["the audience is the broker's", "{ aud: https://broker.example.com }"],
    ["the token has an id", "{ jti: { present: true } }"],
    ["the token has a time", '{ iat: "17*" }'],
    // What all jobs of a repository share.
    ["its repository is its own", '{ repository: acme/*, repository_owner_id: "9001" }'],
    ["its repository is private", "{ repository_visibility: private }"],
    ["its repository is not public", "{ repository_visibility: { not: public } }"],
    ["its enterprise is ours", "{ enterprise: acme }"],
    ["its enterprise has an id", "{ enterprise_id: { present: true } }"],
    ["its repository has a property", "{ repo_property_team: { present: true } }"],
    ["its repository's property has a value", "{ repo_property_team: payments }"],
    // What every job sends, or none.
    ["it runs in no environment", "{ environment: { present: false } }"],
    ["it has no environment's id", "{ environment_node_id: { present: false } }"],
    ["it has a ref", "{ ref: { present: true } }"],
    ["no pull request's branch is there", "{ head_ref: { present: false } }"],
    ["a pull request's branch is there, empty or not", "{ head_ref: { present: true } }"],
    ["the base branch is anything", '{ base_ref: "**" }'],
    ["a claim that no token has is missing", "{ team: { present: false } }"],
    ["a claim of newer servers is there", "{ check_run_id: { present: true } }"],
    ["a claim of newer servers is missing", "{ runner_environment: { present: false } }"],
    // What matches every value that there is.
    ["the ref is anything", '{ ref: "**" }'],
    ["the ref is anything, among others", '{ ref: [refs/heads/main, "**"] }'],
    ["the ref is a ref", "{ ref: refs/** }"],
    ["the ref is a ref by its first letter", '{ ref: "r**" }'],
    ["the ref is a branch or a tag", "{ ref: [refs/heads/**, refs/tags/**] }"],
    ["the ref is not the merge ref of a pull request", "{ ref: { not: refs/pull/** } }"],
    ["the ref is not what is no ref", "{ ref: { not: main } }"],
    ["the ref is not a folder of refs", '{ ref: { not: ["refs/*", "refs/heads/", "refs/head/**"] } }'],
    ["the ref is any of very many, the last of which is any", `{ ref: [${many(200)}, "**"] }`],
    ["the kind of ref is one of both", "{ ref_type: [branch, tag] }"],
    ["the kind of ref is anything", '{ ref_type: "*" }'],
    ["the ref is protected or not", '{ ref_protected: ["true", "false"] }'],
    ["the run has an id", '{ run_id: "*" }'],
    [
      "the run's id begins with any digit",
      '{ run_id: ["1**", "2**", "3**", "4**", "5**", "6**", "7**", "8**", "9**"] }',
    ],
    ["the run has an attempt", '{ run_attempt: "*" }'],
    ["there is a commit", '{ sha: "*" }'],
    ["there is an actor", '{ actor: "*" }'],
    ["the actor has an id", '{ actor_id: "**" }'],
    ["the runner is one of both", "{ runner_environment: [github-hosted, self-hosted] }"],
    ["the runner is not a third one", "{ runner_environment: { not: windows } }"],
    ["the event is anything", '{ event_name: "*" }'],
    ["the event is anything, and one of outsiders besides", '{ event_name: ["*", pull_request] }'],
    ["the event is not one of outsiders", "{ event_name: { not: pull_request } }"],
    ["the event is not one that does not exist", "{ event_name: { not: pull-request-target } }"],
    ["the workflow is a file of the repository", "{ workflow_ref: acme/shop/** }"],
    ["the workflow is a workflow", '{ workflow_ref: "acme/shop/.github/workflows/**@refs/**" }'],
    ["the job's workflow is a file of the repository", "{ job_workflow_ref: acme/shop/** }"],
    ["the workflow has a name", '{ workflow: "**" }'],
    ["the subject is the repository's", '{ sub: "repo:acme/shop:**" }'],
    ["the subject is the repository's, with ids", '{ sub: "repo:acme@9001/shop@41:**" }'],
    ["the subject is the repository's, on any ref", '{ sub: "repo:acme/shop:ref:refs/**" }'],
    // Several that each say nothing say nothing together.
    ["two conditions are both true of every job", '{ run_id: "*", repository_visibility: private }'],
  ])("%s", (_, when) => {
    expect(unconstrained(when)).toEqual(["p.yaml:5:5 allow_unconstrained"])
    expect(policyFaults(allowing(when)), "in an environment it constrains that").toEqual([])
  })

  it("it has no when", () => {
    const rules = "allow:\n  - name: a\n    grants: [note]\ngrants:\n  note: { connection: notes }\n"
    expect(policyFaults(policyOf(rules, inNone)).map(shown)).toEqual(["p.yaml:5:5 allow_unconstrained"])
  })

  it("says of each condition why it does not count, and what to add", () => {
    const [fault] = policyFaults(
      allowing('{ run_id: "*", repository_visibility: private, jti: { present: true } }', inNone),
    )
    expect(fault?.message).toBe(
      'The allow "the rule" would let in every job of the repository, on any branch: the condition on run_id is true of each of them, and repository_visibility is the same in all of them, and jti says nothing about the job. Add a condition on ref or event_name to its "when", or an environment to the file.',
    )
  })

  it("a file for many repositories says nothing but which", () => {
    const policy = (when: string) =>
      `version: 1\nrepository: acme/svc-*\nallow:\n  - { name: a, when: ${when}, grants: [note] }\ngrants:\n  note: { connection: notes }\n`
    for (const when of [
      "{ repository: acme/svc-a }",
      '{ workflow_ref: "acme/svc-*/**" }',
      '{ sub: "repo:acme/svc-*:**" }',
    ])
      expect(
        policyFaults(policy(when)).map(({ code }) => code),
        when,
      ).toEqual(["allow_unconstrained"])
    expect(policyFaults(policy("{ ref: refs/heads/main }"))).toEqual([])
  })
})

describe("an allow in no environment loads when", () => {
  it.each([
    ["it names a branch", "{ ref: refs/heads/main }"],
    ["it names branches of one level", "{ ref: refs/heads/* }"],
    ["it names all branches, and no tags", "{ ref: refs/heads/** }"],
    ["it leaves a branch out", "{ ref: { not: refs/heads/dev } }"],
    ["it leaves branches out by a part of their ref", '{ ref: { not: "refs/he**main" } }'],
    ["it leaves a branch out by how its ref ends", '{ ref: { not: "*efs/heads/main" } }'],
    ["it leaves the branches of one level out", '{ ref: { not: "refs/*s/*" } }'],
    ["it names branches by how they begin", '{ ref: ["refs/heads/r**", "refs/tags/**"] }'],
    ["it names an event", "{ event_name: push }"],
    ["it names an event of outsiders", "{ event_name: pull_request }"],
    ["it leaves an event out", "{ event_name: { not: schedule } }"],
    ["it names a kind of ref", "{ ref_type: tag }"],
    ["it names a runner", "{ runner_environment: github-hosted }"],
    ["it asks for a protected ref", '{ ref_protected: "true" }'],
    ["it names an actor", "{ actor: octocat }"],
    ["it names actors by how they begin", '{ actor: "o*" }'],
    ["it names one run", '{ run_id: "7000000001" }'],
    ["it names the first attempt", '{ run_attempt: "1" }'],
    ["it names most first digits of a run", '{ run_id: ["1**", "2**", "3**"] }'],
    ["it names a workflow's file", "{ workflow_ref: acme/shop/.github/workflows/deploy.yml@refs/** }"],
    ["it names a reusable workflow", "{ job_workflow_ref: acme/ci/.github/workflows/deploy.yml@refs/tags/v* }"],
    [
      "it names workflows of one folder's level on branches",
      "{ workflow_ref: acme/shop/.github/workflows/*@refs/heads/* }",
    ],
    ["it names a workflow", "{ workflow: Deploy }"],
    ["it names a subject", '{ sub: "repo:acme/shop:ref:refs/heads/main" }'],
    ["one condition of several constrains", "{ repository_visibility: private, ref: refs/heads/main }"],
    // These let in no job at all. That is another fault, which `daypass check` reports.
    ["its visibility does not exist", "{ repository_visibility: Private }"],
    ["its ref is none", "{ ref: main }"],
    ["its event does not exist", "{ event_name: pull-request }"],
    ["it asks for a claim that no token has", "{ team: { present: true } }"],
  ])("%s", (_, when) => {
    expect(unconstrained(when)).toEqual([])
  })

  it("its issuer is one of several, whose family the organisation file says", () => {
    const two = ORGANISATION.replace(
      "connections:",
      '  ghes:\n    family: github-actions\n    url: https://ghes.example.com/_services/token\n    owners: { acme: "7" }\nconnections:',
    )
    const policy = allowing("{ ref: refs/heads/main }", inNone).replace("version: 1", "version: 1\nissuer: ghes")
    expect(setOf({ "p.yaml": policy }, two).policies).toHaveLength(1)
  })
})
