import { afterEach, beforeEach, expect, test } from "vitest"
import { withRepositoryPolicies } from "../../broker/adapters/github/policy-source.ts"
import { createRepositoryPolicyReader } from "../../broker/adapters/github/repository-policies.ts"
import { createMemoryPolicySource } from "../../broker/adapters/memory/policy-source.ts"
import type { PolicySource } from "../../broker/ports/policy-source.ts"
import { job } from "../core/job.ts"
import { allowing, ISSUER_URL, ORGANISATION, setOf, TEST_PROVIDERS } from "../core/policy/support.ts"
import { type GitHubWorld, makeGitHubWorld } from "./github-world.ts"

const FILE = ".github/daypass/production.yaml"
const CEILING = `${ORGANISATION.replace(/ {4}owners.*\n/, "$&    repository_policies: true\n").replace("boundaries: []\n", "")}boundaries:
  - { name: shop, when: { repository: "acme/*" }, allow: [{ connection: notes }] }
`
const SHOP = job({ claims: { repository: "acme/shop", ref: "refs/heads/main" } })

let world: GitHubWorld
let source: PolicySource
const logged: unknown[] = []
beforeEach(async () => {
  logged.length = 0
  world = await makeGitHubWorld()
  const { app, clock } = world
  source = withRepositoryPolicies(createMemoryPolicySource(setOf({}, CEILING), clock.now()), {
    reader: createRepositoryPolicyReader(app, clock),
    issuerUrl: ISSUER_URL,
    clock,
    providers: TEST_PROVIDERS,
    log: (event) => void logged.push(event),
  })
})
afterEach(() => world.api.close())

const inForce = async () => (await source.snapshot()).policiesOf(SHOP)

test("policies of a repository's default branch are in force, for a minute without a request, then on condition", async () => {
  world.shop.push({ [FILE]: allowing("{ ref: refs/heads/main }") })
  expect((await inForce()).policies).toMatchObject([{ file: FILE, origin: "repository" }])
  world.asked()
  world.clock.advance(59)
  await inForce()
  expect(world.asked()).toEqual([])
  world.clock.advance(1)
  await inForce()
  expect(world.asked()).toEqual(["GET /repositories/41 304", "GET /repositories/41/git/ref/heads/main 304"])
})

test("a policy that was removed is in force for a minute at most", async () => {
  world.shop.push({ [FILE]: allowing("{ ref: refs/heads/main }") })
  await inForce()
  world.shop.push({ "README.md": "# Shop" })
  world.clock.advance(60)
  expect((await inForce()).policies).toEqual([])
})

test("a policy with the repository's former name counts for ten minutes after a rename, and is a fault then", async () => {
  world.shop.push({ [FILE]: allowing("{ ref: refs/heads/main }") })
  await inForce()
  world.shop.name = "store"
  world.clock.advance(60)
  expect((await inForce()).notes).toEqual([expect.stringContaining("have faults now")])
  world.clock.advance(9 * 60)
  await expect(inForce()).rejects.toMatchObject({
    code: "policy_invalid",
    detail: expect.stringContaining("acme/store"),
  })
})

test("a policy that is a symlink is a fault, and says where", async () => {
  world.shop.push({ [FILE]: { symlink: "../../elsewhere.yaml" } })
  await expect(inForce()).rejects.toMatchObject({
    code: "policy_invalid",
    detail: expect.stringContaining(`${FILE}:1:1: This is a symlink`),
  })
})

test("a repository that the App cannot see is refused, never without policies", async () => {
  world.api.uninstall(world.installation)
  await expect(inForce()).rejects.toMatchObject({
    code: "policy_unavailable",
    detail: expect.stringContaining("not installed on acme/shop: install it"),
  })
})

test("no token, key or word of GitHub's is in what is logged or said", async () => {
  world.shop.push({ [FILE]: "nonsense" })
  const said = await inForce().catch((error: unknown) => error)
  expect(logged).toHaveLength(1)
  expect(JSON.stringify([said, logged, String(said)])).not.toMatch(/ghs_|eyJ|PRIVATE KEY|documentation_url/)
})
