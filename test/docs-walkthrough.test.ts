// Walks through the pages that show commands with their output, in an empty folder, as a reader does: every `sh` block is
// run by a shell, what it prints must be what stands below it, and files are made of the page's own blocks. A command with
// no output below it prints nothing. `npx vitest -u` writes what the commands print now into the pages.
//
// Blocks marked `sh network` need GitHub, Cloudflare or a browser, and are left out. In an output, `...` stands for
// whatever the page leaves out.
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { builtCli } from "./support/built-cli.ts"
import { COMPILE_CACHE } from "./support/compile-cache.ts"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

interface Walk {
  readonly page: string
  /** The folder of this repository that a reader has before the first command; null for an empty one. */
  readonly start: string | null
  /** What a reader of this page has besides, by path. */
  readonly files?: Readonly<Record<string, string>>
  readonly commands: number
  /** The page that a reader goes on with, in the same folder. */
  readonly next?: { readonly page: string; readonly commands: number }
}

/** A key as AWS writes them, new each time: a literal would be found in this file, too. */
const SECRET_KEY = randomBytes(30).toString("base64").replace(/[/+]/g, "x")

const WALKS: readonly Walk[] = [
  {
    ...{ page: "docs/write-a-policy.md", start: null, commands: 9 },
    next: { page: "docs/change-a-policy.md", commands: 1 },
  },
  { page: "docs/control-repository.md", start: "examples/control-repository", commands: 6 },
  { page: "docs/who-can.md", start: "examples/control-repository", commands: 1 },
  { page: "docs/trust.md", start: "examples/control-repository", commands: 3 },
  { page: "docs/ci/README.md", start: "examples/every-ci", commands: 1 },
  { page: "docs/diff.md", start: "examples/control-repository", commands: 1 },
  { page: "docs/migrate.md", start: null, commands: 3 },
  {
    ...{ page: "docs/scan.md", start: "examples/control-repository", commands: 2 },
    files: {
      "deploy/env.sh": `REGION=eu-west-1\nAWS_SECRET_ACCESS_KEY=${SECRET_KEY}\n`,
      ".husky/pre-commit": "npm test\n",
    },
  },
]

interface Block {
  readonly info: string
  readonly text: string
  /** Whether nothing but empty lines stands between it and the block before. */
  readonly follows: boolean
}

/** A page as an alternation of what is prose and what stands in fences, so that it can be put together again. */
function partsOf(page: string): (string | Block)[] {
  const parts: (string | Block)[] = []
  let end = 0
  for (const match of page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)) {
    const between = page.slice(end, match.index)
    parts.push(between, { info: match[1] ?? "", text: match[2] ?? "", follows: between.trim() === "" })
    end = match.index + match[0].length
  }
  return [...parts, page.slice(end)]
}

const textOf = (part: string | Block) => (typeof part === "string" ? part : `\`\`\`${part.info}\n${part.text}\`\`\``)

const made: string[] = []
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-walk-"))
  made.push(folder)
  return folder
}

/** The command line as its package carries it: built, it starts four times as fast as from the sources. */
let command = ""
beforeAll(async () => {
  command = await builtCli()
})

/** A reader's desk: a folder, and `daypass`, which runs this checkout's command line. */
function deskFor(start: string | null) {
  const [desk, tools] = [newFolder(), newFolder()]
  // With a folder above it that is the reader's, too: pages put things beside it.
  const folder = join(desk, "desk")
  mkdirSync(folder)
  if (start !== null) cpSync(join(ROOT, start), folder, { recursive: true })
  const daypass = join(tools, "daypass")
  writeFileSync(daypass, `#!/bin/sh\nexec '${process.execPath}' '${command}' "$@"\n`)
  chmodSync(daypass, 0o755)
  // Nothing of the machine's own but its programs: no token, no settings of git, no CI's variables.
  const env = {
    PATH: [tools, process.env["PATH"] ?? ""].join(delimiter),
    HOME: tools,
    LANG: "C.UTF-8",
    ...COMPILE_CACHE,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "reader",
    GIT_AUTHOR_EMAIL: "reader@example.com",
    GIT_COMMITTER_NAME: "reader",
    GIT_COMMITTER_EMAIL: "reader@example.com",
  }

  return {
    write(path: string, text: string): void {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    },
    /** What the commands print on both streams, in the order in which they print it. */
    run(commands: string): string {
      const options = { cwd: folder, env, encoding: "utf8", timeout: 300_000 } as const
      const { stdout, error } = spawnSync("sh", ["-c", `exec 2>&1\n${commands}`], options)
      if (error !== undefined) throw error
      return stdout
    },
    apply(diff: string): void {
      const options = { cwd: folder, env, encoding: "utf8", input: diff } as const
      const { status, stderr } = spawnSync("git", ["apply", "-"], options)
      if (status !== 0) throw new Error(`a change of the page does not apply: ${stderr}\n${diff}`)
    },
  }
}

/** Whether an output is what the page shows, which may leave parts out. */
function isShown(output: string, shown: string): boolean {
  const pattern = shown.split("...").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  return new RegExp(`^${pattern.join("[\\s\\S]*?")}$`).test(output)
}

/** The page as it would be if every output in it were the one of now. */
function walk(page: string, desk: ReturnType<typeof deskFor>): { readonly walked: string; readonly commands: number } {
  const parts = partsOf(page)
  let output: string | null = null
  let commands = 0
  const walked = parts.map((part) => {
    if (typeof part === "string") return part
    const { info, text, follows } = part
    if (output !== null && follows && /^(?:text|json|yaml)$/.test(info)) {
      const now = output
      output = null
      return isShown(now, text) ? textOf(part) : textOf({ ...part, text: now })
    }
    if (output !== null && output !== "")
      throw new Error(`the page does not show what is printed before:\n${text}\n${output}`)
    output = null
    const path = /^# (\S+\.yaml)$/m.exec(text.split("\n", 1)[0] ?? "")?.[1]
    if (info === "sh") {
      output = desk.run(text)
      commands += text.match(/\bdaypass\b/g)?.length ?? 0
    } else if (info === "diff") desk.apply(text)
    else if (info.startsWith("yaml ") && path !== undefined) desk.write(path, text)
    return textOf(part)
  })
  if (output !== null && output !== "")
    throw new Error(`the page does not show what its last command prints:\n${output}`)
  return { walked: walked.join(""), commands }
}

describe("a reader who follows", () => {
  it.each(WALKS)("$page word for word sees what it shows", async ({ start, files = {}, next, ...first }) => {
    const desk = deskFor(start)
    for (const [path, text] of Object.entries(files)) desk.write(path, text)
    for (const { page, commands: least } of next ? [first, next] : [first]) {
      const file = join(ROOT, page)
      const { walked, commands } = walk(readFileSync(file, "utf8"), desk)
      expect(commands).toBeGreaterThanOrEqual(least)
      await expect(walked).toMatchFileSnapshot(file)
    }
  })

  it("README.md sees no output there that is not of one of these pages", () => {
    const shown = partsOf(readFileSync(join(ROOT, "README.md"), "utf8"))
      .filter((part) => typeof part !== "string")
      .filter(({ info }) => info === "text")
    expect(shown).not.toEqual([])
    const pages = WALKS.flatMap(({ page, next }) => [page, ...(next ? [next.page] : [])]).map((page) =>
      readFileSync(join(ROOT, page), "utf8"),
    )
    for (const { text } of shown) expect(pages.some((page) => page.includes(text))).toBe(true)
  })
})
