import { describe, expect, it } from "vitest"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import { GITLAB } from "../../../broker/core/families/gitlab.ts"
import type { Identity } from "../../../broker/core/identity.ts"
import { type Decision, type DecisionInput, decide } from "../../../broker/core/policy/decide.ts"
import {
  type EnvironmentDemand,
  type EnvironmentProtection,
  missingProtection,
  type ProtectionFact,
} from "../../../broker/core/policy/environment-protection.ts"
import { identityOf, ORGANISATION, policyFaults, policyOf, setOf, shown } from "./support.ts"

const OPEN: EnvironmentProtection = { requiredReviewers: false, preventSelfReview: false, deploymentBranches: "all" }
const GUARDED: EnvironmentProtection = {
  requiredReviewers: true,
  preventSelfReview: true,
  deploymentBranches: "protected",
}

const known = (protection: EnvironmentProtection): ProtectionFact => ({ known: true, protection })
const nothing: EnvironmentDemand = { requiredReviewers: false, preventSelfReview: false }

describe("what an environment lacks", () => {
  const words = GITHUB_ACTIONS.protection
  const REVIEWERS = "add required reviewers"
  const SELF_REVIEW = 'turn on "Prevent self-review"'
  it.each<[string, Partial<EnvironmentDemand>, Partial<EnvironmentProtection>, string[]]>([
    ["some protection, where any will do", {}, {}, ["add required reviewers, or limit its deployment branches"]],
    ["nothing, where any will do and it has reviewers", {}, { requiredReviewers: true }, []],
    ["nothing, where any will do and its branches are limited", {}, { deploymentBranches: "custom" }, []],
    ["reviewers", { requiredReviewers: true }, {}, [REVIEWERS]],
    ["no reviewers, where there are some", { requiredReviewers: true }, { requiredReviewers: true }, []],
    [
      "reviewers, however well its branches are limited",
      { requiredReviewers: true },
      { deploymentBranches: "protected" },
      [REVIEWERS],
    ],
    ["the review by others", { preventSelfReview: true }, { requiredReviewers: true }, [SELF_REVIEW]],
    [
      "protected branches",
      { deploymentBranches: ["protected"] },
      {},
      ["limit its deployment branches to protected branches"],
    ],
    [
      "protected branches, where it lists its own",
      { deploymentBranches: ["protected"] },
      { deploymentBranches: "custom" },
      ["limit its deployment branches to protected branches"],
    ],
    [
      "its own list, where it has protected branches",
      { deploymentBranches: ["custom"] },
      { deploymentBranches: "protected" },
      ["limit its deployment branches to selected branches and tags"],
    ],
    [
      "neither, where either will do",
      { deploymentBranches: ["protected", "custom"] },
      { deploymentBranches: "custom" },
      [],
    ],
    [
      "either, where any branch can deploy",
      { deploymentBranches: ["protected", "custom"] },
      {},
      ["limit its deployment branches to protected branches or selected branches and tags"],
    ],
    [
      "everything, each by itself",
      { requiredReviewers: true, preventSelfReview: true, deploymentBranches: ["custom"] },
      {},
      [REVIEWERS, SELF_REVIEW, "limit its deployment branches to selected branches and tags"],
    ],
  ])("is %s", (_, demand, protection, missing) => {
    expect(missingProtection({ ...nothing, ...demand }, { fact: known({ ...OPEN, ...protection }), words })).toEqual(
      missing,
    )
  })

  it.each<[string, Partial<EnvironmentDemand>, boolean, string[]]>([
    ["nothing, where any protection will do and the token says that it is protected", {}, true, []],
    ["protection, where the token says that it has none", {}, false, ["protect it"]],
    [
      "protection, where the token says that it has none and reviewers are demanded",
      { requiredReviewers: true },
      false,
      ["protect it"],
    ],
    ["knowledge of reviewers, which a token never says", { requiredReviewers: true }, true, ["nobody was asked"]],
    [
      "knowledge of branches, which a token never says",
      { deploymentBranches: ["protected"] },
      true,
      ["nobody was asked"],
    ],
  ])("is %s", (_, demand, byToken, missing) => {
    const fact: ProtectionFact = { known: false, reason: "nobody was asked", byToken }
    expect(missingProtection({ ...nothing, ...demand }, { fact, words: GITLAB.protection })).toEqual(missing)
  })

  it("is knowledge, when nobody knows: unknown meets not even a demand of nothing", () => {
    const fact: ProtectionFact = { known: false, reason: "GitHub is down" }
    expect(missingProtection(nothing, { fact, words })).toEqual(["GitHub is down"])
  })

  it("is knowledge, where the host says nothing of protection, whatever it is said to be", () => {
    for (const fact of [known(GUARDED), { ...known(GUARDED), byToken: true }]) {
      expect(missingProtection(nothing, { fact, words: undefined })).toEqual([
        "its host does not say how it is protected",
      ])
    }
  })

  it("is said in the words of GitLab, which limits no environment to branches", () => {
    const demand: EnvironmentDemand = {
      requiredReviewers: true,
      preventSelfReview: true,
      deploymentBranches: ["protected"],
    }
    expect(missingProtection(demand, { fact: known(OPEN), words: GITLAB.protection })).toEqual([
      "require approvals for it",
      'turn off "Allow pipeline triggerer to approve deployment"',
      "deployment_branches cannot be met, because its host has no such limit",
    ])
  })
})

const DEMAND = "protected_environment: { required_reviewers: true, prevent_self_review: true }"
const GRANT =
  "allow:\n  - { name: all, when: { ref: 'refs/heads/**' }, grants: [note] }\ngrants:\n  note: { connection: notes }\n"
const ALLOWED = "allow: [{ connection: notes }]"

/** The same demand, once by the organisation's boundary and once by the policy itself. */
const DEMANDING: Readonly<Record<"boundary" | "policy" | "both", { organisation: string; policy: string }>> = {
  boundary: {
    organisation: ORGANISATION.replace("[]", `\n  - { name: a, when: { ref: "refs/**" }, ${ALLOWED}, ${DEMAND} }`),
    policy: policyOf(GRANT),
  },
  policy: { organisation: ORGANISATION, policy: policyOf(`${DEMAND}\n${GRANT}`) },
  both: {
    organisation: ORGANISATION.replace("[]", `\n  - { name: a, when: { ref: "refs/**" }, ${ALLOWED}, ${DEMAND} }`),
    policy: policyOf(`${DEMAND}\n${GRANT}`),
  },
}

function ask(
  who: { organisation: string; policy: string },
  more: Partial<DecisionInput> = {},
  identity: Identity = identityOf(),
): Decision {
  const set = setOf({ "p.yaml": who.policy }, who.organisation)
  return decide({ organisation: set.organisation, policies: set.policies, identity, grants: ["note"], ...more })
}

const reasonOf = (decision: Decision) => decision.trace.grants[0]?.reason
const awaits = (decision: Decision) => decision.outcome === "deny" && decision.awaitsProtection

describe.each(["boundary", "policy", "both"] as const)("an environment that a %s wants protected", (who) => {
  const demanding = DEMANDING[who]

  it("is to be asked about, when nobody has and nothing else refuses", () => {
    const decision = ask(demanding)
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed", ownsPolicies: true, awaitsProtection: true })
    expect(reasonOf(decision)).toBe(
      "The environment production must be protected: its host was not asked how it is protected.",
    )
  })

  it("is good when its host says so", () => {
    expect(ask(demanding, { protection: known(GUARDED) }).outcome).toBe("allow")
  })

  it("is refused with everything that it lacks, once, and is not asked about again", () => {
    const decision = ask(demanding, { protection: known(OPEN) })
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed", awaitsProtection: false })
    expect(reasonOf(decision)).toBe(
      'The environment production must be protected: add required reviewers; turn on "Prevent self-review".',
    )
  })

  it("names only what is missing", () => {
    const decision = ask(demanding, { protection: known({ ...OPEN, requiredReviewers: true }) })
    expect(reasonOf(decision)).toBe('The environment production must be protected: turn on "Prevent self-review".')
  })

  it("is refused while nobody knows, with the reason, and is not asked about again", () => {
    const decision = ask(demanding, { protection: { known: false, reason: "GitHub is down." } })
    expect(decision).toMatchObject({ outcome: "deny", awaitsProtection: false })
    expect(reasonOf(decision)).toBe("The environment production must be protected: GitHub is down.")
  })

  it.each<[string, Partial<DecisionInput>, Identity]>([
    ["the rules refuse", {}, identityOf({ ref: "main" })],
    ["a grant beside it is refused", { grants: ["note", "none"] }, identityOf()],
    ["the time asked for is none", { ttlSeconds: 0 }, identityOf()],
    ["nothing is asked for", { grants: [] }, identityOf()],
    ["the job is a stranger's", {}, identityOf({ repository_owner_id: "666" })],
    ["the job is another environment's", {}, identityOf({ environment: "staging" })],
  ])("is not asked about where %s", (_, more, identity) => {
    const decision = ask(demanding, more, identity)
    expect(decision.outcome).toBe("deny")
    expect(awaits(decision)).toBe(false)
  })
})

describe("a demand", () => {
  it("of a boundary refuses jobs in no environment, whatever is said of one, and asks nobody", () => {
    const demanding = { ...DEMANDING.boundary, policy: policyOf(GRANT, { environment: null }) }
    for (const protection of [undefined, known(GUARDED)]) {
      const decision = ask(demanding, protection ? { protection } : {}, identityOf({ environment: undefined }))
      expect(awaits(decision)).toBe(false)
      expect(reasonOf(decision)).toBe("This job runs in no environment, and it needs a protected one.")
    }
  })

  it("of a policy for jobs in no environment is a fault", () => {
    const faults = policyFaults(policyOf(`${DEMAND}\n${GRANT}`, { environment: null }))
    expect(faults.map((fault) => [shown(fault), fault.message])).toEqual([
      ["p.yaml:4:1 key_missing", expect.stringMatching(/add the key environment/)],
    ])
  })

  it("of one file holds for the grants of all others of the environment", () => {
    const files = {
      "a.yaml": policyOf(GRANT),
      "b.yaml": policyOf(`${DEMAND}\ndeny:\n  - { name: b, when: { ref: x } }\n`),
    }
    const set = setOf(files)
    const input = { organisation: set.organisation, policies: set.policies, identity: identityOf(), grants: ["note"] }
    expect(decide({ ...input, protection: known(OPEN) }).outcome).toBe("deny")
    expect(decide({ ...input, protection: known(GUARDED) }).outcome).toBe("allow")
  })

  it("of a boundary that a missing claim might keep from matching is a demand", () => {
    const organisation = DEMANDING.boundary.organisation.replace('{ ref: "refs/**" }', '{ ref: "refs/**", x: y }')
    const free = `${organisation}  - { name: b, when: { ref: "refs/**" }, ${ALLOWED} }\n`.replace("}  -", "}\n  -")
    const demanding = { ...DEMANDING.boundary, organisation: free }
    expect(awaits(ask(demanding))).toBe(true)
    expect(ask(demanding, {}, identityOf({ x: "z" })).outcome).toBe("allow")
    expect(awaits(ask(demanding, {}, identityOf({ x: "y" })))).toBe(true)
  })

  it("does not hide that the ceiling refuses for another reason", () => {
    const organisation = DEMANDING.boundary.organisation.replace("connection: notes", "connection: vault-prod")
    const decision = ask({ ...DEMANDING.boundary, organisation })
    expect(awaits(decision)).toBe(false)
    expect(reasonOf(decision)).toMatch(/^No boundary allows this job to use the connection notes/)
  })

  it("of nobody asks nobody, and no fact changes anything", () => {
    const free = { organisation: ORGANISATION, policy: policyOf(GRANT) }
    expect(ask(free).outcome).toBe("allow")
    expect(ask(free, { protection: { known: false, reason: "GitHub is down" } }).outcome).toBe("allow")
  })
})
