import { readPolicyTests } from "../../../analysis/policy-tests/read.ts"
import { type PolicyTestReport, runPolicyTests } from "../../../analysis/policy-tests/run.ts"
import type { PolicyFault, PolicySet } from "../../../broker/core/policy/model.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { policyOf, setOf } from "../../core/policy/support.ts"

export const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
connections:
  notes: { provider: note }
  bound: { provider: note, require_bound_token: true }
boundaries:
  - name: the ceiling
    when: { repository: "acme/*" }
    allow:
      - { connection: notes, text: "n*" }
      - { connection: bound }
    require: { repository_visibility: private }
  - name: guarded staging
    when: { repository: acme/shop, environment: staging }
    protected_environment: { required_reviewers: true }
`

/** Line numbers matter: rules start at lines 6, 9, 13 and 15 of the file. */
export const PRODUCTION = policyOf(`allow:
  - name: deploy from main
    when: { ref: refs/heads/main, event_name: [push, pull_request_target] }
    grants: [note, other]
  - name: keyed
    when: { ref: refs/heads/main }
    grants: [keyed]
deny:
  - name: not on our own runners
    when: { runner_environment: { not: github-hosted } }
  - name: no reruns
    when: { run_attempt: { not: "1" } }
    grants: [other]
grants:
  note: { connection: notes, text: none, ttl: 15m }
  other: { connection: notes, text: none, ttl: 10m }
  keyed: { connection: bound }
  outside: { connection: notes, text: xyz }
`)

const STAGING = policyOf(
  `allow:
  - name: staging
    grants: [note]
grants:
  note: { connection: notes }
`,
  { environment: "staging" },
)

const SERVICES = `version: 1
repository: acme/svc-*
environment: production
allow:
  - name: services
    when: { ref: refs/heads/main }
    grants: [note]
grants:
  note: { connection: notes }
`

export const POLICIES = { "production.yaml": PRODUCTION, "staging.yaml": STAGING, "services.yaml": SERVICES }

export const worldOf = (policies: Readonly<Record<string, string>> = POLICIES): PolicySet =>
  setOf(policies, ORGANISATION)

/** What most tests here begin with: a job that gets the grant `note`. */
export const HEAD = `version: 1
defaults:
  sample: github-environment
  claims: { repository: acme/shop }
  grants: [note]
tests:
`

const encoder = new TextEncoder()

/** Reads one file of tests, or several by their names. */
export function readTests(text: string | Uint8Array | Readonly<Record<string, string>>, set: PolicySet | null) {
  const files = typeof text === "string" || text instanceof Uint8Array ? { "p.test.yaml": text } : text
  const inputs = Object.entries(files).map(([path, content]) => ({
    path,
    bytes: typeof content === "string" ? encoder.encode(content) : content,
  }))
  return readPolicyTests(inputs, set)
}

/** Runs tests that are known to be good. */
export function runTests(text: string | Readonly<Record<string, string>>, set = worldOf()): PolicyTestReport {
  const tests = readTests(text, set)
  if (!tests.ok) throw new Error(tests.fault.map(shownFault).join("\n"))
  return runPolicyTests(set, tests.value, identityIn)
}

/** One test as a line of flow YAML below the head. */
export const oneTest = (body: string): string => `${HEAD}  - { name: the test, ${body} }\n`

export const shownFault = ({ line, column, code, message }: PolicyFault): string =>
  `${line}:${column} ${code} ${message}`
