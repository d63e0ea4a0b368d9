import { describe, expect, it } from "vitest"
import { explainDiff, sentenceOfChange, summaryOfDiff } from "../../../analysis/diff/words.ts"
import { identityTokenSubject } from "../../../broker/wire/subject.ts"
import { type DiffWorld, diffOf, ISSUER } from "./world.ts"

const GITHUB = ISSUER.url
const GHES = "https://ghes.acme.example/_services/token"
const MOVED = "https://token.actions.acme.ghe.com"
const ghes = { ...ISSUER, url: GHES }

const policyOf = (more: Readonly<Record<string, unknown>> = {}) => ({
  repository: "acme/shop",
  repository_id: "41",
  environment: "production",
  allow: [{ name: "from main", when: { ref: "refs/heads/main" }, grants: ["deploy"] }],
  grants: { deploy: { connection: "prod", role: "shop", ttl: "15m" } },
  ...more,
})
const from = (ref: string, more: Readonly<Record<string, unknown>> = {}) =>
  policyOf({ allow: [{ name: "from", when: { ref }, grants: ["deploy"] }], ...more })
const worldOf = (
  issuers: Readonly<Record<string, unknown>>,
  policies: DiffWorld["policies"] = { "shop.yaml": policyOf() },
  more: Readonly<Record<string, unknown>> = {},
): DiffWorld => ({ organisation: { issuers, ...more }, policies })
const BOTH = { github: ISSUER, ghes }

/** Of each change, the line that says more or less, and of whom. */
const headings = (old: DiffWorld, next: DiffWorld) =>
  explainDiff(diffOf(old, next)).filter((line) => /^[+-] /.test(line))
const sentences = (old: DiffWorld, next: DiffWorld) => {
  const diff = diffOf(old, next)
  return diff.changes.map((change) => sentenceOfChange(change, diff))
}

describe("a diff names the issuer", () => {
  it("nowhere, when both sets list the same one and no other", () => {
    const [old, next] = [worldOf({ github: ISSUER }), worldOf({ github: ISSUER }, { "a.yaml": from("refs/heads/x") })]
    expect(explainDiff(diffOf(old, next)).join("\n")).not.toMatch(/issuer/i)
    expect(sentences(old, next).join("\n")).not.toMatch(/issuer/i)
    expect(summaryOfDiff(diffOf(old, next))).toBe("1 change gives more, 1 change gives less.")
  })

  it("of every repository, when several are listed", () => {
    const [old, next] = [
      worldOf(BOTH, { "a.yaml": policyOf({ issuer: "github" }) }),
      worldOf(BOTH, {
        "a.yaml": policyOf({ issuer: "github" }),
        "b.yaml": policyOf({ issuer: "ghes" }),
      }),
    ]
    expect(headings(old, next)).toEqual(["+ MORE  acme/shop (id 41, issuer ghes), production"])
    expect(headings(next, old)).toEqual(["- LESS  acme/shop (id 41, issuer ghes), production"])
    expect(sentences(old, next)).toEqual([
      "acme/shop (id 41, issuer ghes), production: can get deploy: shop through prod, for 15m, if ref is refs/heads/main.",
    ])
  })

  it("and its URL, when it is new or removed", () => {
    const old = worldOf({ github: ISSUER }, { "a.yaml": policyOf() })
    const next = worldOf(BOTH, { "a.yaml": policyOf({ issuer: "github" }), "b.yaml": policyOf({ issuer: "ghes" }) })
    expect(headings(old, next)).toEqual([`+ MORE  acme/shop (id 41, new issuer ghes at ${GHES}), production`])
    expect(headings(next, old)).toEqual([`- LESS  acme/shop (id 41, removed issuer ghes at ${GHES}), production`])
    expect(explainDiff(diffOf(old, next)).slice(0, 2)).toEqual([`Issuer ghes (${GHES}) is new.`, ""])
    expect(summaryOfDiff(diffOf(next, old))).toBe(
      `1 change gives less. No job gets more. Issuer ghes (${GHES}) is removed.`,
    )
  })

  it("on both sides, when one takes the place of another", () => {
    const [old, next] = [worldOf({ github: ISSUER }), worldOf({ ghes })]
    expect(headings(old, next)).toEqual([
      `+ MORE  acme/shop (id 41, new issuer ghes at ${GHES}), production`,
      `- LESS  acme/shop (id 41, removed issuer github at ${GITHUB}), production`,
    ])
    for (const sentence of sentences(old, next)) expect(sentence).toMatch(/issuer (?:ghes|github) at https:/)
  })

  it("with both URLs, when it has another one", () => {
    const moved = { ...ISSUER, url: MOVED }
    const [old, next] = [worldOf({ github: ISSUER }), worldOf({ github: moved }, { "shop.yaml": from("refs/heads/*") })]
    const tokens = (url: string) => `tokens of ${url} (github-actions)`
    expect(sentences(old, next)).toEqual([
      `all jobs of issuer github: can use ${tokens(MOVED)} instead of ${tokens(GITHUB)}.`,
      `acme/shop (id 41, issuer github, now at ${MOVED}, before at ${GITHUB}), production: can get deploy: shop through prod, for 15m, if ref is refs/heads/*, but not refs/heads/main.`,
      `all jobs of issuer github: can no longer use ${tokens(GITHUB)}, now ${tokens(MOVED)}.`,
    ])
    expect(explainDiff(diffOf(old, next))[0]).toBe(`Issuer github is now at ${MOVED}, before at ${GITHUB}.`)
  })

  it("in full once, where one change is of several repositories", () => {
    const many = Object.fromEntries(
      [...Array(7).keys()].map((index) => [`${index}.yaml`, policyOf({ repository_id: `4${index}` })]),
    )
    const ceiling = (role: string) => ({
      boundaries: [{ name: "all", when: { repository: "acme/*" }, allow: [{ connection: "prod", role }] }],
    })
    const [old, next] = [
      worldOf({ ghes }, many, ceiling("none")),
      worldOf({ ghes: { ...ghes, url: MOVED } }, many, ceiling("shop")),
    ]
    const others = [41, 42, 43, 44].map((id) => `acme/shop (id ${id}, issuer ghes), production`)
    expect(headings(old, next)).toContain(
      `+ MORE  acme/shop (id 40, issuer ghes, now at ${MOVED}, before at ${GHES}), production, ${others.join(", ")} and 2 more`,
    )
  })

  it("of all its jobs, where they are meant", () => {
    const open = (repository_policies: boolean) =>
      worldOf(
        { github: ISSUER, ghes: { ...ghes, repository_policies } },
        {},
        {
          boundaries: [{ name: "all", when: { repository: "acme/*" }, allow: [{ connection: "prod", role: "a" }] }],
        },
      )
    expect(headings(open(false), open(true))).toEqual(["+ MORE  all jobs of issuer ghes"])
    const added = { ...ghes, owners: { ...ISSUER.owners, umbrella: "9002" } }
    expect(sentences(worldOf(BOTH, {}), worldOf({ github: ISSUER, ghes: added }, {}))).toEqual([
      "all jobs of issuer ghes: now include jobs of the owner umbrella (id 9002), and policies can give them grants.",
    ])
  })
})

describe("what two issuers have in common", () => {
  const twice = (more: Readonly<Record<string, unknown>> = {}) => ({
    "github.yaml": policyOf({ issuer: "github", ...more }),
    "ghes.yaml": policyOf({ issuer: "ghes", ...more }),
  })

  it("is told of each, so that an example is a job of the issuer that is named", () => {
    const ceiling = (max_ttl: string) => ({
      boundaries: [{ name: "all", when: { repository: "acme/*" }, allow: [{ connection: "prod" }], max_ttl }],
    })
    const diff = diffOf(worldOf(BOTH, twice(), ceiling("5m")), worldOf(BOTH, twice(), ceiling("10m")))
    expect(
      diff.changes.map(({ subjects, example }) => [subjects.map(({ issuer }) => issuer), example?.["iss"]]),
    ).toEqual([
      [["ghes"], GHES],
      [["github"], GITHUB],
    ])
  })

  it("is told of each when a connection changes, and not of an issuer that is new", () => {
    const connections = (region: string) => ({ connections: { prod: { provider: "cloud", region } } })
    const changed = diffOf(worldOf(BOTH, twice(), connections("a")), worldOf(BOTH, twice(), connections("b")))
    const told = changed.changes.map(({ direction, kind, subjects }) => [
      direction,
      kind,
      subjects.map(({ issuer }) => issuer),
    ])
    expect(told).toEqual([
      ["wider", "connection", ["ghes"]],
      ["wider", "connection", ["github"]],
      ["narrower", "connection", ["ghes"]],
      ["narrower", "connection", ["github"]],
    ])
    const added = diffOf(worldOf({ github: ISSUER }, {}, connections("a")), worldOf(BOTH, twice(), connections("b")))
    expect(added.changes.map(({ kind }) => kind)).toEqual(["grant", "grant"])
    const joined = diffOf(
      worldOf({ github: ISSUER }, { "github.yaml": policyOf() }, connections("a")),
      worldOf(BOTH, twice(), connections("b")),
    )
    expect(joined.changes.map(({ kind, subjects }) => [kind, subjects.map(({ issuer }) => issuer)])).toEqual([
      ["connection", ["github"]],
      ["grant", ["ghes"]],
      ["connection", ["github"]],
    ])
  })
})

describe("an issuer that has another name and the same URL", () => {
  const REMARK = `Issuer github (${GITHUB}) is now called actions. Its URL is the same, so its jobs are the same, but the sub of their identity tokens is another one.`
  const SAYS = "have identity tokens whose sub begins with actions: instead of github:"
  const MORE = `all jobs of issuer actions: ${SAYS}, and get what the other side gives to the new sub.`
  const LESS = `all jobs of issuer actions: ${SAYS}, and lose what the other side gives to the old sub only.`

  it("is more and less, because the subjects that other systems trust contain the name", () => {
    const [one, other] = ["github", "actions"].map((issuer) =>
      identityTokenSubject({ issuer, unitKind: "repository", unitId: "41", environment: "production" }, "deploy"),
    )
    expect(one).not.toBe(other)
    const [old, next] = [worldOf({ github: ISSUER }), worldOf({ actions: ISSUER })]
    const diff = diffOf(old, next)
    expect([diff.widens, diff.narrows]).toEqual([true, true])
    expect(sentences(old, next)).toEqual([MORE, LESS])
    expect(explainDiff(diff)[0]).toBe(REMARK)
    expect(summaryOfDiff(diff)).toBe(`1 change gives more, 1 change gives less. ${REMARK}`)
    expect(diff.changes.map(({ kind, example }) => [kind, example?.["repository_id"]])).toEqual([
      ["issuer", "41"],
      ["issuer", "41"],
    ])
  })

  it("is that even without any policy: a policy of a repository's own may need the name", () => {
    expect(sentences(worldOf({ github: ISSUER }, {}), worldOf({ actions: ISSUER }, {}))).toEqual([MORE, LESS])
  })

  it("is named with both names where something else changes", () => {
    const [old, next] = [
      worldOf({ github: ISSUER }),
      worldOf({ actions: ISSUER }, { "shop.yaml": from("refs/heads/*") }),
    ]
    expect(headings(old, next)).toEqual([
      "+ MORE  all jobs of issuer actions",
      "+ MORE  acme/shop (id 41, issuer actions, before called github), production",
      "- LESS  all jobs of issuer actions",
    ])
  })

  it("is another issuer when the name was taken over", () => {
    const [old, next] = [
      worldOf(BOTH, { "a.yaml": policyOf({ issuer: "github" }) }),
      worldOf({ github: ghes, ghes: ISSUER }, { "a.yaml": policyOf({ issuer: "github" }) }),
    ]
    const diff = diffOf(old, next)
    expect(diff.widens).toBe(true)
    expect(explainDiff(diff).slice(0, 2)).toEqual([
      `Issuer github is now at ${GHES}, before at ${GITHUB}.`,
      `Issuer ghes is now at ${GITHUB}, before at ${GHES}.`,
    ])
  })
})
