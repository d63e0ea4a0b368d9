import { describe, expect, it } from "vitest"
import { loadRepositoryPolicies } from "../../../broker/adapters/github/own-policy-files.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet, type PolicyInput } from "../../../broker/core/policy/load.ts"
import type { Organisation, Policy } from "../../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { identityOf, ORGANISATION, policyOf, setOf, shown, TEST_PROVIDERS } from "../policy/support.ts"

const HOST = { issuer: "github", repository: "acme/shop", repositoryId: "41" }
const BODY = "allow:\n  - { name: own, grants: [own] }\ngrants:\n  own: { connection: notes, text: own }\n"

const TWO_ISSUERS = ORGANISATION.replace(
  "connections:",
  '  ghes:\n    family: github-actions\n    url: https://ghes.example.com/_services/token\n    owners: { acme: "9001" }\nconnections:',
)

const below = (allow: string, when = "{ repository: acme/shop }") =>
  ORGANISATION.replace("[]", `\n  - { name: a, when: ${when}, allow: [${allow}] }`)

const encoder = new TextEncoder()
const inputs = (files: Readonly<Record<string, string>>): PolicyInput[] =>
  Object.entries(files).map(([path, text]) => ({ path, bytes: encoder.encode(text) }))

const organisationOf = (text: string): Organisation => setOf({}, text).organisation

function kept(files: Readonly<Record<string, string>>, organisation = ORGANISATION): readonly Policy[] {
  const loaded = loadRepositoryPolicies(inputs(files), HOST, organisationOf(organisation), TEST_PROVIDERS)
  if (!loaded.ok) throw new Error(loaded.fault.map(shown).join("\n"))
  return loaded.value
}

function faults(files: Readonly<Record<string, string>>, organisation = ORGANISATION) {
  const loaded = loadRepositoryPolicies(inputs(files), HOST, organisationOf(organisation), TEST_PROVIDERS)
  return loaded.ok ? [] : loaded.fault.map((fault) => [shown(fault), fault.message])
}

function ask(own: readonly Policy[], organisation: string, grant = "own", organisations: Record<string, string> = {}) {
  const set = setOf(organisations, organisation)
  const policies = [...set.policies, ...own]
  return decide({ organisation: set.organisation, policies, identity: identityOf(), grants: [grant] })
}

describe("a repository's own policy", () => {
  it("speaks of the repository that keeps it, and says that it was written there", () => {
    expect(kept({ ".github/daypass/production.yaml": policyOf(BODY) })).toMatchObject([
      { file: ".github/daypass/production.yaml", unit: "acme/shop", origin: "repository" },
    ])
    expect(setOf({ "p.yaml": policyOf(BODY) }).policies).toMatchObject([{ origin: "organisation" }])
  })

  it.each<[string, string, string[], RegExp]>([
    [
      "another repository of the owner's",
      policyOf(BODY, { repository: "acme/bank" }),
      ["p.yaml:2:13 host_mismatch"],
      /repository must be "acme\/shop", the value for the repository that contains this file, but is "acme\/bank"/,
    ],
    [
      "its own name in other letters",
      policyOf(BODY, { repository: "acme/Shop" }),
      ["p.yaml:2:13 host_mismatch"],
      /"acme\/Shop"/,
    ],
    [
      "another id under its own name",
      policyOf(BODY, { id: "42" }),
      ["p.yaml:3:16 host_mismatch"],
      /repository_id must be "41"/,
    ],
    [
      "another repository by name and id",
      policyOf(BODY, { repository: "acme/bank", id: "42" }),
      ["p.yaml:2:13 host_mismatch", "p.yaml:3:16 host_mismatch"],
      /"acme\/bank"/,
    ],
    [
      "all repositories of its owner",
      policyOf(BODY, { repository: "'acme/*'" }).replace('repository_id: "41"\n', ""),
      ["p.yaml:2:13 host_mismatch"],
      /covers only that repository: write its full name, with its repository_id/,
    ],
    [
      "a pattern that only it matches",
      policyOf(BODY, { repository: "'acme/sho*p'" }).replace('repository_id: "41"\n', ""),
      ["p.yaml:2:13 host_mismatch"],
      /covers only that repository/,
    ],
  ])("that speaks of %s is refused", (_, text, places, message) => {
    const found = faults({ "p.yaml": text })
    expect(found.map(([place]) => place)).toEqual(places)
    expect(found[0]?.[1]).toMatch(message)
  })

  it("that speaks of another issuer's repository of its name and id is refused", () => {
    const text = policyOf(BODY).replace("version: 1\n", "version: 1\nissuer: ghes\n")
    expect(faults({ "p.yaml": text }, TWO_ISSUERS)).toEqual([
      ["p.yaml:2:9 host_mismatch", expect.stringMatching(/issuer must be "github"/)],
    ])
    expect(faults({ "p.yaml": text.replace("ghes", "github") }, TWO_ISSUERS)).toEqual([])
  })

  it("need not name its issuer, also where the organisation lists several: it is the host's", () => {
    const severalIssuers = TWO_ISSUERS.replace(
      "issuers:\n",
      'issuers:\n  first:\n    family: gitlab\n    url: https://gitlab.example.com\n    owners: { acme: "72" }\n',
    )
    const grants = policyOf(BODY.slice(BODY.indexOf("grants:\n")))
    const rules = policyOf(BODY.slice(0, BODY.indexOf("grants:\n")))
    for (const [one, other] of [
      [rules, grants],
      [rules.replace("version: 1\n", "version: 1\nissuer: github\n"), grants],
    ] as const) {
      expect(kept({ "a.yaml": one, "b.yaml": other }, severalIssuers).map(({ issuer }) => issuer)).toEqual([
        "github",
        "github",
      ])
    }
  })

  it.each<[string, Record<string, string>, string[]]>([
    [
      "a connection that the organisation does not have",
      { "p.yaml": policyOf(BODY.replace("notes", "mine")) },
      ["p.yaml:8:22 connection_unknown"],
    ],
    ["a file that is no policy", { "p.yaml": "version: 1\n" }, ["p.yaml:1:1 key_missing", "p.yaml:1:1 key_missing"]],
    ["a file that is not YAML", { "p.yaml": "a: *b" }, ["p.yaml:1:4 yaml_feature"]],
    ["a name that only nearly is one", { "p.yml": policyOf(BODY) }, ["p.yml:1:1 file_name"]],
    [
      "an organisation file",
      { "daypass.yaml": ORGANISATION },
      ["1:1 key_missing", "1:1 key_missing", "2:1 key_unknown", "7:1 key_unknown", "10:1 key_unknown"].map(
        (place) => `daypass.yaml:${place}`,
      ),
    ],
    [
      "one grant twice",
      { "a.yaml": policyOf(BODY), "b.yaml": policyOf(BODY.replace("name: own", "name: b")) },
      ["b.yaml:8:3 grant_duplicate"],
    ],
  ])("with %s is refused, and so is all that stands beside it", (_, files, places) => {
    const found = faults({ ...files, "z.yaml": policyOf("deny:\n  - { name: z, when: { ref: x } }\n") })
    expect(found.map(([place]) => place)).toEqual(places)
  })

  it("cannot allow what the organisation's policies define: it may name its own grants only", () => {
    const text = policyOf("allow:\n  - { name: mine, when: { ref: '**' }, grants: [theirs] }\n")
    expect(faults({ "p.yaml": text }).map(([place]) => place)).toEqual(["p.yaml:6:49 grant_unknown"])
  })
})

describe("below no boundary, a repository's own policy", () => {
  const own = kept({
    "p.yaml": policyOf(`${BODY}deny:\n  - { name: mine, when: { actor: octocat }, grants: [own] }\n`),
  })
  const denying = kept({ "p.yaml": policyOf("deny:\n  - { name: mine, when: { ref: 'refs/**' } }\n") })
  const theirs = {
    "o.yaml": policyOf("allow:\n  - { name: o, grants: [note] }\ngrants:\n  note: { connection: notes }\n"),
  }

  it.each([
    ["there is none", ORGANISATION],
    ["it is about another repository", below("{ connection: notes }", "{ repository: acme/bank }")],
    ["it is about another owner", below("{ connection: notes }", '{ repository_owner_id: "1", ref: "**" }')],
  ])("is inert, its denies included: %s", (_, organisation) => {
    const decision = ask(own, organisation)
    expect(decision).toMatchObject({ outcome: "deny", ownsPolicies: false })
    expect(decision.trace.policies).toEqual([])
    expect(ask(denying, organisation, "note", theirs).outcome).toBe("allow")
  })
})

describe("below a boundary, a repository's own policy", () => {
  const own = kept({ "p.yaml": policyOf(BODY) })

  it("gives what a boundary allows, and nothing else", () => {
    expect(ask(own, below("{ connection: notes }")).outcome).toBe("allow")
    expect(ask(own, below("{ connection: notes, text: own }")).outcome).toBe("allow")
    expect(ask(own, below("{ connection: notes, text: other }")).outcome).toBe("deny")
    expect(ask(own, below("{ connection: vault-prod }")).outcome).toBe("deny")
  })

  it("refuses the organisation's own grants when it denies them", () => {
    const theirs = {
      "o.yaml": policyOf("allow:\n  - { name: o, grants: [note] }\ngrants:\n  note: { connection: notes }\n"),
    }
    const organisation = below("{ connection: notes }")
    const denying = kept({ "p.yaml": policyOf("deny:\n  - { name: mine, when: { ref: 'refs/**' } }\n") })
    expect(ask([], organisation, "note", theirs).outcome).toBe("allow")
    const decision = ask(denying, organisation, "note", theirs)
    expect(decision.outcome).toBe("deny")
    expect(decision.trace.grants[0]?.reason).toMatch(/^The deny rule "mine" \(p\.yaml:6\)/)
  })

  it("takes over no grant of the organisation's: both of one name are refused", () => {
    const theirs = { "o.yaml": policyOf("grants:\n  own: { connection: notes, text: theirs }\n") }
    const decision = ask(own, below("{ connection: notes }"), "own", theirs)
    expect(decision.trace.grants[0]?.reason).toMatch(/"own" is defined twice/)
  })

  it("is refused by the organisation's deny like any other", () => {
    const theirs = { "o.yaml": policyOf("deny:\n  - { name: freeze, when: { ref: 'refs/**' } }\n") }
    expect(ask(own, below("{ connection: notes }"), "own", theirs).outcome).toBe("deny")
  })

  it("is given to no other repository, whoever asks with it", () => {
    const set = setOf({}, below("{ connection: notes }", "{ ref: '**' }"))
    const other = identityOf({ repository: "acme/bank", repository_id: "42" })
    const decision = decide({ organisation: set.organisation, policies: own, identity: other, grants: ["own"] })
    expect(decision).toMatchObject({ outcome: "deny", ownsPolicies: false })
  })

  it("is inert again when the boundary goes, and when a rename takes the repository from under it", () => {
    expect(ask(own, ORGANISATION).outcome).toBe("deny")
    const { organisation } = setOf({}, below("{ connection: notes }"))
    const renamed = identityOf({ repository: "acme/store" })
    expect(decide({ organisation, policies: own, identity: renamed, grants: ["own"] }).outcome).toBe("deny")
  })
})

describe("a permission that reaches the whole organisation", () => {
  const CONNECTION = '  gh: { provider: github, app_id: "1", key: env:APP_KEY, owner: acme, owner_id: "9001" }\n'
  const own = (permissions: string, more = "") =>
    policyOf(
      `allow:\n  - { name: own, grants: [own] }\ngrants:\n  own: { connection: gh, repositories: [shop], permissions: ${permissions}${more} }\n`,
    )
  const organisation = (entry: string) => {
    const boundaries = `boundaries:\n  - name: a\n    when: { repository: acme/shop }\n    allow: [${entry}]\n`
    const head = ORGANISATION.slice(0, ORGANISATION.indexOf("connections:"))
    return `${head}connections:\n${CONNECTION}${boundaries}`
  }
  function withProviders(text: string, files: Record<string, string> = {}) {
    const set = loadPolicySet(inputs({ "daypass.yaml": text, ...files }), PROVIDERS)
    if (!set.ok) throw new Error(set.fault.map(shown).join("\n"))
    return set.value
  }
  /** What an own policy gives below this entry: the outcome, and the fields that the boundary refuses. */
  function given(entry: string, permissions: string, origin: "repository" | "organisation" = "repository") {
    const text = organisation(entry)
    const files = { ".github/daypass/p.yaml": own(permissions) }
    const host = withProviders(text).organisation
    const loaded = loadRepositoryPolicies(inputs(files), HOST, host, PROVIDERS)
    if (!loaded.ok) throw new Error(loaded.fault.map(shown).join("\n"))
    const set = withProviders(text, origin === "organisation" ? { "p.yaml": own(permissions) } : {})
    const policies = [...set.policies, ...(origin === "repository" ? loaded.value : [])]
    const decision = decide({ organisation: set.organisation, policies, identity: identityOf(), grants: ["own"] })
    const [boundary] = decision.trace.grants[0]?.boundaries ?? []
    return [decision.outcome, ...(boundary?.fields ?? []).map(({ field }) => field)]
  }

  it.each([
    ["{ connection: gh }", "{ members: read }", ["deny", "permissions.members"]],
    [
      "{ connection: gh }",
      "{ contents: read, organization_secrets: write }",
      ["deny", "permissions.organization_secrets"],
    ],
    ["{ connection: gh }", "{ enterprise_people: read }", ["deny", "permissions.enterprise_people"]],
    ["{ connection: gh, permissions: read }", "{ members: read }", ["deny", "permissions.members"]],
    ["{ connection: gh, permissions: '**' }", "{ members: read }", ["deny", "permissions.members"]],
    ["{ connection: gh, permissions: { contents: read } }", "{ members: read }", ["deny", "permissions.members"]],
    ["{ connection: gh, permissions: { members: read } }", "{ members: write }", ["deny", "permissions.members"]],
    ["{ connection: gh, permissions: { members: read } }", "{ members: read }", ["allow"]],
    ["{ connection: gh, permissions: { members: '**', contents: read } }", "{ members: write }", ["allow"]],
    ["{ connection: gh }, { connection: gh, permissions: { members: read } }", "{ members: read }", ["allow"]],
    ["{ connection: gh }", "{ contents: write, issues: write }", ["allow"]],
  ])("below %s: %s gives %j", (entry, permissions, outcome) => {
    expect(given(entry, permissions)).toEqual(outcome)
  })

  it("is for the organisation's own policies what the boundary leaves free", () => {
    expect(given("{ connection: gh }", "{ members: read }", "organisation")).toEqual(["allow"])
  })

  it("is refused in words that say what to add", () => {
    const text = organisation("{ connection: gh }")
    const host = withProviders(text).organisation
    const loaded = loadRepositoryPolicies(inputs({ "p.yaml": own("{ members: read }") }), HOST, host, PROVIDERS)
    const policies = loaded.ok ? loaded.value : []
    const { trace } = decide({ organisation: host, policies, identity: identityOf(), grants: ["own"] })
    expect(trace.grants[0]?.reason).toContain(
      "permissions.members must be named by the boundary, because it reaches the whole organisation, but is not named by it",
    )
  })
})
