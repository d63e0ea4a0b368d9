import { expect, it } from "vitest"
import { warningsOf } from "../../../analysis/warnings/warnings.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { organisation } from "./checked.ts"

const ROLE = "arn:aws:iam::111122223333:role/"
const POLICY = `version: 1
environment: production
allow: [{ name: pushes, when: { ref: refs/heads/main }, grants: [one] }]
grants: { one: { connection: aws, role: "${ROLE}svc-x" } }
`
const CEILING = `boundaries:
  - { name: all, when: { repository_owner_id: "9001" }, allow: [{ connection: aws, role: "${ROLE}svc-*" }] }
`

/** Policies for repositories a, b and c: whether each is inside of the ceiling, the refused job's repository, and warnings. */
function found(...texts: readonly string[]) {
  const file = (path: string, text: string) => ({ path, bytes: new TextEncoder().encode(text) })
  const files = texts.map((text, at) => {
    const name = "abc".charAt(at)
    return file(`${name}.yaml`, `${text}repository: acme/${name}\nrepository_id: "${41 + at}"\n`)
  })
  const inputs = [file("daypass.yaml", organisation(CEILING)), ...files]
  const loaded = loadPolicySet(inputs, PROVIDERS)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault))
  const { containment, warnings } = warningsOf({ set: loaded.value, files: inputs, providers: PROVIDERS })
  return containment.map(({ file, inside, witness }) => [
    inside,
    witness?.["repository"] ?? null,
    warnings.filter((one) => one.file === file).map(({ code }) => code),
  ])
}

const INSIDE = ["proved", null, []]

it("finds the same of policies that say the same, with each one's own repository", () => {
  const outside = POLICY.replace("svc-x", "x")
  const said = found(outside, outside, outside)
  expect(said.map(([inside, repository]) => [inside, repository])).toEqual([
    ["outside", "acme/a"],
    ["outside", "acme/b"],
    ["outside", "acme/c"],
  ])
})

it.each([
  ["another credential", (text: string) => text.replace("svc-x", "x")],
  ["another condition", (text: string) => text.replace("ref: refs/heads/main", "event_name: pusch")],
  [
    "a condition on the repository's name",
    (text: string) => text.replace("ref: refs", "repository: acme/z, ref: refs"),
  ],
  ["a deny", (text: string) => `${text}deny: [{ name: all, grants: [one], when: { ref: { present: true } } }]\n`],
])("finds of a policy with %s something else than of its neighbours", (_, change) => {
  const [before, changed, after] = found(POLICY, change(POLICY), POLICY)
  const [alone] = found(change(POLICY))
  expect([before, after]).toEqual([INSIDE, INSIDE])
  expect(changed).not.toEqual(INSIDE)
  expect(changed?.[0]).toBe(alone?.[0])
  expect(changed?.[2]).toEqual(alone?.[2])
})

it("tells apart two repositories of which a condition names one", () => {
  const named = POLICY.replace("ref: refs", "repository: acme/b, ref: refs")
  expect(found(named, named).map(([, , codes]) => codes)).toEqual([["grant_unreachable"], []])
})
