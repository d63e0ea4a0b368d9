import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { openPolicyFolder, type PolicyFolder } from "../../broker/adapters/node/policy-folder.ts"
import { decide } from "../../broker/core/policy/decide.ts"
import { identityOf, ORGANISATION, policyOf, TEST_PROVIDERS } from "../core/policy/support.ts"

// The ceiling stands in the organisation file. Whatever happens to that file, it is never read as "no ceiling".

const CEILING = ORGANISATION.replace(
  "[]",
  "\n  - { name: a, when: { repository: acme/shop }, allow: [{ connection: vault-prod }] }",
)
const POLICY = policyOf("allow:\n  - { name: all, grants: [note] }\ngrants:\n  note: { connection: notes }\n")

let folder: string
let opened: PolicyFolder | undefined
const path = (name: string) => join(folder, name)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-ceiling-"))
  writeFileSync(path("daypass.yaml"), CEILING)
  writeFileSync(path("p.yaml"), POLICY)
})

afterEach(() => {
  opened?.close()
  opened = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function outcome(source: PolicyFolder): Promise<string> {
  const { organisation, policiesOf } = await source.snapshot()
  const identity = identityOf()
  const { policies } = await policiesOf(identity)
  return decide({ organisation, policies, identity, grants: ["note"] }).outcome
}

const losses: [string, () => void][] = [
  ["deleted", () => rmSync(path("daypass.yaml"))],
  ["emptied", () => writeFileSync(path("daypass.yaml"), "")],
  ["cut off in its boundaries", () => writeFileSync(path("daypass.yaml"), CEILING.slice(0, -30))],
  ["replaced by one with a fault", () => writeFileSync(path("daypass.yaml"), CEILING.replace("when:", "wehn:"))],
  ["renamed", () => renameSync(path("daypass.yaml"), path("daypass.yml"))],
  [
    "moved into a folder",
    () => {
      mkdirSync(path("acme"))
      renameSync(path("daypass.yaml"), path("acme/daypass.yaml"))
    },
  ],
  [
    "replaced by a folder",
    () => {
      rmSync(path("daypass.yaml"))
      mkdirSync(path("daypass.yaml"))
    },
  ],
  [
    "replaced by a link to nowhere",
    () => {
      rmSync(path("daypass.yaml"))
      symlinkSync("nowhere.yaml", path("daypass.yaml"))
    },
  ],
  ["gone with its whole folder", () => rmSync(folder, { recursive: true })],
]

describe.each(losses)("when the organisation file is %s", (_, lose) => {
  it("the ceiling that was in force stays in force, and the source says that it is stale", async () => {
    opened = await openPolicyFolder(folder, TEST_PROVIDERS, { quietMs: 0 })
    expect(await outcome(opened)).toBe("deny")
    lose()
    expect(await opened.reload()).toBe(false)
    expect(await outcome(opened)).toBe("deny")
    expect(opened.status().stale).toBeDefined()
  })

  it("a broker that starts has no policies at all", async () => {
    lose()
    await expect(openPolicyFolder(folder, TEST_PROVIDERS, { quietMs: 0 })).rejects.toMatchObject({
      code: "policy_unavailable",
    })
  })
})

it.skipIf(process.getuid?.() === 0)(
  "an organisation file that cannot be read leaves the ceiling in force",
  async () => {
    opened = await openPolicyFolder(folder, TEST_PROVIDERS, { quietMs: 0 })
    chmodSync(path("daypass.yaml"), 0)
    opened.reload()
    expect(await outcome(opened)).toBe("deny")
  },
)

it("only an organisation file that says so has no ceiling", async () => {
  opened = await openPolicyFolder(folder, TEST_PROVIDERS, { quietMs: 0 })
  writeFileSync(path("daypass.yaml"), ORGANISATION)
  expect(await opened.reload()).toBe(true)
  expect(await outcome(opened)).toBe("allow")
})
