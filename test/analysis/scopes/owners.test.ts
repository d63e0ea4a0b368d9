import { describe, expect, it } from "vitest"
import { getsMore } from "../../../analysis/reach/sample-job.ts"
import { type DiffWorld, diffOf, diffWorldOf, ISSUER } from "../diff/world.ts"

// One owner can be listed by several names, and several owners can be listed: which of them a repository belongs to decides
// which boundaries are over it and which patterns speak of it, whether a condition names the owner or not.

const RENAMED = { ...ISSUER, owners: { acme: "9001", "acme-old": "9001" } }
const TWO = { ...ISSUER, owners: { acme: "9001", umbrella: "9002" }, repository_policies: true }
const grants = { deploy: { connection: "prod", role: "a" } }
const allow = [{ name: "main", when: { ref: "refs/heads/main" }, grants: ["deploy"] }]
const policy = (repository: string, id?: string) => ({
  repository,
  ...(id === undefined ? {} : { repository_id: id }),
  environment: "production",
  allow,
  grants,
})
const job = (repository: string, ownerId: string, id = "41") => ({
  repository,
  repository_id: id,
  repository_owner: repository.slice(0, repository.indexOf("/")),
  repository_owner_id: ownerId,
  environment: "production",
  ref: "refs/heads/main",
  event_name: "push",
})
const world = (
  policies: readonly Readonly<Record<string, unknown>>[],
  boundaries: readonly unknown[],
  issuer: object = RENAMED,
): DiffWorld => ({
  organisation: { issuers: { github: issuer }, boundaries },
  policies: Object.fromEntries(policies.map((each, index) => [`${index}.yaml`, each])),
})

describe("a ceiling that is lifted off an owner of two names widens", () => {
  const restricting = { name: "all", when: { repository: "acme/*" }, require: { team: "a" } }
  const byOwner = { ...restricting, when: { repository_owner: "acme" } }
  const allowing = { name: "old", when: { repository: "acme-old/*" }, allow: [{ connection: "prod" }] }
  it.each([
    ["a repository by the other name", [policy("acme-old/shop", "41")], [restricting], []],
    ["a boundary about the owner", [policy("acme-old/shop", "41")], [byOwner], []],
    ["a pattern of the other name", [policy("acme-old/*")], [restricting], []],
    ["tokens of the other name", [policy("acme/*")], [allowing, restricting], [allowing]],
  ])("%s", (_, policies, before, after) => {
    const [old, next] = [world(policies, before), world(policies, after)]
    const question = { witness: job("acme-old/shop", "9001"), issuer: "github", grant: "deploy" }
    expect(getsMore(diffWorldOf(next), diffWorldOf(old), question)).toBe(true)
    expect(diffOf(old, next).widens).toBe(true)
    expect(diffOf(next, old)).toMatchObject({ widens: false, narrows: true })
  })
})

describe("what restricts the second owner's repositories' own policies is told of as the first one's", () => {
  const open = [{ name: "all", when: { ref: "refs/heads/**" }, allow: [{ connection: "prod" }] }]
  const frozen = [{ name: "frozen", when: { actor: "mallory" } }]
  it.each([
    ["a deny of all", { repository: "umbrella/*", deny: frozen }],
    [
      "a demand",
      {
        repository: "umbrella/*",
        environment: "production",
        protected_environment: { required_reviewers: true },
        grants: { x: { connection: "prod" } },
      },
    ],
  ])("%s", (_, wide) => {
    const [old, next] = [world([wide], open, TWO), world([{ repository: "umbrella/none-*", deny: frozen }], open, TWO)]
    expect(diffOf(old, next).widens).toBe(true)
    expect(diffOf(next, old).narrows).toBe(true)
  })
})

describe("a connection that only repositories' own policies can use", () => {
  const open = [{ name: "all", when: { repository: "acme/*" }, allow: [{ connection: "prod" }] }]
  const connected = (prod: object, issuer: object = TWO): DiffWorld => ({
    organisation: {
      issuers: { github: issuer },
      boundaries: open,
      connections: { prod: { provider: "cloud", ...prod } },
    },
    policies: {},
  })
  it.each([
    ["takes unbound tokens again", { require_bound_token: true }, {}],
    ["reaches an account more", { accounts: ["1"] }, { accounts: ["1", "2"] }],
  ])("%s", (_, before, after) => {
    expect(diffOf(connected(before), connected(after))).toMatchObject({ widens: true, narrows: false })
    expect(diffOf(connected(after), connected(before))).toMatchObject({ widens: false, narrows: true })
    const closed = { ...TWO, repository_policies: false }
    expect(diffOf(connected(before, closed), connected(after, closed))).toMatchObject({ widens: false, narrows: false })
  })
})
