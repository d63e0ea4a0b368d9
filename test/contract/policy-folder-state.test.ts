import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Worker } from "node:worker_threads"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  openPolicyFolder,
  type PolicyFolder,
  type PolicyFolderOptions,
} from "../../broker/adapters/node/policy-folder.ts"
import { createFolderReader, readPolicyFolder } from "../../broker/adapters/node/read-policy-folder.ts"
import type { PolicyInput } from "../../broker/core/policy/load.ts"
import type { BrokerEvent } from "../../broker/ports/log.ts"
import { job } from "../core/job.ts"
import { allowing, ORGANISATION, policyOf, TEST_PROVIDERS } from "../core/policy/support.ts"
import { TestClock } from "../support/clock.ts"
import { runs } from "../support/laws.ts"

const GRANTS = allowing("{ ref: refs/heads/main }")
const denying = (name: string) => policyOf(`deny:\n  - name: ${name}\n    when: { ref: refs/heads/main }\n`)
const URGENT = denying("urgent")
const OTHER = denying("other")

let base: string
let folder: string
let clock: TestClock
let events: BrokerEvent[]
let opened: PolicyFolder[]

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "daypass-state-")))
  folder = join(base, "policies")
  clock = new TestClock(Date.parse("2026-11-22T10:00:00Z"))
  events = []
  opened = []
})
afterEach(() => {
  for (const source of opened) source.close()
  rmSync(base, { recursive: true, force: true })
})

function write(path: string, text: string, root = folder): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** A folder that grants, and denies in the file `a.yaml`. */
function fill(root = folder, files: Readonly<Record<string, string>> = { "a.yaml": URGENT, "b.yaml": OTHER }): void {
  write("daypass.yaml", ORGANISATION, root)
  write("grants.yaml", GRANTS, root)
  for (const [path, text] of Object.entries(files)) write(path, text, root)
}

/** A source that looks only when it is told to; the files seem old, so that it opens at once. */
async function open(options: PolicyFolderOptions = {}, at = folder): Promise<PolicyFolder> {
  const log = (event: unknown) => void events.push(event as BrokerEvent)
  const source = await openPolicyFolder(at, TEST_PROVIDERS, {
    clock,
    log,
    isWatching: false,
    pollMs: 3_600_000,
    now: () => Date.now() + 60_000,
    ...options,
  })
  opened.push(source)
  return source
}

async function denials(source: PolicyFolder): Promise<string[]> {
  const { policies } = await (await source.snapshot()).policiesOf(job())
  return policies.flatMap(({ deny }) => deny.map(({ name }) => name)).sort()
}

const named = (event: string) => events.filter((one) => one.event === event)

describe("a folder that is being changed", () => {
  it("is read when it has been still for two seconds: a deny on its way from one file to another is never lost", async () => {
    fill()
    const source = await open()
    write("a.yaml", OTHER)
    expect(await source.reload()).toBe(false)
    clock.advance(0.8)
    write("b.yaml", URGENT)
    expect(await source.reload()).toBe(false)
    clock.advance(1.9)
    expect(await source.reload()).toBe(false)
    expect(await denials(source)).toEqual(["other", "urgent"])
    expect(source.status()).toMatchObject({ stale: { faults: 0 } })
    const before = source.status().version
    clock.advance(0.2)
    expect(await source.reload()).toBe(true)
    expect(source.status().version).not.toBe(before)
    expect(source.status()).not.toHaveProperty("stale")
  })

  it("is in force again at once when the change was undone", async () => {
    fill()
    const source = await open()
    renameSync(folder, `${folder}-away`)
    expect(await source.reload()).toBe(false)
    expect(await source.health.look()).toMatchObject({ state: "degraded" })
    renameSync(`${folder}-away`, folder)
    expect(await source.reload()).toBe(true)
    expect(await source.health.look()).toEqual({ state: "ok" })
    expect(events).toEqual([])
  })

  it("without a pause is never read in the middle: the log says so after half a minute, and the old set has its end", async () => {
    fill()
    const source = await open({ maxStaleSeconds: 60 })
    for (let second = 0; second < 60; second += 1) {
      write("a.yaml", second % 2 === 0 ? OTHER : `${OTHER}# ${second}\n`)
      await source.reload()
      expect(named("policies.unsettled")).toHaveLength(second >= 30 ? 1 : 0)
      clock.advance(1)
      expect(await denials(source)).toContain("urgent")
    }
    expect(named("policies.unsettled")[0]?.detail).toContain("for 30s without a pause")
    clock.advance(1)
    await expect(source.snapshot()).rejects.toMatchObject({ code: "policy_unavailable" })
  })

  it("is waited for by a broker that starts meanwhile, unless its files are old", async () => {
    fill()
    const writing = setInterval(() => write("a.yaml", `${URGENT}# ${performance.now()}\n`), 20)
    let isOpen = false
    const starting = open({ quietMs: 200, now: Date.now }).then((source) => {
      isOpen = true
      return source
    })
    await new Promise((resume) => setTimeout(resume, 500))
    expect(isOpen).toBe(false)
    clearInterval(writing)
    write("a.yaml", URGENT)
    expect(await denials(await starting)).toEqual(["other", "urgent"])
  })
})

describe("a folder that is swapped by a link", () => {
  const RELEASE = { "a.yaml": OTHER, "new/deny.yaml": URGENT }

  it("is read at once, as a whole", async () => {
    fill(join(base, "releases/41"))
    fill(join(base, "releases/42"), RELEASE)
    const current = join(base, "current")
    symlinkSync("releases/41", current)
    const source = await open({}, current)
    const before = source.status().version
    symlinkSync("releases/42", `${current}.new`)
    renameSync(`${current}.new`, current)
    expect(await source.reload()).toBe(true)
    expect(source.status().version).not.toBe(before)
    expect(await denials(source)).toEqual(["other", "urgent"])
  })

  it("is noticed although no watcher sees the link", async () => {
    fill(join(base, "releases/41"))
    fill(join(base, "releases/42"), { ...RELEASE, "more.yaml": denying("more") })
    const current = join(base, "current")
    symlinkSync("releases/41", current)
    const source = await open({ isWatching: true }, current)
    symlinkSync("releases/42", `${current}.new`)
    renameSync(`${current}.new`, current)
    await expect.poll(() => denials(source)).toContain("more")
    // And what happens in the new folder is noticed from then on.
    write("a.yaml", "", join(base, "releases/42"))
    await expect.poll(() => source.status().stale).toBeDefined()
  })

  /** What Kubernetes does with a ConfigMap: the new state, then the link to it, then the visible names. */
  function mount(version: string, files: Readonly<Record<string, string>>, stopAtLink = false): void {
    const state = join(folder, `..${version}`)
    fill(state, files)
    symlinkSync(`..${version}`, join(folder, "..data_tmp"))
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"))
    if (stopAtLink) return
    for (const name of ["daypass.yaml", "grants.yaml", ...Object.keys(files).map((path) => path.split("/")[0] ?? "")]) {
      rmSync(join(folder, name), { force: true })
      symlinkSync(`..data/${name}`, join(folder, name))
    }
  }

  it("as a mounted ConfigMap is read behind its link, before the names of new files are there", async () => {
    mount("1", { "a.yaml": URGENT })
    const source = await open()
    mount("2", RELEASE, true)
    expect(await source.reload()).toBe(true)
    expect(await denials(source)).toEqual(["other", "urgent"])
    mount("3", RELEASE)
    expect(readPolicyFolder(folder).map(({ path }) => path)).toEqual([
      "a.yaml",
      "daypass.yaml",
      "grants.yaml",
      "new/deny.yaml",
    ])
  })

  it("as a mounted ConfigMap has nothing beside it that could be overlooked", () => {
    mount("1", { "a.yaml": URGENT })
    write("beside.yaml", OTHER)
    write("below/b.yaml", OTHER)
    const refused = readPolicyFolder(folder).filter((file) => file.refused !== undefined)
    expect(refused.map(({ path }) => path)).toEqual(["below", "beside.yaml"])
  })

  it("does not lead out of the folder by ..data", async () => {
    mount("1", { "a.yaml": URGENT })
    const source = await open({ quietMs: 0 })
    fill(join(base, "outside"), {})
    unlinkSync(join(folder, "..data"))
    symlinkSync("../outside", join(folder, "..data"))
    expect(await source.reload()).toBe(false)
    expect(await denials(source)).toEqual(["urgent"])
    expect(source.status().stale?.faults).toBeGreaterThan(0)
    expect(readPolicyFolder(folder).every(({ refused }) => refused !== undefined)).toBe(true)
  })
})

describe("a reading that raced a write", () => {
  const textOf = (files: readonly PolicyInput[]) =>
    JSON.stringify(files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]))
  const PATHS = ["a.yaml", "b.yaml", "sub/c.yaml"]

  /** Each write of a run, and after how many steps of the reader it happens. */
  const writes = fc.array(
    fc.record({
      // Often none or one: a race needs a write to what was read, and then one to what was not.
      after: fc.constantFrom(0, 0, 1, 1, 2, 3),
      path: fc.constantFrom(...PATHS),
      renames: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )

  it.each([
    ["by writes whose times differ", false],
    ["by writes within one tick of the clock, and by names that move", true],
  ])("is thrown away: what is returned was in the folder at one moment, %s", async (_, isReal) => {
    let marked = 0
    const put = (path: string, text: string, renames: boolean) => {
      if (isReal && renames) {
        write(`.${text}`, text)
        renameSync(join(folder, `.${text}`), join(folder, path))
      } else write(path, text)
      if (!isReal) utimesSync(join(folder, path), 1, ++marked)
    }
    await fc.assert(
      fc.property(writes, (plan) => {
        rmSync(folder, { recursive: true, force: true })
        const state = new Map(PATHS.map((path) => [path, "text -"]))
        for (const [path, text] of state) put(path, text, false)
        const reader = createFolderReader(folder, isReal ? {} : { now: () => Date.now() + 60_000 })
        const looking = reader.look()
        const history = new Set<string>()
        const note = () => history.add(JSON.stringify([...state]))
        note()
        let done: ReturnType<typeof looking.next> | undefined
        for (const [index, { after, path, renames }] of plan.entries()) {
          for (let step = 0; step < after && !done?.done; step += 1) done = looking.next()
          if (done?.done) break
          // Always of the same size, and never the same text.
          const text = `text ${index}`
          put(path, text, renames)
          state.set(path, text)
          note()
        }
        while (!done?.done) done = looking.next()
        expect(history).toContain(textOf(done.value.files))
      }),
      { numRuns: runs(1_000) },
    )
  })

  it("never puts a set without the deny in force, however another thread moves it", async () => {
    fill()
    const sets: string[][] = []
    const source = await open({
      quietMs: 0,
      now: Date.now,
      // Long enough for the other thread to move it between two files that are read.
      read: (file) => {
        const bytes = readFileSync(file)
        const until = performance.now() + 0.3
        while (performance.now() < until);
        return bytes
      },
    })
    const writer = new Worker(MOVER, { eval: true, workerData: { folder, URGENT, OTHER } })
    const ended = new Promise((resolve) => writer.once("exit", resolve))
    let isMoving = true
    void ended.then(() => {
      isMoving = false
    })
    let taken = 0
    while (isMoving) {
      const { version } = source.status()
      if (await source.reload()) sets.push(await denials(source))
      if (source.status().version !== version) taken += 1
      await new Promise((resume) => setTimeout(resume, 1))
    }
    expect(sets.filter((set) => !set.includes("urgent"))).toEqual([])
    expect(taken, "sets that were taken while it moved").toBeGreaterThan(0)
  })
})

/** Moves a deny between two files for two seconds. It is always in one of them at least. */
const MOVER = `
const { writeFileSync, renameSync } = require("node:fs")
const { workerData: { folder, URGENT, OTHER } } = require("node:worker_threads")
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
const put = (path, text) => {
  writeFileSync(folder + "/.next", text)
  renameSync(folder + "/.next", folder + "/" + path)
}
const until = Date.now() + 2_000
for (let round = 0; Date.now() < until; round += 1) {
  for (const [to, from] of [["b.yaml", "a.yaml"], ["a.yaml", "b.yaml"]]) {
    put(to, URGENT)
    put(from, OTHER + "# " + round + "\\n")
    if (Math.random() < 0.003) pause(50)
  }
}
`

describe("the age of the set in force", () => {
  const BROKEN = "verison: 1\n"

  it("is in health, in the log and in the answers", async () => {
    fill()
    const source = await open({ quietMs: 0 })
    expect(await source.health.look()).toEqual({ state: "ok" })
    clock.advance(60)
    await source.reload()
    write("b.yaml", BROKEN)
    clock.advance(60)
    await source.reload()
    const since = clock.now().toISOString()
    expect(await source.health.look()).toEqual({
      state: "degraded",
      since,
      reason: expect.stringMatching(
        /^The policy folder has \d+ faults?;.* is used for 14m more, then nothing is granted\.$/,
      ),
    })
    expect(named("policies.refused")[0]?.detail).toContain(
      "the last good policies stay in force for 14m, then nothing is granted",
    )
    clock.advance(14 * 60)
    await source.reload()
    expect(await denials(source)).toContain("urgent")
    clock.advance(1)
    await source.reload()
    await expect(source.snapshot()).rejects.toMatchObject({
      code: "policy_unavailable",
      detail: expect.stringContaining("more than 15m"),
    })
    expect(await source.health.look()).toMatchObject({ state: "unavailable", since })
    await source.reload()
    expect(named("policies.expired")).toHaveLength(1)

    write("b.yaml", OTHER)
    await source.reload()
    expect(await source.health.look()).toEqual({ state: "ok" })
    expect(await denials(source)).toContain("urgent")
    expect(named("policies.resumed")).toHaveLength(1)
  })

  it("does not count the time in which the machine slept, but ends a set when nothing looks at the folder any more", async () => {
    fill()
    const source = await open({ maxStaleSeconds: 60 })
    clock.advance(3_600)
    expect(await denials(source)).toContain("urgent")
    source.close()
    clock.advance(60)
    expect(await denials(source)).toContain("urgent")
    clock.advance(1)
    await expect(source.snapshot()).rejects.toMatchObject({ code: "policy_unavailable" })
    expect(await source.health.look()).toMatchObject({
      state: "unavailable",
      reason: expect.stringContaining("not been looked at"),
    })
  })

  it("goes by elapsed time alone: no jump of the wall clock keeps an old set, or refuses a good one", async () => {
    const LIMIT = 900
    const QUIET = 2
    const step = fc.record({
      jump: fc.integer({ min: -20_000, max: 20_000 }),
      pass: fc.constantFrom(0, 1, 3, 400, 1_000),
      change: fc.constantFrom(null, null, BROKEN, OTHER, URGENT),
      looks: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        rmSync(folder, { recursive: true, force: true })
        fill()
        clock = new TestClock(Date.parse("2026-11-22T10:00:00Z"))
        const source = await open()
        let confirmed = 0
        let text = OTHER
        let inForce = OTHER
        // What was last put in force or refused.
        let settled = OTHER
        let written = 0
        let seen = { written, from: 0 }
        let isBehind = false
        // What a look at the folder must find.
        const look = (now: number) => {
          if (seen.written !== written) seen = { written, from: now }
          if (now - seen.from >= QUIET) settled = text
          isBehind = text !== settled || text === BROKEN
          if (isBehind) return
          confirmed = now
          inForce = text
        }
        for (const { jump, pass, change, looks } of steps) {
          clock.jump(jump)
          clock.advance(pass)
          const now = clock.elapsed() / 1000
          if (change !== null && change !== text) {
            write("b.yaml", change)
            text = change
            written += 1
          }
          if (looks) {
            look(now)
            expect(await source.reload()).toBe(!isBehind)
          }
          // A set that nothing looked at for so long is compared once more before it is refused.
          if (now - confirmed > LIMIT && !isBehind) look(now)
          const isUsable = now - confirmed <= LIMIT
          const served = await source.snapshot().then(
            () => true,
            () => false,
          )
          expect(served).toBe(isUsable)
          if (isUsable) expect((await denials(source)).includes("other")).toBe(inForce === OTHER)
          expect((await source.health.look()).state === "unavailable").toBe(!isUsable)
        }
        source.close()
      }),
      { numRuns: runs(300) },
    )
  })
})

describe("a folder that cannot be read", () => {
  it.each<[string, () => void, string]>([
    ["gone", () => rmSync(folder, { recursive: true }), "folder_unreadable"],
    [
      "a link that leads back to itself",
      () => {
        rmSync(folder, { recursive: true })
        symlinkSync("policies", folder)
      },
      "folder_unreadable",
    ],
    ["a folder with such a link", () => symlinkSync("x.yaml", join(folder, "x.yaml")), "x.yaml:1:1 (file_refused)"],
    [
      "a folder with a link out of it",
      () => {
        write("out.yaml", OTHER, base)
        symlinkSync("../out.yaml", join(folder, "x.yaml"))
      },
      "x.yaml:1:1 (file_refused)",
    ],
  ])("because it is %s leaves today's rules in force, and says why", async (_, spoil, why) => {
    fill()
    const source = await open({ quietMs: 0 })
    spoil()
    expect(await source.reload()).toBe(false)
    expect(await denials(source)).toEqual(["other", "urgent"])
    expect(named("policies.refused")[0]?.detail).toContain(why)
    expect(await source.health.look()).toMatchObject({ state: "degraded" })
    expect(JSON.stringify(await source.health.look()), "the route is public").not.toMatch(/yaml|\//)
  })

  it("because one file is not readable names that file", async () => {
    fill()
    let isLocked = false
    const source = await open({
      quietMs: 0,
      read: (file) => {
        if (isLocked && file.endsWith("b.yaml"))
          throw Object.assign(new Error("locked"), { code: "EACCES", path: file })
        return readFileSync(file)
      },
    })
    write("b.yaml", URGENT)
    isLocked = true
    expect(await source.reload()).toBe(false)
    expect(named("policies.refused")[0]?.detail).toContain(join(folder, "b.yaml"))
    expect(await denials(source)).toEqual(["other", "urgent"])
  })
})
