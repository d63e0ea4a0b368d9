import { readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Finding, fails, findingLine, printJson, printReport, repositoryPath } from "../../cli/format.ts"
import { inert, inertJson, inertMarkdown, workflowCommand } from "../../cli/inert.ts"
import { folderOf, type Script, scriptedIo } from "./run-cli.ts"

const finding = (change: Partial<Finding> = {}): Finding => ({
  severity: "error",
  code: "key_unknown",
  file: "acme/shop/production.yaml",
  line: 9,
  column: 7,
  message: "There is no such key.",
  ...change,
})

async function printed(findings: readonly Finding[], format: "text" | "github", script: Script = {}) {
  const lines: string[] = []
  const errors: string[] = []
  const io = {
    ...scriptedIo({ cwd: "/repo", ...script }),
    out: (text: string) => void lines.push(text),
    err: (text: string) => void errors.push(text),
  }
  await printReport({ tool: "check", folder: "policies", findings, summary: "That was all." }, format, io)
  return { lines, errors }
}

/** Text that somebody chose who wants the log to do something. */
const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        "::",
        "##[",
        "add-path",
        "]",
        "%",
        "%0A",
        "%25",
        "\n",
        "\r",
        ":",
        ",",
        "\u001b[2J",
        "\u0085",
        " ",
      ),
    )
    .map((parts) => parts.join("")),
)

/** What GitHub's runner makes of a line: a command's name, properties and message, or nothing. */
function asRunner(line: string) {
  const match = /^\s*::([^\s:]+)(?: (.*?))?::(.*)$/su.exec(line)
  if (!match) return null
  const decode = (text: string) => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n")
  const properties = (match[2] ?? "").split(",").map((pair) => {
    const at = pair.indexOf("=")
    const value = decode(pair.slice(at + 1))
      .replaceAll("%3A", ":")
      .replaceAll("%2C", ",")
      .replaceAll("%25", "%")
    return [pair.slice(0, at), value] as const
  })
  return {
    name: match[1],
    properties: Object.fromEntries(properties),
    message: decode(match[3] ?? "").replaceAll("%25", "%"),
  }
}

describe("a line of output", () => {
  it.each([
    ["policies/a.yaml:1:1: fine", "policies/a.yaml:1:1: fine"],
    ["::error::x", "\\u{3a}:error::x"],
    [" \t::error::x", " \\u{9}::error::x"],
    ["\u00a0::error::x", "\u00a0\\u{3a}:error::x"],
    ["a ::error::x", "a ::error::x"],
    ["a ##[error]x", "a ##\\u{5b}error]x"],
    ["a\r\n::error::x", "a\\u{d}\\u{a}::error::x"],
    ["\u001b]0;title\u0007", "\\u{1b}]0;title\\u{7}"],
    ["a\u202eb", "a\\u{202e}b"],
  ])("%j is written %j", (text, written) => {
    expect(inert(text)).toBe(written)
  })

  it("never starts a command, breaks in two or moves a cursor, whatever it is of", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const line of [inert(text), findingLine(".", finding({ file: text, message: text, code: text }))]) {
          expect(line).not.toMatch(/^\s*::/u)
          expect(line).not.toMatch(/##\[|[\p{Cc}\p{Zl}\p{Zp}]/u)
        }
      }),
    )
  })

  it("as JSON is the same value, and as harmless", () => {
    fc.assert(
      fc.property(hostile, fc.array(hostile), (text, list) => {
        const value = { [`k${text}`]: text, list }
        const json = inertJson(value)
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)))
        for (const line of json.split("\n")) expect(line).not.toMatch(/^\s*::|##\[|[\p{Cc}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  it("as Markdown holds nothing but words and character references", () => {
    expect(inertMarkdown("<b>|`a_b` www.x.io @you a-b _c_ - d")).toBe(
      "&#60;b&#62;&#124;&#96;a_b&#96; www&#46;x&#46;io &#64;you a-b &#95;c&#95; &#45; d",
    )
    fc.assert(
      fc.property(hostile, (text) => {
        expect(inertMarkdown(text)).toMatch(/^(?:[A-Za-z0-9 /,_-]|&#\d+;)*$/)
      }),
    )
  })
})

describe("a workflow command", () => {
  it("escapes %, CR and LF in its message, and : and , in properties too", () => {
    expect(workflowCommand("error", { file: "a:b,c%.yaml", line: 3 }, "50%, a: b\r\nc")).toBe(
      "::error file=a%3Ab%2Cc%25.yaml,line=3::50%25, a: b%0D%0Ac",
    )
    expect(workflowCommand("notice", {}, "x")).toBe("::notice::x")
  })

  it("is one line that the runner reads as what was meant, whatever the texts", () => {
    fc.assert(
      fc.property(hostile, hostile, (file, message) => {
        const line = workflowCommand("warning", { file, line: 7 }, message)
        expect(line).not.toMatch(/[\r\n]|##\[/)
        const { name, properties, message: read } = asRunner(line) ?? {}
        expect([name, Object.keys(properties ?? {}), properties?.["line"]]).toEqual(["warning", ["file", "line"], "7"])
        if (/^[^\p{C}\p{Z}#]*$/u.test(file + message)) expect([properties?.["file"], read]).toEqual([file, message])
      }),
    )
  })
})

describe("a report", () => {
  it("for people keeps the findings' order, names severities and pages, and ends with the summary", async () => {
    const findings = [finding({ severity: "warning", page: "docs/x.md" }), finding({ line: 10 })]
    const { lines } = await printed(findings, "text")
    expect(lines).toEqual([
      `${join("policies", "acme/shop/production.yaml")}:9:7: warning: There is no such key. [key_unknown] See docs/x.md`,
      `${join("policies", "acme/shop/production.yaml")}:10:7: error: There is no such key. [key_unknown]`,
      "That was all.",
    ])
  })

  it("for GitHub has errors first, then warnings, then notices", async () => {
    const severities = ["notice", "warning", "error", "warning", "error"] as const
    const { lines } = await printed(
      severities.map((severity) => finding({ severity })),
      "github",
    )
    expect(lines.map((line) => /^::(\w+)/.exec(line)?.[1])).toEqual([
      "error",
      "error",
      "warning",
      "warning",
      "notice",
      undefined,
    ])
  })

  it("for GitHub annotates ten of each severity, and writes the others where they are found: into the log", async () => {
    const many = Array.from({ length: 12 }, (_, index) => finding({ line: index + 1 }))
    const { lines } = await printed([...many, finding({ severity: "warning" })], "github")
    expect(lines.filter((line) => line.startsWith("::error"))).toHaveLength(10)
    expect(lines.filter((line) => line.startsWith("::warning"))).toHaveLength(1)
    expect(lines.slice(10, 12).map((line) => line.split(": ")[0])).toEqual([
      `${join("policies", "acme/shop/production.yaml")}:11:7`,
      `${join("policies", "acme/shop/production.yaml")}:12:7`,
    ])
    expect(lines.at(-2)).toContain("10 annotations")
  })

  it("goes into the step's summary, too, with nothing in it that Markdown reads", async () => {
    const file = join(folderOf({ "summary.md": "before\n" }), "summary.md")
    const env = { GITHUB_STEP_SUMMARY: file }
    await printed([finding({ message: "a | b <img src=x>\n# c" })], "github", { env })
    expect(readFileSync(file, "utf8")).toBe(`before
### daypass check

That was all&#46;

| | where | what | code |
|---|---|---|---|
| error | policies/acme/shop/production&#46;yaml&#58;9 | a &#124; b &#60;img src&#61;x&#62;&#92;u&#123;a&#125;&#35; c | key_unknown |

`)
    await printed([finding()], "text", { env })
    expect(readFileSync(file, "utf8").match(/### daypass/g)).toHaveLength(1)
  })

  it("summarises at most 50 findings, and says how many more there are", async () => {
    const file = join(folderOf({ "summary.md": "" }), "summary.md")
    const many = Array.from({ length: 60 }, () => finding({ message: "x".repeat(1000) }))
    await printed(many, "github", { env: { GITHUB_STEP_SUMMARY: file } })
    const summary = readFileSync(file, "utf8")
    expect(summary.match(/^\| error/gm)).toHaveLength(50)
    expect(summary).toContain("And 10 more")
    expect(summary.length).toBeLessThan(50 * 600)
  })

  it("is printed all the same when the summary cannot be written", async () => {
    const env = { GITHUB_STEP_SUMMARY: "/nonexistent/summary.md" }
    const { lines, errors } = await printed([finding()], "github", { env })
    expect(lines).toHaveLength(2)
    expect(errors).toEqual(["daypass: the summary of the step cannot be written (ENOENT)"])
  })
})

describe("a file's path for GitHub", () => {
  it.each([
    ["policies", "/repo", undefined, "policies/a.yaml"],
    ["./policies/", "/repo", undefined, "policies/a.yaml"],
    [".", "/repo", undefined, "a.yaml"],
    ["/repo/policies", "/repo", undefined, "policies/a.yaml"],
    [".", "/repo/policies", "/repo", "policies/a.yaml"],
    ["../other", "/repo/policies", "/repo", "other/a.yaml"],
    ["policies", "/repo", "/elsewhere", "policies/a.yaml"],
    ["policies", "/repo2", "/repo", "policies/a.yaml"],
    ["policies", "/repo", "relative", "policies/a.yaml"],
    ["/repo/policies", "/temp", "/repo", "policies/a.yaml"],
  ])("in the folder %s, run in %s with the workspace %s, is %s", (folder, cwd, workspace, path) => {
    expect(repositoryPath(folder, "a.yaml", { cwd, env: { GITHUB_WORKSPACE: workspace } })).toBe(path)
  })
})

describe("findings", () => {
  it.each([
    [["error"], true, true],
    [["warning"], false, true],
    [["notice"], false, false],
    [[], false, false],
    [["notice", "warning", "error"], true, true],
  ] as const)("of %j fail: %s, strictly: %s", (severities, normal, strict) => {
    const findings = severities.map((severity) => finding({ severity }))
    expect([fails(findings, false), fails(findings, true)]).toEqual([normal, strict])
  })

  it("in JSON are as they are", () => {
    const lines: string[] = []
    printJson([finding()], { ...scriptedIo(), out: (text) => void lines.push(text), err: () => undefined })
    expect(JSON.parse(lines.join())).toEqual([finding()])
  })
})
