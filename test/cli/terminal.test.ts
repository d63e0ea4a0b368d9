import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { progressOf, showsColours } from "../../cli/terminal.ts"
import { folderOf, ORGANISATION, POLICY, runCli, runScripted } from "./run-cli.ts"

const TERMINAL = { isTTY: true }
const FILE = { isTTY: false }

describe("colours", () => {
  it.each([
    ["on a terminal", TERMINAL, { TERM: "xterm" }, true],
    ["not in a file", FILE, { TERM: "xterm" }, false],
    ["not on a terminal that has none", TERMINAL, { TERM: "dumb" }, false],
    ["not with NO_COLOR", TERMINAL, { NO_COLOR: "1" }, false],
    ["with an empty NO_COLOR, which counts as none", TERMINAL, { NO_COLOR: "" }, true],
    ["in a file with FORCE_COLOR", FILE, { FORCE_COLOR: "1" }, true],
    ["not on a terminal with FORCE_COLOR=0", TERMINAL, { FORCE_COLOR: "0" }, false],
    ["not with both, because NO_COLOR counts first", FILE, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
  ])("%s", (_, stream, env, expected) => {
    expect(showsColours(stream, env)).toBe(expected)
  })

  const paint = (_: string, style: string, text: string) => `<${style}>${text}</>`

  it("are for what is wrong, what is doubtful and what is well, and never for what a file says", async () => {
    const folder = folderOf({
      "daypass.yaml": ORGANISATION,
      "a.yaml": POLICY.replace("ttl: 1h", '"x: error: y": 1h'),
    })
    const { out } = await runScripted({ paint }, "check", folder)
    expect(out).toMatch(/^\S+a\.yaml:16:5: <red>error<\/>: The key "x: error: y"/m)
    expect(out.match(/<red>/g)).toHaveLength(2)
    const good = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": POLICY })
    expect((await runScripted({ paint }, "check", good)).out).toMatch(/^<green>1 policy in 2 files/)
    expect((await runScripted({ paint }, "check", "/nowhere")).err).toMatch(
      /^<red>daypass:<\/> \/nowhere does not exist/,
    )
    expect((await runScripted({ paint }, "check", good, "--json")).out).not.toContain("<green>")
  })
})

describe("progress", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }))
  afterEach(() => void vi.useRealTimers())

  it("is one line, from the second second on, and goes in the end", () => {
    const lines: (string | null)[] = []
    const progress = progressOf({ status: (line) => void lines.push(line) }, "reading", 400)
    progress.add(100)
    expect(lines).toEqual([])
    vi.advanceTimersByTime(1100)
    progress.add(100)
    // Nobody reads faster.
    progress.add(100)
    vi.advanceTimersByTime(200)
    progress.add(99)
    expect(lines).toEqual(["reading: 50 %", "reading: 99 %"])
    progress.end()
    expect(lines.at(-1)).toBeNull()
  })

  it("is nothing for short work, and without a terminal", () => {
    const lines: (string | null)[] = []
    const short = progressOf({ status: (line) => void lines.push(line) }, "reading", null)
    short.add(1)
    short.end()
    expect(lines).toEqual([])
    progressOf({}, "reading", null).add(1)
  })

  it("counts what has no known end", () => {
    const lines: (string | null)[] = []
    const progress = progressOf({ status: (line) => void lines.push(line) }, "lines exported", null)
    vi.advanceTimersByTime(1100)
    progress.add(12_345)
    expect(lines).toEqual(["lines exported: 12,345"])
  })

  it("changes nothing of an answer", async () => {
    const folder = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": POLICY })
    const watched = await runScripted({ status: () => {} }, "check", join(folder))
    expect(watched).toEqual(await runCli("check", folder))
  })
})
