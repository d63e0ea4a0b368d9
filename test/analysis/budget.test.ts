import { describe, expect, it } from "vitest"
import { diffPolicySets } from "../../analysis/diff/diff.ts"
import { whoCan } from "../../analysis/who-can/who-can.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { ORGANISATION, setOf, TEST_PROVIDERS } from "../core/policy/support.ts"

const context = { providers: TEST_PROVIDERS }

const wide = (index: number) => `version: 1
repository: "acme/*${index}*"
allow:
  - { name: a, when: { ref: "refs/heads/${index}*" }, grants: [g${index}] }
grants:
  g${index}: { connection: notes }
`

/** Denies that each cut every job in another way. */
const cutting = (count: number, allowed: string) => `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - { name: a, when: { event_name: ${allowed} }, grants: [g] }
deny:
${Array.from({ length: count }, (_, index) => `  - { name: d${index}, when: { actor: a${index}, c${index}: x, d${index}: { not: "y" } } }`).join("\n")}
grants:
  g: { connection: notes }
`

const folder = (policies: Readonly<Record<string, string>>): PolicySet => setOf(policies, ORGANISATION)

/** What could keep a reviewer's tool busy for hours, by a pull request: old, and with one change that gives more. */
const HOSTILE: readonly [what: string, old: PolicySet, next: PolicySet][] = [
  [
    "patterns that all overlap",
    folder(Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`${index}.yaml`, wide(index)]))),
    folder(Object.fromEntries(Array.from({ length: 401 }, (_, index) => [`${index}.yaml`, wide(index)]))),
  ],
  [
    "denies that cut each other",
    folder({ "p.yaml": cutting(400, "push") }),
    folder({ "p.yaml": cutting(400, "[push, schedule]") }),
  ],
]

describe("policies with", () => {
  it.each(HOSTILE)("%s are told to be too complex, and never to be safe", (_, old, next) => {
    const diff = diffPolicySets(old, next, context)
    expect(diff.widens).toBe(true)
    expect(diff.changes.map(({ kind }) => kind)).toContain("too-complex")
    const { rows, unreachable, unknown } = whoCan(next, {}, context)
    expect({ rows, unreachable }).toEqual({ rows: [], unreachable: [] })
    expect(unknown.map(({ reason }) => reason).join()).toMatch(/too many/)
  })
})
