import { describe, expect, it } from "vitest"
import { decide } from "../../../broker/core/policy/decide.ts"
import type { PolicyInput } from "../../../broker/core/policy/load.ts"
import type { Organisation, Policy } from "../../../broker/core/policy/model.ts"
import { loadRepositoryPolicies } from "../../../broker/core/policy/repository-policies.ts"
import { identityOf, ORGANISATION, policyOf, setOf, shown, TEST_PROVIDERS } from "./support.ts"

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
      { file: ".github/daypass/production.yaml", repository: "acme/shop", origin: "repository" },
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

  it("cannot leave its issuer out where there are several", () => {
    expect(faults({ "p.yaml": policyOf(BODY) }, TWO_ISSUERS).map(([place]) => place)).toEqual([
      "p.yaml:1:1 key_missing",
    ])
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
