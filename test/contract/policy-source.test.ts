import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { createMemoryPolicySource } from "../../broker/adapters/memory/policy-source.ts"
import {
  openPolicyFolder,
  type PolicyFolder,
  type PolicyFolderOptions,
} from "../../broker/adapters/node/policy-folder.ts"
import { createFolderReader, readPolicyFolder } from "../../broker/adapters/node/read-policy-folder.ts"
import { atOnce } from "../../broker/core/steps.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { SHOP } from "../../broker/providers/sops/recorded.ts"
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
  const source = await openPolicyFolder(folder, TEST_PROVIDERS, { quietMs: 0, ...options })
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
    expect(await source.reload()).toBe(true)
    expect((await before.policiesOf({ ...job(), unitId: "42" })).policies).toHaveLength(0)
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "42" })).policies).toHaveLength(1)
    expect(source.status()).toMatchObject({ policies: 2 })
  })

  it("leaves the last good set in force when the folder breaks, says since when, and recovers", async () => {
    const outcomes: boolean[] = []
    const source = await open({ onReload: ({ ok }) => outcomes.push(ok) })
    const good = source.status()
    write("broken.yaml", "a: *b")
    expect(await source.reload()).toBe(false)
    const broken = source.status()
    expect(broken).toEqual({ ...good, stale: { since: expect.any(String), faults: 1 } })
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "41" })).policies).toHaveLength(1)

    write("broken-too.yaml", "")
    expect(await source.reload()).toBe(false)
    expect(source.status().stale).toEqual({ since: broken.stale?.since, faults: 2 })

    rmSync(join(folder, "broken.yaml"))
    rmSync(join(folder, "broken-too.yaml"))
    expect(await source.reload()).toBe(true)
    expect(source.status()).toMatchObject({ version: good.version })
    expect(source.status().stale).toBeUndefined()
    expect(outcomes).toEqual([false, false, true])
  })

  it("sees a file's new text after each of many changes, also one that goes back", async () => {
    const source = await open()
    const versions: (string | null)[] = []
    for (const text of [POLICY, OTHER, POLICY]) {
      write("acme/shop/production.yaml", text)
      await source.reload()
      versions.push(source.status().version)
    }
    expect(versions[0]).toBe(versions[2])
    expect(versions[1]).not.toBe(versions[0])
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "41" })).policies).toHaveLength(1)
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "42" })).policies).toHaveLength(0)
  })

  it("keeps the ceiling and the denials when the whole folder goes away", async () => {
    const source = await open()
    rmSync(folder, { recursive: true })
    expect(await source.reload()).toBe(false)
    expect(source.status().stale?.faults).toBe(1)
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "41" })).policies).toHaveLength(1)
  })

  it("says nothing of a reload that found nothing new", async () => {
    const outcomes: boolean[] = []
    const source = await open({ onReload: ({ ok }) => outcomes.push(ok) })
    await source.reload()
    write("broken.yaml", "")
    await source.reload()
    await source.reload()
    expect(outcomes).toEqual([false])
  })

  it.each<[string, PolicyFolderOptions]>([
    ["when it is told of them", { quietMs: 20, pollMs: 3_600_000 }],
    ["when nobody tells it, by looking", { quietMs: 20, pollMs: 20, isWatching: false }],
  ])("picks changes up by itself %s", async (_, options) => {
    const reloaded = Promise.withResolvers<void>()
    const source = await open({ ...options, onReload: ({ ok }) => ok && reloaded.resolve() })
    write("acme/new/production.yaml", OTHER)
    await reloaded.promise
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "42" })).policies).toHaveLength(1)
  })
})

describe("a folder with files of secrets", () => {
  const organisation = ORGANISATION.replace("connections:\n", "connections:\n  s: { provider: sops, key: env:K }\n")
  const policy = allowing("{ ref: refs/heads/main }").replace(
    "note: { connection: notes }",
    'note: { connection: s, read: { A: "shop.sops.yaml#database/user" } }',
  )
  const openFolder = async () => {
    write("daypass.yaml", organisation)
    write("acme/shop/production.yaml", policy)
    write("shop.sops.yaml", SHOP)
    // The test's own kinds of connections, as the organisation file has them.
    const providers = new Map([...PROVIDERS, ...TEST_PROVIDERS])
    const source = await openPolicyFolder(folder, providers, { quietMs: 0 })
    opened.push(source)
    return source
  }
  const given = async (source: PolicyFolder) => {
    const { policies } = await (await source.snapshot()).policiesOf(job())
    return policies[0]?.grants.get("note")?.files?.get("shop.sops.yaml")
  }

  it("gives a changed file to the grants that name it, under another version", async () => {
    const source = await openFolder()
    const { version } = source.status()
    expect(await given(source)).toBe(SHOP)
    const other = SHOP.replace("eu-west-1", "eu-west-2")
    write("shop.sops.yaml", other)
    expect(await source.reload()).toBe(true)
    expect(await given(source)).toBe(other)
    expect(source.status().version).not.toBe(version)
  })

  it("keeps the last good one in force when it is there in the clear, or gone", async () => {
    const source = await openFolder()
    write("shop.sops.yaml", "database: { user: shop }\n")
    expect(await source.reload()).toBe(false)
    expect(source.status().stale).toMatchObject({ faults: 1 })
    rmSync(join(folder, "shop.sops.yaml"))
    expect(await source.reload()).toBe(false)
    expect(await given(source)).toBe(SHOP)
  })
})

describe("a reload", () => {
  const COUNT = 50
  const NEVER = { pollMs: 3_600_000, isWatching: false }
  const turn = () => new Promise((resume) => setImmediate(resume))

  beforeEach(() => {
    for (let id = 1; id <= COUNT; id++) {
      write(`acme/repository-${id}/production.yaml`, POLICY.replace('"41"', `"${1000 + id}"`))
    }
  })

  const organisation = (maxTtl: string) => ORGANISATION.replace("max_ttl: 30m", `max_ttl: ${maxTtl}`)
  const changeOrganisation = () => write("daypass.yaml", organisation("20m"))

  /** A folder whose files seem old and whose organisation file takes so long to read that others have their turn behind it. */
  const openSlow = async (options: PolicyFolderOptions = {}) => {
    const read: string[] = []
    const source = await open({
      ...NEVER,
      ...options,
      now: () => Date.now() + 60_000,
      read: (file) => {
        read.push(relative(folder, file))
        const until = performance.now() + (file.endsWith("daypass.yaml") ? 30 : 0)
        while (performance.now() < until);
        return readFileSync(file)
      },
    })
    return { source, taken: () => read.splice(0) }
  }

  it("reads the file that changed, and no other", async () => {
    const { source, taken } = await openSlow()
    expect(taken()).toHaveLength(COUNT + 2)
    write("acme/repository-7/production.yaml", OTHER)
    expect(await source.reload()).toBe(true)
    expect(taken()).toEqual(["acme/repository-7/production.yaml"])
    changeOrganisation()
    expect(await source.reload()).toBe(true)
    expect(taken()).toEqual(["daypass.yaml"])
    expect(await source.reload()).toBe(true)
    expect(taken()).toEqual([])
  })

  it("lets others have their turn, whom the last good set answers meanwhile", async () => {
    const { source } = await openSlow()
    const before = source.status().version
    changeOrganisation()
    const reloading = source.reload()
    await turn()
    expect((await source.snapshot()).version).toBe(before)
    expect(await reloading).toBe(true)
    expect((await source.snapshot()).version).not.toBe(before)
  })

  it("never overlaps another, and sees what was changed while another was under way", async () => {
    const versions: string[] = []
    const { source } = await openSlow({
      onReload: (outcome) => versions.push(outcome.ok ? outcome.value.version : "refused"),
    })
    changeOrganisation()
    const first = source.reload()
    await turn()
    // The reload that is under way has read this file already.
    write("daypass.yaml", organisation("10m"))
    const [second, third] = [source.reload(), source.reload()]
    expect(second).toBe(third)
    expect(await Promise.all([first, second])).toEqual([true, true])
    const { connections } = (await source.snapshot()).organisation
    expect(connections.get("vault-prod")?.maxTtlSeconds).toBe(600)
    expect(versions.at(-1)).toBe(source.status().version)
  })

  it("ends when the folder is closed, and changes nothing", async () => {
    const outcomes: boolean[] = []
    const { source } = await openSlow({ onReload: ({ ok }) => outcomes.push(ok) })
    const before = source.status()
    changeOrganisation()
    const underWay = source.reload()
    await turn()
    const waiting = source.reload()
    source.close()
    expect(await Promise.all([underWay, waiting, source.reload()])).toEqual([false, false, false])
    expect(outcomes).toEqual([])
    expect(source.status()).toEqual(before)
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "41" })).policies).toHaveLength(1)
  })

  it("goes on after one whose listener threw", async () => {
    let faulty = true
    const { source } = await openSlow({
      onReload: () => {
        if (faulty) throw new Error("the log is full")
      },
    })
    changeOrganisation()
    await expect(source.reload()).rejects.toThrow("the log is full")
    faulty = false
    write("acme/repository-1/production.yaml", OTHER)
    expect(await source.reload()).toBe(true)
    expect((await (await source.snapshot()).policiesOf({ ...job(), unitId: "42" })).policies).toHaveLength(1)
  })

  it("gives the folder the version that anybody can compute with sha256sum", async () => {
    const source = await open()
    const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex")
    const listing = readPolicyFolder(folder).map(({ path, bytes }) => `${sha256(bytes)}  ${path}\n`)
    expect(source.status().version).toBe(sha256(listing.join("")))
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

  it("finds files of secrets in every form, and leaves SOPS's own settings", () => {
    for (const name of ["a.sops.yaml", "a.sops.yml", "s/a.sops.json", "s/a.sops.env", "s/a.SOPS.JSON", "a.sops.ini"])
      write(name, "")
    for (const name of [".sops.yaml", "s/.sops.yaml", "a.json", "a.env", "a.sops.yaml~"]) write(name, "")
    expect(pathsOf().filter((path) => /sops|a\.(?:json|env)/i.test(path))).toEqual([
      "a.sops.ini",
      "a.sops.yaml",
      "a.sops.yml",
      "s/a.SOPS.JSON",
      "s/a.sops.env",
      "s/a.sops.json",
    ])
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

  it("says of a symlink that leads back to itself which one it is, and reads the others", () => {
    symlinkSync("loop.yaml", join(folder, "loop.yaml"))
    expect(pathsOf()).toEqual(["acme/shop/production.yaml", "daypass.yaml", "loop.yaml: refused"])
  })

  it("reads of a file that is too large just enough to refuse it", () => {
    write("large.yaml", "#".repeat(200_000))
    expect(readPolicyFolder(folder).find(({ path }) => path === "large.yaml")?.bytes.length).toBe(65_537)
  })

  it("says by itself whether a file was written, added, moved or removed", () => {
    const reader = createFolderReader(folder)
    const look = () => atOnce(reader.look()).changed
    const seen = [look(), look()]
    for (const change of [
      () => write("a.yaml", "1"),
      () => write("a.yaml", "2"),
      () => renameSync(join(folder, "a.yaml"), join(folder, "b.yaml")),
      () => rmSync(join(folder, "b.yaml")),
      () => symlinkSync("nowhere", join(folder, "c.yaml")),
    ]) {
      change()
      seen.push(look(), look())
    }
    expect(seen).toEqual([true, false, true, false, true, false, true, false, true, false, true, false])
  })
})

describe("looking at a policy folder again", () => {
  const MINUTE = 60_000
  /** A reader that counts what it reads; `age` is how old the files seem to be, in milliseconds. */
  const counting = (age: { ms: number }) => {
    const read: string[] = []
    const reader = createFolderReader(folder, {
      now: () => Date.now() + age.ms,
      read: (file) => {
        read.push(relative(folder, file))
        return readFileSync(file)
      },
    })
    return { look: () => atOnce(reader.look()), taken: () => read.splice(0) }
  }

  it("reads a changed file, and no other", () => {
    for (let id = 1; id <= 50; id++) write(`acme/repository-${id}/production.yaml`, POLICY)
    const { look, taken } = counting({ ms: MINUTE })
    const { files } = look()
    expect(taken()).toHaveLength(52)
    write("acme/repository-7/production.yaml", OTHER)
    const after = look()
    expect(taken()).toEqual(["acme/repository-7/production.yaml"])
    expect(after.files.filter(({ bytes }, index) => bytes !== files[index]?.bytes).map(({ path }) => path)).toEqual([
      "acme/repository-7/production.yaml",
    ])
  })

  it.each([
    ["sees a change that a new file's size and times do not show", 0, "22", true],
    ["trusts the size and times of a file that was old when it was read", MINUTE, "11", false],
  ])("%s", (_, age, text, changed) => {
    let bytes = Buffer.from("11")
    const reader = createFolderReader(folder, { now: () => Date.now() + age, read: () => bytes })
    atOnce(reader.look())
    bytes = Buffer.from("22")
    const look = atOnce(reader.look())
    expect(look.changed).toBe(changed)
    expect(look.files.map(({ bytes }) => String(bytes))).toEqual([text, text])
  })

  it("reads a file that was new when it was read once more when it is old, and then leaves it", () => {
    const age = { ms: 0 }
    const { look, taken } = counting(age)
    const { files } = look()
    taken()
    age.ms = MINUTE
    const again = look()
    expect(taken()).toHaveLength(2)
    expect(again.changed).toBe(false)
    expect(again.files.map(({ bytes }, index) => bytes === files[index]?.bytes)).toEqual([true, true])
    look()
    expect(taken()).toEqual([])
  })

  it("reads a file anew that came back after it was gone", () => {
    const { look, taken } = counting({ ms: MINUTE })
    look()
    renameSync(join(folder, "acme"), join(folder, ".acme"))
    expect(look().files.map(({ path }) => path)).toEqual(["daypass.yaml"])
    taken()
    renameSync(join(folder, ".acme"), join(folder, "acme"))
    expect(look().changed).toBe(true)
    expect(taken()).toEqual(["acme/shop/production.yaml"])
  })

  it("takes nothing for known after a look that failed", () => {
    const { look } = counting({ ms: MINUTE })
    look()
    renameSync(folder, `${folder}-gone`)
    expect(look).toThrow("ENOENT")
    renameSync(`${folder}-gone`, folder)
    expect([look().changed, look().changed]).toEqual([true, false])
  })
})
