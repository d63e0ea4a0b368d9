// Policies about the units of issuers other than GitHub, decided on whole tokens.
import { describe, expect, it } from "vitest"
import type { Claims, Identity } from "../../../broker/core/identity.ts"
import { type Decision, type DecisionInput, decide } from "../../../broker/core/policy/decide.ts"
import { DEFAULT_LIMITS, limitsOf } from "../../../broker/core/policy/limits.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import circleciJob from "../../vectors/claims/circleci-v2.json" with { type: "json" }
import forgejoJob from "../../vectors/claims/forgejo.json" with { type: "json" }
import forkJob from "../../vectors/claims/gitlab-fork-merge-request.json" with { type: "json" }
import gitlabJob from "../../vectors/claims/gitlab-protected-environment.json" with { type: "json" }
import { faultsOf, setOf, shown } from "./support.ts"

const ORG = "11111111-1111-4111-8111-111111111111"
const PROJECT = "22222222-2222-4222-8222-222222222222"
const CONTEXT = "44444444-4444-4444-8444-444444444444"

const organisation = (more = "") => `version: 1
issuers:
  github: { family: github-actions, url: "https://token.actions.githubusercontent.com", owners: { acme: "9001" } }
  gitlab: { family: gitlab, url: "https://gitlab.example.com", owners: { my-group: "72", contributor: "91" } }
  forgejo: { family: forgejo, url: "https://example.com/api/actions", owners: { user1: "5" } }
  circleci: { family: circleci, url: "https://oidc.circleci.com/org/${ORG}", owners: { acme: "${ORG}" } }
  circleci-root: { family: circleci, url: "https://oidc.circleci.com", owners: { acme: "${ORG}" } }
connections:
  notes: { provider: note }
${more}`

const HEADS = {
  gitlab: 'issuer: gitlab\nproject: my-group/my-project\nproject_id: "20"',
  fork: 'issuer: gitlab\nproject: contributor/my-project\nproject_id: "4711"',
  forgejo: 'issuer: forgejo\nrepository: user1/testing\nrepository_id: "12"',
  circleci: `issuer: circleci\nproject_id: ${PROJECT}`,
  "circleci-root": `issuer: circleci-root\nproject: acme/shop\nproject_id: ${PROJECT}`,
} as const

type Head = keyof typeof HEADS

const policy = (head: Head, body: string, environment?: string) =>
  `version: 1\n${HEADS[head]}\n${environment === undefined ? "" : `environment: ${environment}\n`}${body}`

/** A policy whose only allow has this `when`, for a grant `note`. */
const allowing = (head: Head, when: string, environment?: string, more = "") =>
  policy(
    head,
    `${more}allow:\n  - { name: the rule, ${when === "" ? "" : `when: ${when}, `}grants: [note] }\ngrants:\n  note: { connection: notes }\n`,
    environment,
  )

function decideOn(
  token: object,
  policies: string | readonly string[],
  more: Pick<DecisionInput, "protection"> & { readonly organisation?: string; readonly issuer?: string } = {},
): Decision & { readonly why: string } {
  const { organisation: text = organisation(), issuer = "gitlab", protection } = more
  const files = Object.fromEntries([policies].flat().map((one, index) => [`p${index}.yaml`, one]))
  const set = setOf(files, text)
  const identity = identityFor(token, issuer, set.organisation)
  const decision = decide({
    organisation: set.organisation,
    policies: set.policies,
    identity,
    grants: ["note"],
    ...(protection && { protection }),
  })
  return { ...decision, why: decision.trace.grants[0]?.reason ?? "" }
}

function identityFor(token: object, issuer: string, { issuers }: DecisionInput["organisation"]): Identity {
  const config = issuers.get(issuer)
  if (config === undefined) throw new Error("the issuer is not listed")
  const identity = identityIn(JSON.parse(JSON.stringify(token)) as Claims, config)
  if (!identity.ok) throw new Error(identity.fault)
  return identity.value
}

const faultsIn = (text: string, more = "") =>
  faultsOf({ "daypass.yaml": organisation(more), "p.yaml": text }).map((one) => `${shown(one)}: ${one.message}`)

const {
  environment: _e,
  environment_protected: _p,
  deployment_tier: _t,
  environment_action: _a,
  ...gitlabPlain
} = gitlabJob

describe("a GitLab project", () => {
  it("is known by its id, whatever it is called now", () => {
    const push = allowing("gitlab", "{ ref_path: refs/heads/main, pipeline_source: push }")
    expect(decideOn(gitlabPlain, push).outcome).toBe("allow")
    const renamed = { ...gitlabPlain, project_path: "my-group/new-name", sub: "" }
    const decision = decideOn(renamed, push)
    expect(decision.outcome).toBe("allow")
    expect(decision.trace.notes.join()).toContain("my-group/new-name")
    expect(decideOn({ ...gitlabPlain, project_id: "21" }, push).outcome).toBe("deny")
  })

  it("of a group that the organisation does not list gets nothing, not even by a policy with its id", () => {
    const push = allowing("gitlab", "{ ref: main }")
    expect(decideOn({ ...gitlabPlain, namespace_id: "73" }, push).outcome).toBe("deny")
  })

  it("may be one of several whose names match, directly in a listed group", () => {
    const wide = allowing("gitlab", "{ ref: main }")
      .replace("my-group/my-project", "my-group/my-*")
      .replace(/project_id.*\n/, "")
    expect(decideOn(gitlabPlain, wide).outcome).toBe("allow")
    const other = { ...gitlabPlain, project_path: "my-group/other", sub: "" }
    expect(decideOn(other, wide).outcome).toBe("deny")
    expect(faultsIn(wide.replace("my-group/my-*", "my-group/sub/my-*"))).toEqual([
      expect.stringContaining('lists no owner "my-group/sub"'),
    ])
  })

  it.each([
    [
      "a repository's keys",
      'issuer: gitlab\nrepository: a/b\nrepository_id: "1"\nallow: []',
      "write project and project_id",
    ],
    ["an id that is none", 'issuer: gitlab\nproject: a/b\nproject_id: "x"', "an id is a text of digits"],
    ["no id", "issuer: gitlab\nproject: a/b", "glab api projects/a%2Fb | jq .id"],
    ["a name without a group", 'issuer: gitlab\nproject: b\nproject_id: "1"', "written group/name"],
    ["stars in a group", "issuer: gitlab\nproject: a*/b", "written group/name"],
  ])("is not written with %s", (_, head, words) => {
    expect(faultsIn(`version: 1\n${head}\n`).join("\n")).toContain(words)
  })

  it("needs a condition, as its jobs run on any branch", () => {
    for (const when of [
      "",
      "{ project_id: '20' }",
      "{ ref_path: 'refs/**' }",
      "{ outsider: 'false' }",
      "{ jti: '*' }",
    ]) {
      expect(faultsIn(allowing("gitlab", when)).join("\n")).toContain("on ref_path or pipeline_source")
    }
  })
})

describe("a GitLab pipeline's file", () => {
  const FILE = "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main"
  const ofFile = (uri: unknown) =>
    decideOn({ ...gitlabPlain, ci_config_ref_uri: uri }, allowing("gitlab", `{ ci_config_ref_uri: "${FILE}" }`)).outcome

  it("is a condition, as the token names it with its server, its project and its ref", () => {
    expect(ofFile(FILE)).toBe("allow")
  })

  it.each([
    ["another project's file", FILE.replace("my-group/my-project", "evil/my-project")],
    ["another server's file", FILE.replace("gitlab.example.com", "gitlab.example.com.evil.example")],
    ["the file on another ref", FILE.replace("refs/heads/main", "refs/heads/x")],
    ["another file", FILE.replace(".gitlab-ci.yml", "x/.gitlab-ci.yml")],
    ["a file that is at a URL, which the token does not name", null],
    ["a file that an old server does not name", undefined],
  ])("is not met by %s", (_, uri) => {
    expect(ofFile(uri)).toBe("deny")
  })
})

describe("a merge request", () => {
  const mergeRequest = { ...gitlabPlain, pipeline_source: "merge_request_event" }

  it("gets nothing unless a rule names it, literally", () => {
    for (const when of [
      "{ ref: main }",
      "{ pipeline_source: '*' }",
      "{ pipeline_source: 'merge_*' }",
      "{ outsider: '*' }",
    ]) {
      expect(faultsIn(allowing("gitlab", when, "x"))).toEqual([])
      const decision = decideOn({ ...mergeRequest, environment: "x" }, allowing("gitlab", when, "x"))
      expect([when, decision.outcome]).toEqual([when, "deny"])
    }
    for (const when of ["{ pipeline_source: merge_request_event }", "{ outsider: 'true' }"]) {
      expect([when, decideOn(mergeRequest, allowing("gitlab", when)).outcome]).toEqual([when, "allow"])
    }
  })

  it("of a fork is named by outsider alone, in the fork's own policies", () => {
    expect(decideOn(forkJob, allowing("gitlab", "{ outsider: 'true' }")).outcome).toBe("deny")
    const byEvent = decideOn(forkJob, allowing("fork", "{ pipeline_source: merge_request_event }"))
    expect(byEvent.outcome).toBe("deny")
    expect(JSON.stringify(byEvent.trace)).toContain("it runs a fork's merge request in another project")
    expect(decideOn(forkJob, allowing("fork", "{ outsider: 'true' }")).outcome).toBe("allow")
  })

  it("can be refused by a deny on the very fact", () => {
    const text = allowing("gitlab", "{ pipeline_source: [push, merge_request_event] }")
    const denying = `${text}deny:\n  - { name: no outsiders, when: { outsider: 'true' } }\n`
    expect(decideOn(mergeRequest, denying).outcome).toBe("deny")
    expect(decideOn(gitlabPlain, denying).outcome).toBe("allow")
  })
})

describe("an empty protected_environment", () => {
  const demanding = allowing("gitlab", "{ ref: main }", "production", "protected_environment: {}\n")
  const protectedAs = (flag: string) => ({ ...gitlabJob, environment_protected: flag })

  it("is met by a token that says true, without asking anyone", () => {
    expect(decideOn(protectedAs("true"), demanding).outcome).toBe("allow")
  })

  it("is refused by a token that says false, without asking anyone", () => {
    const decision = decideOn(protectedAs("false"), demanding)
    expect(decision).toMatchObject({ outcome: "deny", awaitsProtection: false })
    expect(decision.why).toBe("The environment production must be protected: protect it.")
  })

  it("is not met by a token that says nothing", () => {
    const { environment_protected: _, ...silent } = gitlabJob
    expect(decideOn(silent, demanding)).toMatchObject({ outcome: "deny", awaitsProtection: true })
  })

  it("leaves reviewers and branches to the host: the token does not say them", () => {
    const reviewed = demanding.replace("{}", "{ required_reviewers: true }")
    expect(decideOn(protectedAs("true"), reviewed)).toMatchObject({ outcome: "deny", awaitsProtection: true })
  })

  it("is explained in GitLab's words", () => {
    const { trace } = decideOn(protectedAs("false"), demanding)
    expect(trace.grants[0]?.change).toBe(
      "Change the environment under Settings > CI/CD > Protected environments of the project, then run the job again.",
    )
    const { environment_protected: _, environment: __, ...inNone } = gitlabJob
    expect(decideOn(inNone, demanding).trace.grants[0]?.change).toMatch(
      /^Add `environment: production` to the job, or /,
    )
  })

  it("of GitLab cannot limit branches, so a demand for that is a fault", () => {
    const limited = demanding.replace("{}", "{ required_reviewers: true, deployment_branches: [protected] }")
    expect(faultsIn(limited)).toEqual([
      expect.stringMatching(
        /^p.yaml:6:\d+ key_unknown: Environments of GitLab CI\/CD have no limit to branches, .*ref_path/,
      ),
    ])
    const boundary = (demand: string) =>
      `boundaries:\n  - { name: all, when: { environment: '**' }, protected_environment: { ${demand} } }\n`
    const text = allowing("gitlab", "{ ref: main }", "production")
    const decision = decideOn(gitlabJob, text, {
      organisation: organisation(
        boundary("deployment_branches: protected").replace(
          "protected_env",
          "allow: [{ connection: notes }], protected_env",
        ),
      ),
      protection: {
        known: true,
        protection: { requiredReviewers: true, preventSelfReview: true, deploymentBranches: "all" },
      },
    })
    expect(decision.why).toContain("deployment_branches cannot be met, because its host has no such limit")
  })

  it("may stand in a boundary, where every issuer's jobs must meet it", () => {
    const boundary =
      "boundaries:\n  - { name: all, when: { environment: '**' }, allow: [{ connection: notes }], protected_environment: {} }\n"
    const text = allowing("gitlab", "{ ref: main }", "production")
    const withBoundary = { organisation: organisation(boundary) }
    expect(decideOn(protectedAs("true"), text, withBoundary).outcome).toBe("allow")
    expect(decideOn(protectedAs("false"), text, withBoundary).outcome).toBe("deny")
  })

  it("is a fault where tokens do not say it", () => {
    const forGitHub =
      'version: 1\nissuer: github\nrepository: acme/shop\nrepository_id: "41"\nenvironment: p\nprotected_environment: {}\ndeny: [{ name: a }]\n'
    expect(faultsIn(forGitHub)).toEqual([
      expect.stringMatching(/^p.yaml:6:1 value_empty: .*do not say whether their environment is protected/),
    ])
  })
})

describe("a claim with a host's name before it", () => {
  const of = (name: string) => `oidc.circleci.com/${name}`
  const inCircleCi = (token: object, text: string, more: Parameters<typeof decideOn>[2] = {}) =>
    decideOn(token, text, { issuer: "circleci", ...more })
  const change = (changes: object) => ({ ...circleciJob, ...changes })
  const onMain = allowing("circleci", `{ ${of("vcs-ref")}: refs/heads/main }`)

  it("is a condition like any other", () => {
    expect(inCircleCi(circleciJob, onMain).outcome).toBe("allow")
    expect(inCircleCi(change({ [of("vcs-ref")]: "refs/heads/x" }), onMain).outcome).toBe("deny")
    expect(inCircleCi(change({ [of("vcs-ref")]: undefined }), onMain).outcome).toBe("deny")
  })

  it("may be a list, of which one member must match", () => {
    const inContext = allowing("circleci", `{ ${of("context-ids")}: ${CONTEXT} }`)
    expect(inCircleCi(circleciJob, inContext).outcome).toBe("allow")
    expect(inCircleCi(change({ [of("context-ids")]: ["other", CONTEXT] }), inContext).outcome).toBe("allow")
    expect(inCircleCi(change({ [of("context-ids")]: [] }), inContext).outcome).toBe("deny")
  })

  it("denies as well", () => {
    const denying = `${onMain}deny:\n  - { name: only ours, when: { ${of("vcs-origin")}: { not: github.com/organization-123/* } } }\n`
    expect(inCircleCi(circleciJob, denying).outcome).toBe("allow")
    expect(inCircleCi(change({ [of("vcs-origin")]: "github.com/evil/repo-1" }), denying).outcome).toBe("deny")
    expect(inCircleCi(change({ [of("vcs-origin")]: undefined }), denying).outcome).toBe("deny")
  })

  it("fills a gap of a grant", () => {
    const grant = `note: { connection: notes, text: "of-\${${of("project-id")}}" }`
    const filled = inCircleCi(circleciJob, onMain.replace("note: { connection: notes }", grant))
    expect(filled.outcome === "allow" && filled.grants[0]?.grant.fields).toEqual({ text: `of-${PROJECT}` })
  })

  it("says in a boundary whose jobs it is about, and what they must be", () => {
    const boundary = (org: string, require: string) =>
      `boundaries:\n  - { name: all, when: { ${of("org-id")}: ${org} }, allow: [{ connection: notes }], require: { ${require} } }\n`
    const under = (text: string) => inCircleCi(circleciJob, onMain, { organisation: organisation(text) }).outcome
    expect(under(boundary(ORG, `${of("vcs-ref")}: refs/heads/*`))).toBe("allow")
    expect(under(boundary(ORG, `${of("vcs-ref")}: refs/tags/*`))).toBe("deny")
    expect(under(boundary("other", `${of("vcs-ref")}: refs/tags/*`))).toBe("allow")
  })

  it("says whose limit it is", () => {
    const limits = `limits:\n  - { when: { ${of("project-id")}: ${PROJECT} }, open_leases: 3 }\n  - { when: { project_id: "20" }, open_leases: 4 }\n`
    const set = setOf({}, organisation(limits))
    const most = (token: object, issuer: string) =>
      limitsOf(set.organisation, identityFor(token, issuer, set.organisation)).openLeases.max
    expect(most(circleciJob, "circleci")).toBe(3)
    expect(most(gitlabJob, "gitlab")).toBe(4)
    expect(most(forgejoJob, "forgejo")).toBe(DEFAULT_LIMITS.openLeases.max)
  })

  it("names a person's shell, which nothing else lets in", () => {
    const again = change({ [of("ssh-rerun")]: true })
    expect(inCircleCi(again, onMain).outcome).toBe("deny")
    for (const named of [`${of("ssh-rerun")}: 'true'`, "interactive: 'true'"]) {
      const naming = allowing("circleci", `{ ${of("vcs-ref")}: refs/heads/main, ${named} }`)
      expect([named, inCircleCi(again, naming).outcome]).toEqual([named, "allow"])
    }
    expect(
      inCircleCi(again, allowing("circleci", `{ ${of("ssh-rerun")}: '*', ${of("vcs-ref")}: refs/heads/main }`)).outcome,
    ).toBe("deny")
  })

  it("is not a constraint when every job has it", () => {
    for (const when of [
      `{ ${of("project-id")}: ${PROJECT} }`,
      `{ ${of("vcs-ref")}: 'refs/**' }`,
      `{ ${of("ssh-rerun")}: 'false' }`,
    ]) {
      expect(faultsIn(allowing("circleci", when)).join("\n")).toContain(`Add a condition on ${of("vcs-ref")}`)
    }
  })
})

describe("CircleCI's root issuer", () => {
  const root = { ...circleciJob, iss: "https://oidc.circleci.com" }
  const other = "99999999-9999-4999-8999-999999999999"
  const stranger = { ...root, "oidc.circleci.com/org-id": other, sub: circleciJob.sub.replace(ORG, other) }
  const rule = allowing("circleci-root", "{ oidc.circleci.com/vcs-ref: refs/heads/main }")

  it("vouches for every organisation, and only listed ones get something", () => {
    expect(decideOn(root, rule, { issuer: "circleci-root" }).outcome).toBe("allow")
    const refused = decideOn(stranger, rule, { issuer: "circleci-root" })
    expect(refused).toMatchObject({ outcome: "deny", ownsPolicies: false })
  })

  it("is another issuer than the organisation's own: its tokens meet only its policies", () => {
    const own = allowing("circleci", "{ oidc.circleci.com/vcs-ref: refs/heads/main }")
    expect(decideOn(root, own, { issuer: "circleci-root" }).outcome).toBe("deny")
  })
})

describe("a Forgejo repository", () => {
  const inForgejo = (token: object, when: string) =>
    decideOn(token, allowing("forgejo", when), { issuer: "forgejo" }).outcome

  it("is decided as one of GitHub's", () => {
    expect(inForgejo(forgejoJob, "{ ref: refs/heads/master, event_name: push }")).toBe("allow")
    expect(inForgejo({ ...forgejoJob, repository_id: "13" }, "{ ref: refs/heads/master }")).toBe("deny")
    const target = { ...forgejoJob, event_name: "pull_request_target" }
    expect(inForgejo(target, "{ ref: refs/heads/master }")).toBe("deny")
    expect(inForgejo(target, "{ ref: refs/heads/master, event_name: pull_request_target }")).toBe("allow")
  })

  it("has no environments, so a policy for one is a fault", () => {
    const text = allowing("forgejo", "{ ref: refs/heads/master }", "production")
    expect(faultsIn(text).join("\n")).toContain("run in no environment")
  })
})

describe("a misspelled issuer or family is the only fault", () => {
  const units = ["gitlab", "circleci"] as const
  it.each(units)("of a policy with the keys of %s", (head) => {
    const text = allowing(head, "").replace(`issuer: ${head}`, `issuer: ${head}x`)
    expect(faultsOf({ "daypass.yaml": organisation(), "p.yaml": text }).map(shown)).toEqual([
      "p.yaml:2:9 issuer_unknown",
    ])
  })

  it("of a policy for all people, whose conditions no other family knows", () => {
    const text = `version: 1\nissuer: stuff\npeople: true\n${allowing("gitlab", "{ groups: engineering }").split('"20"\n')[1]}`
    const open = organisation().replace("provider: note", "provider: note, people: true")
    expect(faultsOf({ "daypass.yaml": open, "p.yaml": text }).map(shown)).toEqual(["p.yaml:2:9 issuer_unknown"])
  })

  it("of an organisation file, and its policies have none", () => {
    const text = organisation().replace("family: gitlab", "family: gitlub")
    expect(faultsOf({ "daypass.yaml": text, "p.yaml": allowing("gitlab", "") }).map(shown)).toEqual([
      "daypass.yaml:4:21 value_invalid",
    ])
  })
})
