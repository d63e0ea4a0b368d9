import { describe, expect, it } from "vitest"
import type { Identity } from "../../../broker/core/identity.ts"
import { type Decision, decide } from "../../../broker/core/policy/decide.ts"
import { faultsOf, identityOf, ORGANISATION, setOf, shown } from "./support.ts"

const BODY = "allow:\n  - { name: all, grants: [note] }\ngrants:\n  note: { connection: notes }\n"

const wide = (repository: string, body = BODY) =>
  `version: 1\nrepository: ${JSON.stringify(repository)}\nenvironment: production\n${body}`

const exact = (body: string, repository = "acme/svc-a", id = "41") =>
  `version: 1\nrepository: ${repository}\nrepository_id: "${id}"\nenvironment: production\n${body}`

function jobOf(repository: string, id = "41", ownerId = "9001"): Identity {
  const [owner] = repository.split("/")
  return identityOf({ repository, repository_id: id, repository_owner: owner, repository_owner_id: ownerId })
}

function ask(files: Readonly<Record<string, string>>, identity: Identity, organisation?: string): Decision {
  const set = setOf(files, organisation)
  const { policies } = set
  const input = { organisation: set.organisation, identity, grants: ["note"] }
  const decision = decide({ ...input, policies: set.policiesOf(identity) })
  // What a set finds for a job is all that a decision by every policy would take into account.
  expect(decide({ ...input, policies }).outcome).toBe(decision.outcome)
  return decision
}

const places = (policy: string) =>
  faultsOf({ "daypass.yaml": ORGANISATION, "p.yaml": policy }).map((fault) => [shown(fault), fault.message])

describe("a policy for several repositories", () => {
  it.each<[string, string, boolean]>([
    ["acme/svc-*", "acme/svc-a", true],
    ["acme/svc-*", "acme/svc-a.b_c", true],
    ["acme/svc-*", "acme/svc-", false],
    ["acme/svc-*", "acme/svc", false],
    ["acme/svc-*", "acme/SVC-a", false],
    ["acme/svc-*", "acme/Svc-a", false],
    ["acme/svc-*", "acme/xsvc-a", false],
    ["acme/svc-*", "acme/svc-a/b", false],
    ["acme/svc-**", "acme/svc-a/b", false],
    ["acme/*-svc-*", "acme/a-svc-b", true],
    ["acme/*-svc-*", "acme/-svc-b", false],
    ["acme/*", "acme/anything", true],
    ["acme/**", "acme/anything", true],
    // The owner's id decides: a group that has it was renamed.
    ["acme/*", "acme/group/anything", true],
  ])("called %s speaks of %s: %s", (pattern, repository, speaks) => {
    expect(ask({ "p.yaml": wide(pattern) }, jobOf(repository)).outcome).toBe(speaks ? "allow" : "deny")
  })

  it.each<[string, Identity]>([
    ["an owner whose name goes on", jobOf("acme-evil/svc-a", "41", "666")],
    ["an owner whose name begins alike", jobOf("acm/svc-a", "41", "666")],
    ["an owner of the same name with another id", jobOf("acme/svc-a", "41", "666")],
    ["an owner of the same name in capitals with another id", jobOf("ACME/svc-a", "41", "666")],
    ["another owner that is listed, too", jobOf("lab/svc-a", "41", "9002")],
    ["an owner whose name holds the whole pattern", jobOf("evil/acme/svc-a", "41", "666")],
    ["another issuer", { ...jobOf("acme/svc-a"), issuer: "ghes" }],
    ["an issuer of the same name with another url", { ...jobOf("acme/svc-a"), issuerUrl: "https://evil.example" }],
    ["another environment", { ...jobOf("acme/svc-a"), environment: "staging" }],
  ])("speaks of no repository of %s", (_, identity) => {
    const organisation = ORGANISATION.replace('acme: "9001"', 'acme: "9001", lab: "9002"')
    expect(ask({ "p.yaml": wide("acme/**") }, jobOf("acme/svc-a"), organisation).outcome).toBe("allow")
    expect(ask({ "p.yaml": wide("acme/**") }, identity, organisation).outcome).toBe("deny")
  })

  it("goes on to speak of an owner that was renamed, by its id", () => {
    expect(ask({ "p.yaml": wide("acme/svc-*") }, jobOf("acme-inc/svc-a")).outcome).toBe("allow")
  })

  it("notes no other name of a repository: a pattern is none", () => {
    expect(ask({ "p.yaml": wide("acme/svc-*") }, jobOf("acme/svc-a")).trace.notes).toEqual([])
  })

  it.each<[string, string, string, RegExp]>([
    ["a star in its owner", wide("ac*/svc-a"), "p.yaml:2:13 value_invalid", /stars are allowed only after the owner/],
    ["a star for its owner", wide("*/svc-a"), "p.yaml:2:13 value_invalid", /stars are allowed only after the owner/],
    ["nothing but stars", wide("**"), "p.yaml:2:13 value_invalid", /owner\/name/],
    ["an owner alone", wide("acme"), "p.yaml:2:13 value_invalid", /owner\/name/],
    ["an owner that nobody lists", wide("acmee/svc-*"), "p.yaml:2:13 owner_unknown", /Did you mean "acme"\?/],
    ["an owner that differs in case", wide("Acme/svc-*"), "p.yaml:2:13 owner_unknown", /Did you mean "acme"\?/],
    ["an owner like what every object has", wide("constructor/*"), "p.yaml:2:13 owner_unknown", /Listed: acme/],
    ["three stars", wide("acme/svc-***"), "p.yaml:2:13 value_invalid", /three stars/],
    ["a star that stands for itself", wide("acme/svc-\\*"), "p.yaml:2:13 value_invalid", /in ASCII/],
    ["a look-alike letter", wide("acme/svс-*"), "p.yaml:2:13 value_invalid", /in ASCII/],
    [
      "an id beside its pattern",
      wide("acme/svc-*").replace("environment", 'repository_id: "41"\nenvironment'),
      "p.yaml:3:16 value_invalid",
      /leave repository_id out, or the stars/,
    ],
    [
      "no id and no pattern",
      wide("acme/svc-a"),
      "p.yaml:1:1 key_missing",
      /"repository_id" is missing here.*gh api repos\/acme\/svc-a/,
    ],
  ])("with %s is refused", (_, policy, place, message) => {
    expect(places(policy)).toEqual([[place, expect.stringMatching(message)]])
  })

  it("in no environment must constrain something besides the repository", () => {
    const policy = wide("acme/svc-*").replace("environment: production\n", "")
    expect(places(policy).map(([place]) => place)).toEqual(["p.yaml:4:5 allow_unconstrained"])
  })
})

describe("a policy for several repositories and one for a single one", () => {
  it("both apply: a rule of the single one allows a grant that the wide one defines", () => {
    const files = {
      "one.yaml": exact("allow:\n  - { name: one, grants: [note] }\n"),
      "wide.yaml": wide("acme/svc-*", "grants:\n  note: { connection: notes }\n"),
    }
    expect(ask(files, jobOf("acme/svc-a")).outcome).toBe("allow")
    expect(ask(files, jobOf("acme/svc-b", "42")).outcome).toBe("deny")
  })

  it.each(["one", "wide"])("a deny of the %s refuses what the other allows", (who) => {
    const deny = "deny:\n  - { name: no bots, when: { actor: bot } }\n"
    const files =
      who === "one"
        ? { "one.yaml": exact(deny), "wide.yaml": wide("acme/svc-*") }
        : { "one.yaml": exact(BODY), "wide.yaml": wide("acme/svc-*", deny) }
    const bot = identityOf({ ...jobOf("acme/svc-a").claims, actor: "bot" })
    expect(ask(files, jobOf("acme/svc-a")).outcome).toBe("allow")
    expect(ask(files, bot).outcome).toBe("deny")
  })

  it("a deny of one pattern refuses what another one allows", () => {
    const deny = "deny:\n  - { name: no bots, when: { actor: { not: octocat } } }\n"
    const files = { "a.yaml": wide("acme/svc-*"), "b.yaml": wide("acme/*-a", deny) }
    const claims = { ...jobOf("acme/svc-a").claims, actor: "bot" }
    expect(ask(files, identityOf(claims)).outcome).toBe("deny")
    expect(ask(files, identityOf({ ...claims, repository: "acme/svc-b" })).outcome).toBe("allow")
  })

  it("cannot define the same grant: that is a fault where the names show it", () => {
    const files = { "daypass.yaml": ORGANISATION, "one.yaml": exact(BODY), "wide.yaml": wide("acme/svc-*") }
    expect(faultsOf(files).map(shown)).toEqual(["one.yaml:8:3 grant_duplicate"])
    expect(faultsOf({ ...files, "one.yaml": exact(BODY, "acme/web") })).toEqual([])
    expect(faultsOf({ ...files, "wide.yaml": wide("acme/*-b") })).toEqual([])
  })

  it("are refused where names did not show that both define the same grant", () => {
    const renamed = { "one.yaml": exact(BODY, "acme/old-name"), "wide.yaml": wide("acme/svc-*") }
    const patterns = { "a.yaml": wide("acme/svc-*"), "b.yaml": wide("acme/*-a") }
    for (const files of [renamed, patterns]) {
      const decision = ask(files, jobOf("acme/svc-a"))
      expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed", ownsPolicies: true })
      expect(decision.trace.grants[0]?.reason).toMatch(/"note" is defined twice for this job /)
      expect(decision.trace.grants[0]?.change).toBe("Rename one of the two.")
    }
    expect(ask(patterns, jobOf("acme/svc-b", "42")).outcome).toBe("allow")
  })

  it("a rule cannot name a grant that its own repositories do not all have", () => {
    const files = {
      "daypass.yaml": ORGANISATION,
      "one.yaml": exact("grants:\n  note: { connection: notes }\n"),
      "wide.yaml": wide("acme/svc-*", "allow:\n  - { name: all, grants: [note] }\n"),
    }
    expect(faultsOf(files).map(shown)).toEqual(["wide.yaml:5:27 grant_unknown"])
  })
})

it("finds the policies of a repository among thousands of patterns, each by its own prefix", () => {
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`${index}.yaml`, wide(`acme/team-${index}-*`)]),
  )
  const set = setOf({ ...files, "all.yaml": wide("acme/**", "deny:\n  - { name: no, when: { actor: bot } }\n") })
  const found = (repository: string) => set.policiesOf(jobOf(repository)).map(({ file }) => file)
  expect(found("acme/team-7-a")).toEqual(["all.yaml", "7.yaml"])
  expect(found("acme/team-77-a").sort()).toEqual(["77.yaml", "all.yaml"])
  expect(found("acme/team-")).toEqual(["all.yaml"])
  expect(set.policiesOf(jobOf("acme/team-7-a", "41", "9002"))).toEqual([])
})
