// Administrators of some issuers choose the names of claims. A claim that names units of another issuer opens and lifts nothing.
import { expect, it } from "vitest"
import type { Claims } from "../../../broker/core/identity.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { DEFAULT_LIMITS, limitsOf } from "../../../broker/core/policy/limits.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import jenkinsJob from "../../vectors/claims/jenkins.json" with { type: "json" }
import { ISSUER_URL, setOf } from "./support.ts"

const JENKINS = "https://jenkins.example.com/oidc"

const organisation = (more = "") => `version: 1
issuers:
  github: { family: github-actions, url: "${ISSUER_URL}", owners: { acme: "9001" } }
  jenkins: { family: jenkins, url: "${JENKINS}" }
connections:
  notes: { provider: note }
${more}`

const POLICY = `version: 1
issuer: jenkins
job: ${jenkinsJob.sub}
allow: [{ name: the rule, when: { build_number: "42" }, grants: [note] }]
grants: { note: { connection: notes } }
`

/** A job of Jenkins whose templates make it look like the repository acme/shop, hosted by GitHub and caused by nobody. */
const FORGED = {
  repository: "acme/shop",
  repository_id: "41",
  repository_owner: "acme",
  repository_owner_id: "9001",
  runner_environment: "github-hosted",
  outsider: false,
  interactive: false,
}

function jobIn(file: string, claims: object = FORGED) {
  const set = setOf({ "p.yaml": POLICY }, file)
  const { organisation: read, policies } = set
  const config = read.issuers.get("jenkins")
  const identity = config && identityIn({ ...(jenkinsJob as Claims), ...claims }, config)
  if (!identity?.ok) throw new Error("the token is refused")
  return { organisation: read, policies, identity: identity.value, grants: ["note"] }
}

const boundaries = (...list: readonly string[]) =>
  organisation(`boundaries:\n${list.map((one) => `  - ${one}\n`).join("")}`)

const OF_THE_REPOSITORY = "{ name: shop, when: { repository: acme/shop }, allow: [{ connection: notes }] }"
const OF_JENKINS = `{ name: jenkins, when: { iss: "${JENKINS}" } }`
const OF_THE_OWNER =
  '{ name: acme, when: { repository_owner_id: "9001" }, allow: [{ connection: notes }], require: { event_name: push } }'

it.each([
  ["no ceiling at all", organisation(), "allow"],
  ["a ceiling for Jenkins that allows nothing", boundaries(OF_JENKINS), "deny"],
  ["the same, beside one that allows it to the repository", boundaries(OF_JENKINS, OF_THE_REPOSITORY), "deny"],
  ["the same, beside one that allows it to the owner", boundaries(OF_THE_OWNER, OF_JENKINS), "deny"],
])("a job with the claims of a repository of another issuer, below %s", (_, file, outcome) => {
  expect(decide(jobIn(file)).outcome).toBe(outcome)
  expect(decide(jobIn(file, {})).outcome).toBe(outcome)
})

it("takes no limit of a repository of another issuer, and uses up none of its places", () => {
  const file = organisation("limits:\n  - { when: { repository: acme/shop }, open_leases: 1 }\n")
  const { organisation: read, identity } = jobIn(file)
  expect(limitsOf(read, identity)).toEqual(DEFAULT_LIMITS)
})

it("is no outsider's only because it says so: what a job is follows from its URL", () => {
  const url = `${jenkinsJob.sub}job/PR-7/`
  expect(jobIn(organisation(), { ...FORGED, sub: url }).identity.claims).toMatchObject({ outsider: true })
})
