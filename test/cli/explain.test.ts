import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { ISSUER_FAMILIES } from "../../broker/core/families/families.ts"
import { FAMILIES } from "../../broker/issuers/families.ts"
import token from "../vectors/claims/github-environment.json" with { type: "json" }
import { folderOf, ORGANISATION, POLICY, runCli, runScripted } from "./run-cli.ts"

const POLICIES = folderOf({ "daypass.yaml": ORGANISATION, "octo-org/octo-repo/production.yaml": POLICY })

/** Explains the sample token with these claims changed; undefined deletes one. */
function explain(claims: Readonly<Record<string, unknown>>, ...args: string[]) {
  const folder = folderOf({ "claims.json": JSON.stringify({ ...token, ...claims }) })
  const grants = args.includes("--grants") ? [] : ["--grants", "aws-deploy"]
  return runCli("explain", "--policies", POLICIES, "--claims", join(folder, "claims.json"), ...grants, ...args)
}

describe("daypass explain", () => {
  it("prints what is allowed and why, and ends with 0", async () => {
    const { code, out, err } = await explain({})
    expect([code, err]).toEqual([0, ""])
    expect(out).toMatchInlineSnapshot(`
      "allow (allowed)
      octo-org/octo-repo (id 456789, issuer github), environment Production
      policies: octo-org/octo-repo/production.yaml

      ALLOW aws-deploy for 1h
            The allow rule "deploy from main" (octo-org/octo-repo/production.yaml:6) matches, and no deny rule does.
            allow "deploy from main" (octo-org/octo-repo/production.yaml:6) matches
              + ref: refs/heads/main; is "refs/heads/main"
              + event_name: push; is "push"
            deny "never on our own runners" (octo-org/octo-repo/production.yaml:10) does not match
              - runner_environment: not github-hosted; is "github-hosted"

      The broker's identity tokens have this sub. The trust policy of the other side must name exactly this text:
        aws-deploy  github:repository:456789:environment:Production:grant:aws-deploy"
    `)
  })

  it("prints what is denied and what to change, and ends with 1", async () => {
    const { code, out, err } = await explain({ ref: "refs/heads/feature" })
    expect([code, err]).toEqual([1, ""])
    expect(out).toMatchInlineSnapshot(`
      "deny (not_allowed)
      octo-org/octo-repo (id 456789, issuer github), environment Production
      policies: octo-org/octo-repo/production.yaml

      DENY  aws-deploy
            The allow rule "deploy from main" (octo-org/octo-repo/production.yaml:6) does not match: ref must be refs/heads/main, but is refs/heads/feature.
            Run a job whose ref is refs/heads/main, or change the rule.
            allow "deploy from main" (octo-org/octo-repo/production.yaml:6) does not match
              - ref: refs/heads/main; is "refs/heads/feature"
              + event_name: push; is "push"
            deny "never on our own runners" (octo-org/octo-repo/production.yaml:10) does not match
              - runner_environment: not github-hosted; is "github-hosted"

      The broker's identity tokens have this sub. The trust policy of the other side must name exactly this text:
        aws-deploy  github:repository:456789:environment:Production:grant:aws-deploy"
    `)
  })

  it("writes the decision, its code, the grants asked for and the trace as JSON", async () => {
    const allowed = JSON.parse((await explain({}, "--json", "--ttl", "20m")).out)
    expect(allowed).toMatchObject({ decision: "allow", code: "allowed", grants: ["aws-deploy"] })
    expect(allowed.trace.grants).toMatchObject([{ name: "aws-deploy", outcome: "allow", ttl_seconds: 1200 }])
    const denied = JSON.parse((await explain({ runner_environment: "self-hosted" }, "--json")).out)
    expect(denied).toMatchObject({ decision: "deny", code: "not_allowed", grants: ["aws-deploy"] })
    expect(denied.trace.grants[0].rules.map((rule: { matched: boolean }) => rule.matched)).toEqual([true, true])
  })

  it("names the sub of the identity token for every grant, as the signer has it, allowed or not", async () => {
    const environment = { environment: "eu/prod (live)", sub: "repo:octo-org/octo-repo:environment:eu/prod (live)" }
    const names = ["--grants", "aws-deploy,azure"]
    const { out } = await explain(environment, ...names)
    expect(out.split("\n").slice(-3)).toEqual([
      "The broker's identity tokens have this sub. The trust policy of the other side must name exactly this text:",
      "  aws-deploy  github:repository:456789:environment:eu%2Fprod%20%28live%29:grant:aws-deploy",
      "  azure       github:repository:456789:environment:eu%2Fprod%20%28live%29:grant:azure",
    ])
    expect(JSON.parse((await explain(environment, "--json", ...names)).out).subjects).toEqual({
      "aws-deploy": "github:repository:456789:environment:eu%2Fprod%20%28live%29:grant:aws-deploy",
      azure: "github:repository:456789:environment:eu%2Fprod%20%28live%29:grant:azure",
    })
  })

  it("names no sub where the issuer is a stranger's", async () => {
    const foreign = await explain({ iss: "https://elsewhere.example" })
    expect(foreign.out).not.toContain("identity tokens")
    expect(JSON.parse((await explain({ iss: "https://elsewhere.example" }, "--json")).out).subjects).toEqual({})
  })

  it("puts the sub into the step's summary, where GitHub reads it", async () => {
    const folder = folderOf({ "claims.json": JSON.stringify(token), "summary.md": "" })
    const script = { env: { GITHUB_STEP_SUMMARY: join(folder, "summary.md") } }
    const args = ["--policies", POLICIES, "--claims", join(folder, "claims.json"), "--grants", "aws-deploy"]
    await runScripted(script, "explain", ...args, "--format", "github")
    expect(readFileSync(join(folder, "summary.md"), "utf8")).toContain(
      "| aws-deploy | github&#58;repository&#58;456789&#58;environment&#58;Production&#58;grant&#58;aws-deploy |",
    )
  })

  it.each<[string, Record<string, unknown>, string[], string]>([
    [
      "another environment",
      { environment: "production", sub: "repo:octo-org/octo-repo:environment:production" },
      [],
      "not_allowed",
    ],
    ["another repository of the same name", { repository_id: "1" }, [], "not_allowed"],
    ["another owner of the same name", { repository_owner_id: "1" }, [], "not_allowed"],
    ["an unknown grant", {}, ["--grants", "aws-deploy,stripe-key"], "not_allowed"],
    ["a lifetime that the provider cannot mint", {}, ["--ttl", "5m"], "ttl_too_short"],
    [
      "an issuer that is not listed",
      { iss: "https://token.actions.githubusercontent.com/" },
      [],
      "token_issuer_unknown",
    ],
  ])("denies %s", async (_, claims, args, code) => {
    const run = await explain(claims, "--json", ...args)
    expect(run.code).toBe(1)
    expect(JSON.parse(run.out)).toMatchObject({ decision: "deny", code })
  })

  it("never allows once a claim is deleted that it denied with", async () => {
    for (const name of Object.keys(token)) {
      const run = await explain({ ref: "refs/heads/feature", [name]: undefined })
      expect([1, 2]).toContain(run.code)
    }
  })

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["no issuer", { iss: undefined }, /iss is missing/],
    ["no repository id", { repository_id: undefined }, /repository_id/],
    ["an id that is a number", { repository_id: 456789 }, /repository_id/],
    ["a subject that tells of another repository", { sub: "repo:octo-org/other:environment:Production" }, /sub/],
  ])("ends with 2 for claims with %s", async (_, claims, message) => {
    const { code, out, err } = await explain(claims)
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
  })

  it.each<[string, string, RegExp]>([
    ["no JSON", "iss: x", /claims\.json/],
    ["a list", "[]", /claims\.json/],
    ["a claim twice", '{"iss": "a", "iss": "b"}', /claims\.json/],
  ])("ends with 2 for a claims file that holds %s", async (_, text, message) => {
    const claims = join(folderOf({ "claims.json": text }), "claims.json")
    const { code, out, err } = await runCli("explain", "--policies", POLICIES, "--claims", claims, "--grants", "a")
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
  })

  it("names the option that it does not know, and the one that was meant, and repeats no value", async () => {
    const { err } = await explain({}, "--claim=secret")
    expect(err.split("\n")[0]).toBe('daypass: there is no option --claim. Did you mean "--claims"?')
    expect(err).not.toContain("secret")
  })

  it("ends with 2 and the faults for a policy folder that has some", async () => {
    const faulty = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": "a: *b" })
    const claims = join(folderOf({ "c.json": JSON.stringify(token) }), "c.json")
    const { code, out, err } = await runCli(
      "explain",
      "--policies",
      faulty,
      "--claims",
      claims,
      "--grants",
      "aws-deploy",
    )
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain("p.yaml:1:4: ")
  })

  it.each([
    ["no grants", ["--grants", ""]],
    ["an empty name", ["--grants", "a,,b"]],
    ["a name twice", ["--grants", "a,a"]],
    ["33 names", ["--grants", Array.from({ length: 33 }, (_, index) => `g${index}`).join()]],
    ["a lifetime without a unit", ["--ttl", "900"]],
    ["a stray argument", ["more"]],
    ["an unknown option", ["--claim", "x"]],
  ])("ends with 2 and its usage for %s", async (_, args) => {
    const { code, out, err } = await explain({}, ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain("Usage: daypass explain")
  })

  it("ends with 2 when the folder or the claims are not there, or not named", async () => {
    for (const args of [
      ["--policies", "/nonexistent", "--claims", join(POLICIES, "daypass.yaml"), "--grants", "a"],
      ["--policies", POLICIES, "--claims", "/nonexistent", "--grants", "a"],
      ["--policies", POLICIES, "--grants", "a"],
      [],
    ]) {
      expect((await runCli("explain", ...args)).code).toBe(2)
    }
  })

  it("says when only key-bound tokens get what is allowed", async () => {
    const bound = folderOf({ "daypass.yaml": `${ORGANISATION}require_bound_token: true\n`, "p.yaml": POLICY })
    const claims = join(folderOf({ "c.json": JSON.stringify(token) }), "c.json")
    const { code, out } = await runCli("explain", "--policies", bound, "--claims", claims, "--grants", "aws-deploy")
    expect(code).toBe(0)
    expect(out).toContain("key-bound")
  })
})

it("an organisation file can name every issuer family there is, and no other", () => {
  expect([...ISSUER_FAMILIES].sort()).toEqual([...FAMILIES.keys()].sort())
})
