import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { createMemoryPolicySource } from "../../broker/adapters/memory/policy-source.ts"
import {
  openPolicyFolder,
  type PolicyFolder,
  type PolicyFolderOptions,
} from "../../broker/adapters/node/policy-folder.ts"
import { fingerprintPolicyFolder, readPolicyFolder } from "../../broker/adapters/node/read-policy-folder.ts"
import { job } from "../core/job.ts"
import { allowing, ORGANISATION, setOf, TEST_PROVIDERS } from "../core/policy/support.ts"
import { policySourceSuite } from "./policy-source.suite.ts"

const POLICY = allowing("{ ref: refs/heads/main }")
const OTHER = POLICY.replace('"41"', '"42"')

let folder: string
let opened: PolicyFolder[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-policies-"))
  write("daypass.yaml", ORGANISATION)
  write("acme/shop/production.yaml", POLICY)
})

afterEach(() => {
  for (const source of opened) source.close()
  opened = []
  rmSync(folder, { recursive: true, force: true })
})

function write(path: string, text: string, root = folder): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

async function open(options: PolicyFolderOptions = {}): Promise<PolicyFolder> {
  const source = await openPolicyFolder(folder, TEST_PROVIDERS, { quietMs: 20, ...options })
  opened.push(source)
  return source
}

const pathsOf = () =>
  readPolicyFolder(folder).map(({ path, refused }) => (refused === undefined ? path : `${path}: refused`))

describe("policies in memory", () => {
  policySourceSuite(async () => createMemoryPolicySource(setOf({ "p.yaml": POLICY }), new Date()))
})

describe("policies in a folder", () => {
  policySourceSuite(() => open())

  it("does not open a folder with faults, and names every one of them", async () => {
    write("a.yaml", "a: *b")
    write("b.yml", POLICY)
    await expect(open()).rejects.toMatchObject({
      code: "policy_unavailable",
      detail: expect.stringMatching(/a\.yaml:1:4: [\s\S]*b\.yml:1:1: /),
    })
  })

  it("does not open a folder that is not there", async () => {
    rmSync(folder, { recursive: true })
    await expect(open()).rejects.toMatchObject({
      code: "policy_unavailable",
      detail: expect.stringContaining("ENOENT"),
    })
  })

  it("keeps a request's snapshot as it was, while a reload puts the next in force", async () => {
    const source = await open()
    const before = await source.snapshot()
    write("more.yaml", OTHER)
    expect(source.reload()).toBe(true)
    expect((await before.policiesOf({ ...job(), repositoryId: "42" })).policies).toHaveLength(0)
    expect((await (await source.snapshot()).policiesOf({ ...job(), repositoryId: "42" })).policies).toHaveLength(1)
    expect(source.status()).toMatchObject({ policies: 2 })
  })

  it("leaves the last good set in force when the folder breaks, says since when, and recovers", async () => {
    const outcomes: boolean[] = []
    const source = await open({ onReload: ({ ok }) => outcomes.push(ok) })
    const good = source.status()
    write("broken.yaml", "a: *b")
    expect(source.reload()).toBe(false)
    const broken = source.status()
    expect(broken).toEqual({ ...good, stale: { since: expect.any(String), faults: 1 } })
    expect((await (await source.snapshot()).policiesOf({ ...job(), repositoryId: "41" })).policies).toHaveLength(1)

    write("broken-too.yaml", "")
    expect(source.reload()).toBe(false)
    expect(source.status().stale).toEqual({ since: broken.stale?.since, faults: 2 })

    rmSync(join(folder, "broken.yaml"))
    rmSync(join(folder, "broken-too.yaml"))
    expect(source.reload()).toBe(true)
    expect(source.status()).toMatchObject({ version: good.version })
    expect(source.status().stale).toBeUndefined()
    expect(outcomes).toEqual([false, false, true])
  })

  it("sees a file's new text after each of many changes, also one that goes back", async () => {
    const source = await open()
    const versions = [POLICY, OTHER, POLICY].map((text) => {
      write("acme/shop/production.yaml", text)
      source.reload()
      return source.status().version
    })
    expect(versions[0]).toBe(versions[2])
    expect(versions[1]).not.toBe(versions[0])
    expect((await (await source.snapshot()).policiesOf({ ...job(), repositoryId: "41" })).policies).toHaveLength(1)
    expect((await (await source.snapshot()).policiesOf({ ...job(), repositoryId: "42" })).policies).toHaveLength(0)
  })

  it("keeps the ceiling and the denials when the whole folder goes away", async () => {
    const source = await open()
    rmSync(folder, { recursive: true })
    expect(source.reload()).toBe(false)
    expect(source.status().stale?.faults).toBe(1)
    expect((await (await source.snapshot()).policiesOf({ ...job(), repositoryId: "41" })).policies).toHaveLength(1)
  })

  it("says nothing of a reload that found nothing new", async () => {
    const outcomes: boolean[] = []
    const source = await open({ onReload: ({ ok }) => outcomes.push(ok) })
    source.reload()
    write("broken.yaml", "")
    source.reload()
    source.reload()
    expect(outcomes).toEqual([false])
  })

  it.each<[string, PolicyFolderOptions]>([
    ["when it is told of them", { pollMs: 3_600_000 }],
    ["when nobody tells it, by looking", { quietMs: 3_600_000, pollMs: 20 }],
  ])("picks changes up by itself %s", async (_, options) => {
    const reloaded = Promise.withResolvers<void>()
    const source = await open({ ...options, onReload: ({ ok }) => ok && reloaded.resolve() })
    write("acme/new/production.yaml", OTHER)
    await reloaded.promise
    expect((await (await source.snapshot()).policiesOf({ ...job(), repositoryId: "42" })).policies).toHaveLength(1)
  })
})

describe("reading a policy folder", () => {
  it("finds policies at any depth, in the order of their paths, and leaves hidden and other files", () => {
    write("z/a.yaml", "")
    write("README.md", "")
    write(".git/config.yaml", "")
    write(".#production.yaml", "")
    write("a.yml", "")
    expect(pathsOf()).toEqual(["a.yml", "acme/shop/production.yaml", "daypass.yaml", "z/a.yaml"])
  })

  it("refuses symlinks that leave the folder, lead nowhere, or are folders", () => {
    const outside = mkdtempSync(join(tmpdir(), "daypass-outside-"))
    write("secret.yaml", POLICY, outside)
    symlinkSync(join(outside, "secret.yaml"), join(folder, "file.yaml"))
    symlinkSync(outside, join(folder, "folder"))
    symlinkSync(join(folder, "acme"), join(folder, "inner"))
    symlinkSync(join(folder, "nothing"), join(folder, "nowhere.yaml"))
    expect(pathsOf()).toEqual([
      "acme/shop/production.yaml",
      "daypass.yaml",
      "file.yaml: refused",
      "folder: refused",
      "inner: refused",
      "nowhere.yaml: refused",
    ])
    rmSync(outside, { recursive: true })
  })

  it("reads a mounted ConfigMap, whose files are symlinks into a hidden folder of the same", () => {
    mkdirSync(join(folder, "..2026_01"))
    renameSync(join(folder, "daypass.yaml"), join(folder, "..2026_01/daypass.yaml"))
    symlinkSync("..2026_01", join(folder, "..data"))
    symlinkSync("..data/daypass.yaml", join(folder, "daypass.yaml"))
    expect(pathsOf()).toEqual(["acme/shop/production.yaml", "daypass.yaml"])
    expect(readPolicyFolder(folder)[1]?.bytes.length).toBe(ORGANISATION.length)
  })

  it("reads of a file that is too large just enough to refuse it", () => {
    write("large.yaml", "#".repeat(200_000))
    expect(readPolicyFolder(folder).find(({ path }) => path === "large.yaml")?.bytes.length).toBe(65_537)
  })

  it("notices by a fingerprint that a file was written, added, moved or removed", () => {
    const first = fingerprintPolicyFolder(folder)
    const seen = new Set([first])
    const look = () => seen.add(fingerprintPolicyFolder(folder)).size
    expect(look()).toBe(1)
    write("a.yaml", "1")
    expect(look()).toBe(2)
    write("a.yaml", "22")
    expect(look()).toBe(3)
    renameSync(join(folder, "a.yaml"), join(folder, "b.yaml"))
    expect(look()).toBe(4)
    rmSync(join(folder, "b.yaml"))
    expect(fingerprintPolicyFolder(folder)).toBe(first)
  })
})
