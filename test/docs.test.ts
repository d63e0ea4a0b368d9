// Keeps the docs true: what they name exists, and what exists is named.
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { OWN_CODES } from "../action/failure.ts"
import { warningsOf } from "../analysis/warnings/warnings.ts"
import { readPolicyFolder } from "../broker/adapters/node/read-policy-folder.ts"
import { loadPolicySet } from "../broker/core/policy/load.ts"
import { FAMILIES } from "../broker/issuers/families.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { PROBLEMS } from "../broker/wire/error-codes.ts"
import { COMMANDS } from "../cli/commands/index.ts"
import { SOURCE_NAMES } from "../cli/commands/shared.ts"
import { SOURCES } from "../cli/exec/sources/sources.ts"
import { parseArguments } from "../cli/parser.ts"
import { referencePages } from "../scripts/command-pages.ts"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (path: string) => readFileSync(join(ROOT, path), "utf8")
const PAGES = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(ROOT, path)))

/** Fenced blocks of a page: what stands behind the fence, the text, and the line of the fence. */
function blocksOf(page: string): { readonly info: string; readonly text: string; readonly line: number }[] {
  const text = read(page)
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    info: match[1] ?? "",
    text: match[2] ?? "",
    line: text.slice(0, match.index).split("\n").length,
  }))
}

/** A page without its fenced blocks and inline code: where links and headings are. */
const proseOf = (page: string) => read(page).replace(/^```[\s\S]*?^```$/gm, "")

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] ?? "")
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  )
}

/** A command line in a block of a shell: up to what the shell reads itself. */
const COMMAND_LINE = /(?:^|[\s(])daypass ([a-z](?:"[^"\n]*"|'[^'\n]*'|[^|<>;&)"'\n])*)/gm

/** The first cells of a page's tables, or others, where each code stands: `code` or `code`, `code`. */
const codesInTables = (page: string, column = 1) =>
  [...read(page).matchAll(new RegExp(`^(?:\\|[^|\n]*){${column - 1}}\\| (\`[^|]*\`) *\\|`, "gm"))].flatMap((match) =>
    [...(match[1] ?? "").matchAll(/`([^`]+)`/g)].map((code) => code[1] ?? ""),
  )

it("the table of what survives what names tests that exist", () => {
  const [, table = ""] = read("docs/security-model.md").split("## What survives what")
  const named = [...table.matchAll(/`(test\/[^`]+)`/g)].map(([, path = ""]) => path)
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

describe("links", () => {
  it.each(PAGES)("of %s lead to files and headings that are there", (page) => {
    const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
      (match) => match[1] ?? match[2] ?? "",
    )
    const broken = targets.filter((target) => {
      if (/^(?:https:|mailto:)/.test(target)) return false
      const [path = "", anchor] = target.split("#")
      const file = path === "" ? page : normalize(join(dirname(page), path))
      if (!existsSync(join(ROOT, file))) return true
      return anchor !== undefined && !anchorsOf(file).has(anchor)
    })
    expect(broken).toEqual([])
  })

  it("reach every page of docs/ from the README, over any number of pages", () => {
    const reached = new Set(["README.md"])
    for (const page of reached) {
      for (const match of proseOf(page).matchAll(/\]\(([^)\s#]+\.md)(?:#[^)]*)?\)/g)) {
        const target = match[1] ?? ""
        if (!/^https?:/.test(target)) reached.add(normalize(join(dirname(page), target)))
      }
    }
    const lonely = PAGES.filter((page) => page.startsWith("docs/") && !reached.has(page))
    expect(lonely).toEqual([])
  })
})

describe("comparisons", () => {
  /** The rows of the tables of a text, each as its cells. */
  const rowsOf = (text: string) =>
    [...text.matchAll(/^\| (.+) \|$/gm)].map(([, cells = ""]) => cells.split(/ *\| */).map((cell) => cell.trim()))

  it("of README.md link every claim to a page that says it", () => {
    const page = read("README.md")
    const [, section = ""] = page.split("\n## How it compares\n")
    const [, ...tools] = rowsOf(section.split("\n## ")[0] ?? "")
    const sources = new Map([...page.matchAll(/^\[([^\]]+)\]: (https:\/\/\S+)$/gm)].map(([, name, url]) => [name, url]))
    expect(tools.length).toBeGreaterThan(7)
    for (const [tool, ...claims] of tools) {
      for (const claim of claims.filter((each) => each !== "")) {
        // A claim is a link; what stands beside links only joins them.
        const named = [...claim.matchAll(/\[[^\]]+\](?:\[([^\]]+)\]|\(([^)]+)\))/g)]
        expect(named.length, `${tool}: ${claim}`).toBeGreaterThan(0)
        for (const [, name, path] of named) expect(path ?? sources.get(name ?? ""), `${tool}: ${claim}`).toBeDefined()
      }
    }
  })

  it("of docs/compared.md name the sources of every column", () => {
    const page = read("docs/compared.md")
    const [tables = "", sources = ""] = page.split("\n## Sources\n")
    const columns = new Set(
      rowsOf(tables)
        .filter(([first]) => first === "")
        .flatMap((cells) => cells.flatMap((cell) => [...cell.matchAll(/\[([^\]]+)\]/g)].map(([, name = ""]) => name))),
    )
    const rows = new Map(rowsOf(sources).map(([name = "", read = ""]) => [name.replace(/^\[|\]$/g, ""), read]))
    expect(columns.size).toBeGreaterThan(12)
    for (const column of columns) expect(rows.get(column), column).toMatch(/\]\(https:\/\//)
  })
})

describe("diagrams", () => {
  const diagrams = PAGES.flatMap((page) =>
    blocksOf(page)
      .filter(({ info }) => info === "mermaid")
      .map(({ text, line }) => ({ page, text, line })),
  )

  // That they can be drawn is for a browser: the interop run draws them all.
  it.each(diagrams)("$page:$line has a title for those who do not see it, and colours of no scheme", ({ text }) => {
    expect(text).toMatch(/^(?:flowchart|sequenceDiagram|stateDiagram-v2)\b/)
    expect(text).toMatch(/^ {2}accTitle: \S/m)
    expect(text).not.toMatch(/^ *(?:style|classDef|linkStyle) |%%\{/m)
  })

  it("show what words alone do not", () => {
    const pages = diagrams.map(({ page }) => page)
    const wanted = [
      "README",
      "docs/security-model",
      "docs/boundaries",
      "docs/publish-policies",
      "docs/keys",
      "docs/audit",
    ]
    expect(pages).toEqual(expect.arrayContaining(wanted.map((page) => `${page}.md`)))
  })
})

describe("policies", () => {
  const organisation = {
    path: "daypass.yaml",
    bytes: new Uint8Array(readFileSync(join(ROOT, "examples/policies/daypass.yaml"))),
  }
  const encode = (text: string) => new TextEncoder().encode(text)
  const blocks = PAGES.flatMap((page) =>
    blocksOf(page).map((block) => ({ ...block, page, where: `${page}:${block.line}` })),
  )
  /**
   * A provider's page brings the connection that its policy names, and a CI's its issuer: the last one above the policy counts.
   * What other pages show is about the example's.
   */
  const organisationOf = (page: string, line = 0) => {
    const ofPage = blocks.filter((block) => block.page === page && block.info === "yaml organisation")
    const own = ofPage.findLast((block) => block.line < line) ?? ofPage[0]
    const bringsItsOwn =
      page.startsWith("broker/providers/") ||
      page.startsWith("docs/ci/") ||
      ["docs/people.md", "docs/incidents.md"].includes(page)
    return bringsItsOwn && own ? { path: "daypass.yaml", bytes: encode(own.text) } : organisation
  }

  it("are shown on the pages that a reader begins with", () => {
    const shown = blocks.filter(({ info }) => info === "yaml policy").map(({ where }) => where.split(":")[0])
    expect(shown).toEqual(expect.arrayContaining(["README.md", "docs/get-started.md", "docs/policy.md"]))
  })

  /** The files of secrets that a page names: one that has the keys of all pages stands for each. */
  const secretsFor = (text: string) => {
    const names = new Set([...text.matchAll(/([\w./-]+\.sops\.yaml)#/g)].map((match) => match[1] ?? ""))
    const bytes = encode(read("test/vectors/sops/pages.sops.yaml"))
    return [...names].map((name) => ({ path: `secrets/${name}`, bytes }))
  }

  it.each(blocks.filter(({ info }) => info === "yaml policy"))("at $where load", ({ page, text, line }) => {
    const policy = { path: "page.yaml", bytes: encode(text) }
    const loaded = loadPolicySet([organisationOf(page, line), policy, ...secretsFor(text)], PROVIDERS)
    expect(loaded.ok ? [] : loaded.fault).toEqual([])
  })

  it.each(blocks.filter(({ info }) => info === "yaml organisation"))(
    "organisation file at $where loads",
    ({ text }) => {
      const loaded = loadPolicySet([{ path: "daypass.yaml", bytes: encode(text) }], PROVIDERS)
      expect(loaded.ok ? [] : loaded.fault).toEqual([])
    },
  )

  const providerPages = PAGES.filter((page) => page.startsWith("broker/providers/"))

  // What a reader copies together must work together: a boundary that leaves out what the grant beside it reads loads, too.
  it.each(providerPages)("of %s warn of nothing, and give what the page's own ceiling allows", (page) => {
    const policies = blocks.filter((block) => block.page === page && block.info === "yaml policy")
    const files = [
      organisationOf(page),
      ...policies.map(({ text }, number) => ({ path: `page-${number}.yaml`, bytes: encode(text) })),
      ...policies.flatMap(({ text }) => secretsFor(text)),
    ]
    const set = loadPolicySet(files, PROVIDERS)
    if (!set.ok) throw new Error(set.fault.map(({ message }) => message).join("\n"))
    const { warnings, containment } = warningsOf({ set: set.value, files, providers: PROVIDERS })
    expect(warnings).toEqual([])
    expect(containment.length).toBeGreaterThan(0)
    const hasCeiling = set.value.organisation.boundaries.length > 0
    expect(containment.filter(({ inside }) => inside !== (hasCeiling ? "proved" : "no boundary"))).toEqual([])
  })

  it("of one page load together where a page tells one story", () => {
    const files = blocksOf("docs/get-started.md").flatMap(({ info, text }) => {
      const path = /^# policies\/(\S+\.yaml)$/m.exec(text)?.[1]
      return info.startsWith("yaml ") && path ? [{ path, bytes: encode(text) }] : []
    })
    const loaded = loadPolicySet(files, PROVIDERS)
    expect(files.map(({ path }) => path)).toEqual(["daypass.yaml", "acme/shop/production.yaml"])
    expect(loaded.ok ? [] : loaded.fault).toEqual([])
  })

  it.each(["examples/policies", "examples/control-repository/policies"])(
    "in %s load, and name schemas that are there",
    (example) => {
      const folder = join(ROOT, example)
      const files = readPolicyFolder(folder)
      const loaded = loadPolicySet(files, PROVIDERS)
      expect(loaded.ok ? [] : loaded.fault).toEqual([])
      for (const { path } of files) {
        const text = read(join(example, path))
        const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1]
        const kind = path === "daypass.yaml" ? "organisation" : path.endsWith(".test.yaml") ? "test" : "policy"
        expect(normalize(join(example, dirname(path), schema ?? "")), path).toBe(`docs/schema/${kind}.schema.json`)
      }
    },
  )
})

/** A provider's page. A vendor's further kinds stand in its folder: `aws-parameter-store` in `aws/parameter-store`. */
const pageOf = (provider: string) => {
  const isVendor = existsSync(join(ROOT, "broker/providers", provider))
  return `broker/providers/${isVendor ? provider : provider.replace("-", "/")}/README.md`
}

describe("providers' pages", () => {
  const pages = PAGES.filter((page) => page.startsWith("broker/providers/"))

  it.each(pages)("%s has the sections that all have, in their order", (page) => {
    const headings = [...proseOf(page).matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "")
    expect(headings.map((heading) => heading.replace(/^(What|When) .+ (must trust|refuses)$/, "$1 X $2"))).toEqual([
      "Connection",
      "Grant",
      "What the job gets",
      "What X must trust",
      "Who it was",
      "How it ends",
      "When X refuses",
    ])
  })

  it.each(pages)("%s says of every key what it is when left out, and shows a whole job", (page) => {
    const tables = [...proseOf(page).matchAll(/^\| key .*$/gm)].map(([head]) => head.split(/ *\| */).slice(1, -1))
    expect(tables).toEqual([
      ["key", "is", "default"],
      ["key", "is", "default"],
    ])
    const jobs = blocksOf(page).filter(({ info, text }) => info === "yaml" && text.includes("uses: daypass/"))
    expect(jobs.length).toBeGreaterThan(0)
    for (const { text } of jobs) {
      expect(text).toMatch(/^ {4}permissions: \{ contents: read, id-token: write \}$/m)
      expect(text).toContain("uses: daypass/daypass@<full commit SHA>\n")
      const grants = /^ +grants: (.+)$/m.exec(text)?.[1]?.split(", ") ?? []
      const named = blocksOf(page).filter(({ info }) => info === "yaml policy")
      for (const grant of grants) expect(named.some((block) => block.text.includes(`\n  ${grant}:\n`))).toBe(true)
      expect(parse(text)).toHaveProperty("jobs.deploy.environment", "production")
    }
  })
})

describe("what exists is named", () => {
  it("every problem code, with its status, in docs/wire.md, and none besides", () => {
    const rows = [...read("docs/wire.md").matchAll(/^\| `([a-z_]+)` \| ([0-9]{3}) \| (.+) \|$/gm)]
    const documented = Object.fromEntries(rows.map((row) => [row[1], Number(row[2])]))
    const actual = Object.fromEntries(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]))
    expect(documented).toEqual(actual)
  })

  it("every event of the record in docs/audit.md", () => {
    const union = /export type AuditEvent =([\s\S]*?)\n\n/.exec(read("broker/core/audit-record.ts"))?.[1] ?? ""
    const events = [...union.matchAll(/\| "([a-z_.]+)"/g)].map((match) => match[1] ?? "")
    expect(events.length).toBeGreaterThan(15)
    const documented = new Set(codesInTables("docs/audit.md"))
    expect(events.filter((event) => !documented.has(event))).toEqual([])
  })

  it("every call of operators in docs/wire-operators.md, and every part of health in docs/health.md", () => {
    const wire = readdirSync(join(ROOT, "broker/wire")).map((file) => read(`broker/wire/${file}`))
    const paths = wire.flatMap((text) =>
      [...text.matchAll(/= "(\/v1\/operate\/[a-z/]+)"/g)].map((match) => match[1] ?? ""),
    )
    expect(paths.length).toBeGreaterThan(8)
    const page = read("docs/wire-operators.md")
    expect(paths.filter((path) => !page.includes(path))).toEqual([])
    const sources = execFileSync("git", ["ls-files", "broker"], { cwd: ROOT, encoding: "utf8" }).split("\n")
    const parts = sources
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => [...read(path).matchAll(/^\s+(?:readonly )?part(?::| =) "([a-z]+)"|\{ part: "([a-z]+)"/gm)])
      .map((match) => match[1] ?? match[2] ?? "")
    expect(parts).toContain("keys")
    const documented = new Set(codesInTables("docs/health.md"))
    expect([...new Set(parts)].filter((part) => !documented.has(part))).toEqual([])
  })

  it("every code of the action's own in docs/action.md", () => {
    const documented = new Set(codesInTables("docs/action.md"))
    expect(OWN_CODES.filter((code) => !documented.has(code))).toEqual([])
  })

  it("every delivery in the picture of docs/action.md, and in the table for readers without it", () => {
    const [, section = ""] = read("docs/action.md").split("\n## Choose a delivery\n")
    const picture = /^```mermaid\n([\s\S]*?)^```$/m.exec(section)?.[1] ?? ""
    const rows = [...section.matchAll(/^\| .+ \|$/gm)].map(([row]) => row).join("\n")
    const deliveries = `run, deliver: environment, deliver: outputs, deliver: files, as: file, as: docker, hand_over: federated-token,
      azure-cli: login, read_all, keep: true`
    for (const delivery of deliveries.split(/,\s+/)) {
      expect(picture, delivery).toContain(delivery)
      expect(rows, delivery).toContain(delivery)
    }
    // Every answer of the picture leads somewhere.
    const [from, to] = [/^ {2}(\w+)/gm, /--> (\w+)/g].map(
      (form) => new Set([...picture.matchAll(form)].map(([, id]) => id)),
    )
    const questions = [...picture.matchAll(/(\w+)\{"/g)].map(([, id]) => id)
    expect(questions.filter((id) => !from?.has(id))).toEqual([])
    expect(to?.size).toBeGreaterThan(8)
  })

  it("every fault code of policies in docs/strict-yaml.md, and none besides", () => {
    const union = /export type FaultCode =([\s\S]*?)\n\n/.exec(read("broker/core/policy/faults.ts"))?.[1] ?? ""
    const actual = [...union.matchAll(/\| "([a-z0-9_]+)"/g)].map((match) => match[1] ?? "")
    const section = read("docs/strict-yaml.md")
    const documented = [...section.matchAll(/^\| (`[^|]*`) *\|/gm)].flatMap((match) =>
      [...(match[1] ?? "").matchAll(/`([^`]+)`/g)].map((code) => code[1] ?? ""),
    )
    expect(actual.length).toBeGreaterThan(20)
    expect(documented.sort()).toEqual(actual.sort())
  })

  it("every input and output of action.yml in docs/action-reference.md", () => {
    const action = parse(read("action.yml")) as Record<"inputs" | "outputs", Record<string, unknown>>
    const documented = new Set(codesInTables("docs/action-reference.md"))
    for (const name of [...Object.keys(action.inputs), ...Object.keys(action.outputs)]) {
      expect(documented, name).toContain(name)
    }
  })

  it("every dependency, and every package that may run an install script, in docs/dependencies.md, and none besides", () => {
    const manifest = JSON.parse(read("package.json")) as Record<
      "devDependencies" | "allowScripts" | "dependencies",
      Record<string, unknown> | undefined
    >
    expect(manifest.dependencies).toBeUndefined()
    const [packages = "", scripts = ""] = read("docs/dependencies.md").split("## Install scripts")
    const named = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? "").sort()
    expect(named(packages)).toEqual(Object.keys(manifest.devDependencies ?? {}).sort())
    expect(named(scripts)).toEqual(Object.keys(manifest.allowScripts ?? {}).sort())
  })

  it("every provider and every issuer family", () => {
    for (const name of PROVIDERS.keys()) {
      expect(existsSync(join(ROOT, pageOf(name))), name).toBe(true)
      expect(read("README.md")).toContain(pageOf(name))
    }
    for (const name of FAMILIES.keys()) expect(codesInTables("docs/ci/README.md", 2)).toContain(name)
  })

  it("every key of a provider in its README", () => {
    for (const [name, { connection, grant }] of PROVIDERS) {
      const documented = new Set(codesInTables(pageOf(name)))
      for (const schema of [connection, grant]) {
        const keys = "shape" in schema ? Object.keys(schema.shape as object) : []
        expect(keys.length, name).toBeGreaterThan(0)
        expect(
          keys.filter((key) => !documented.has(key)),
          name,
        ).toEqual([])
      }
    }
  })

  it.each(COMMANDS)(
    "what a reader must know of daypass $name",
    ({ summary, about, takes = [], options = {}, exits }) => {
      expect(summary).toMatch(/^[a-z][^.\n]*[^.\s]$/)
      expect(about).toMatch(/^[A-Z][\s\S]*\.$/)
      for (const { words } of [...takes, ...Object.values(options)]) expect(words).toMatch(/^.{5,}[^.\s]$/)
      expect(Object.keys(exits).length).toBeGreaterThan(0)
    },
  )

  it("no command line that would be refused", () => {
    const typed = PAGES.filter((page) => page !== "CHANGELOG.md").flatMap((page) =>
      blocksOf(page)
        .filter(({ info }) => ["sh", "bash", "yaml", "yml"].includes(info.split(" ")[0] ?? ""))
        .flatMap(({ text }) => [
          ...text
            .replaceAll("\\\n", " ")
            .replace(/(?:^|\s)#.*$/gm, "")
            .matchAll(COMMAND_LINE),
        ])
        .map(([, line = ""]) => ({ page, line, words: line.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? [] })),
    )
    const faults = typed.flatMap(({ page, line, words }) => {
      const command = COMMANDS.find(({ name }) => `${words.join(" ")} `.startsWith(`${name} `))
      if (command === undefined)
        return ["help", "--version", "--help"].includes(words[0] ?? "") ? [] : [`${page}: ${line}`]
      try {
        parseArguments(
          command,
          words.slice(command.name.split(" ").length).map((word) => word.replace(/^["']|["']$/g, "")),
        )
        return []
      } catch (error) {
        return [`${page}: daypass ${line}: ${error instanceof Error ? error.message : ""}`]
      }
    })
    expect(faults).toEqual([])
    expect(typed.length).toBeGreaterThan(60)
  })

  it("every command in the overview, and in the reference", async () => {
    const names = COMMANDS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    const pages = [...referencePages((path) => (existsSync(join(ROOT, path)) ? read(path) : null))]
    const sections = pages.flatMap(([, text]) => [...text.matchAll(/^## daypass (.+)$/gm)].map(([, name]) => name))
    expect(sections.sort()).toEqual([...names].sort())
    const table = read("docs/cli.md")
    expect(names.filter((name) => !table.includes(`[\`${name}\`](cli/`))).toEqual([])
  })

  it("what the broker on Node reads, as daypass serve declares it", () => {
    const taken = [...read("broker/entry/node-options.ts").matchAll(/^ {6}([a-z]+): \{ type: /gm)].map(
      ([, name]) => name,
    )
    const declared = Object.keys(COMMANDS.find(({ name }) => name === "serve")?.options ?? {})
    expect(declared.sort()).toEqual(taken.sort())
  })

  it("the names of the sources of tokens", () => {
    expect([...SOURCE_NAMES].sort()).toEqual(SOURCES.map(({ name }) => name).sort())
  })

  it("every version that the security model rests on, as it is", () => {
    const page = read("docs/security-model.md")
    const { version, devDependencies } = JSON.parse(read("package.json")) as {
      version: string
      devDependencies: Record<string, string>
    }
    expect(page).toContain(`This page is about Daypass ${version}.`)
    expect(page).toContain(`| Node | ${devDependencies["node"]};`)
    for (const name of ["jose", "age-encryption"]) expect(page).toContain(`| \`${name}\` | ${devDependencies[name]} |`)
    const [, date] = /^compatibility_date = "(.*)"$/m.exec(read("wrangler.toml")) ?? []
    expect(page).toContain(`| compatibility date ${date} |`)
  })

  it("no environment of wrangler, which the wrangler.toml of a release does not have", () => {
    expect(read("release/wrangler.toml")).not.toContain("[env.")
    const named = PAGES.filter((page) => /(?:wrangler|daypass push) .*--env\b|\[env\.production/.test(read(page)))
    expect(named).toEqual(["docs/run-at-the-edge.md"])
  })

  it("this version, wherever a page or an example names a release's file", () => {
    const pages = execFileSync("git", ["ls-files", "-z", "README.md", "docs", "examples", "broker/providers"], {
      cwd: ROOT,
      encoding: "utf8",
    })
    const named = pages
      .split("\0")
      .flatMap((path) =>
        /\.(?:md|ya?ml|sh)$|file$|\/command$/.test(path)
          ? [
              ...read(path).matchAll(
                /\bdaypass-([0-9]+\.[0-9]+\.[0-9]+)\.tgz|\b(?:daypass\/releases\/download\/v|gh release download v|ghcr\.io\/daypass\/daypass:)([0-9]+\.[0-9]+\.[0-9]+)/g,
              ),
            ].map((match) => `${path}: ${match[1] ?? match[2]}`)
          : [],
      )
    const { version } = JSON.parse(read("package.json")) as { version: string }
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((one) => !one.endsWith(`: ${version}`))).toEqual([])
  })

  it("every room of the broker on its map", () => {
    const rooms = execFileSync("git", ["ls-files", "-z", "broker"], { cwd: ROOT, encoding: "utf8" })
      .split("\0")
      .flatMap((path) => /^broker\/((?:core\/)?[^/]+)\//.exec(path)?.[1] ?? [])
    const map = read("broker/README.md")
    expect([...new Set(rooms)].filter((room) => !map.includes(`| \`${room}/\` |`))).toEqual([])
  })

  it("every room and every file of the action on its map, and none besides", () => {
    const paths = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "action"], {
      cwd: ROOT,
      encoding: "utf8",
    })
      .split("\0")
      .filter((path) => path !== "" && existsSync(join(ROOT, path)))
    const rooms = paths.flatMap((path) => /^action\/(.+)\/[^/]+$/.exec(path)?.[1] ?? [])
    const files = paths.flatMap((path) => /^action\/([^/]+\.ts)$/.exec(path)?.[1] ?? [])
    const [folders = "", table = ""] =
      read("action/README.md").split("\n## What must hold")[0]?.split("\n## Files of") ?? []
    const shownRooms = [...folders.matchAll(/^\| `([a-z/]+)\/` \|/gm)].map(([, room]) => room)
    const shownFiles = [...table.matchAll(/`([a-z-]+\.ts)`/g)].map(([, file]) => file)
    expect([...new Set(shownRooms)].sort()).toEqual([...new Set(["action", ...rooms])].sort())
    expect([...new Set(shownFiles)].sort()).toEqual(files.sort())
  })
})

describe("what is named exists", () => {
  it("every npm script that a page or a workflow runs", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }
    const pages = [...PAGES, ...["ci", "deep", "zizmor"].map((name) => `.github/workflows/${name}.yml`)]
    const missing = pages.flatMap((page) =>
      [...read(page).matchAll(/\bnpm run ([a-z][a-z:-]*)/g)]
        .map((match) => match[1] ?? "")
        .filter((script) => !(script in scripts))
        .map((script) => `${page}: ${script}`),
    )
    expect(missing).toEqual([])
  })

  it("every file of this repository that a page names in full", () => {
    const missing = PAGES.flatMap((page) =>
      [...read(page).matchAll(/`((?:action|broker|cli|docs|examples|test)\/[A-Za-z0-9_./-]+\.[a-z]+)`/g)]
        .map((match) => match[1] ?? "")
        .filter((path) => !path.includes("NAME") && !existsSync(join(ROOT, path)))
        .map((path) => `${page}: ${path}`),
    )
    expect(missing).toEqual([])
  })

  it("every setting of the Node broker on its page", () => {
    const page = read("docs/run-on-node.md")
    const options = read("broker/entry/node-options.ts").matchAll(/^ {6}([a-z]+): \{ type: "string"/gm)
    const flags = [...options].map((match) => `--${match[1]}`)
    const variables = [...read("broker/config/config.ts").matchAll(/\| `(DAYPASS_[A-Z_]+)` \|/g)].map(
      (match) => match[1] ?? "",
    )
    expect(flags.length).toBeGreaterThan(3)
    expect(variables.length).toBeGreaterThan(3)
    expect([...flags, ...variables].filter((name) => !page.includes(`\`${name}`))).toEqual([])
  })
})

it("the tests that CONTRIBUTING.md says follow a page name that page", () => {
  const [, section = ""] = read("CONTRIBUTING.md").split("\n## Who follows which page\n")
  const rows = [...section.matchAll(/^\| (\[.+) \| `(test\/.+)` \|$/gm)]
  expect(rows.length).toBeGreaterThan(6)
  for (const [, pages = "", test = ""] of rows) {
    for (const [, page = ""] of pages.matchAll(/\]\(([^)]+)\)/g)) {
      expect(read(test), `${test}: ${page}`).toMatch(
        new RegExp(`\\b${page.replace(/^docs\//, "").replace(".", "\\.")}`),
      )
    }
  }
})

describe("subjects that other systems are told to trust", () => {
  const modules = readdirSync(join(ROOT, "examples/terraform")).map((name) => `examples/terraform/${name}/main.tf`)
  // The changelog also shows the form that they had before.
  const told = [...PAGES.filter((page) => page !== "CHANGELOG.md"), ...modules].flatMap((page) =>
    [...read(page).matchAll(/[^\s"'`=]*repository:[^\s"'`]*:environment:[^\s"'`]*/g)].map(([text]) => ({ page, text })),
  )

  it("name an issuer and an id, never a repository's name", () => {
    const form =
      /^(?:[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[a-z][a-z0-9-]*|<issuer>:repository:<repository id>:.*|ISSUER:repository:ID:.*|\^\[a-z\]\[a-z0-9-\]\*:repository:\[0-9\]\+:.*),?$/
    // That page shows patterns to say that nothing must trust them.
    const isPattern = ({ page, text }: { page: string; text: string }) => page === "docs/trust.md" && text.includes("*")
    expect(told.filter((one) => !form.test(one.text) && !isPattern(one))).toEqual([])
    expect(told.length).toBeGreaterThan(40)
  })
})

describe("workflows", () => {
  const workflows = [
    ".github/workflows/ci.yml",
    ".github/workflows/codeql.yml",
    ".github/workflows/deep.yml",
    ".github/workflows/dependency-review.yml",
    ".github/workflows/docs.yml",
    ".github/workflows/lock.yml",
    ".github/workflows/scorecard.yml",
    ".github/workflows/zizmor.yml",
    ...readdirSync(join(ROOT, "examples/workflows"))
      .filter((name) => name.endsWith(".yml"))
      .map((name) => `examples/workflows/${name}`),
    "examples/control-repository/.github/workflows/review.yml",
    "examples/control-repository/.github/workflows/policies.yml",
  ]

  it.each(workflows)("%s pins every action to a commit and grants nothing at its top", (path) => {
    const text = read(path)
    const uses = [...text.matchAll(/uses: (\S+)/g)].map((match) => match[1] ?? "")
    expect(uses.filter((action) => !/^\.\/|^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(action))).toEqual([])
    expect(text).toMatch(/^permissions: \{\}$/m)
    expect(text.match(/runs-on:/g)?.length).toBe(text.match(/timeout-minutes:/g)?.length)
  })

  it("publish with the version of wrangler that the tests run", () => {
    const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: Record<string, string> }
    const workflow = read("examples/control-repository/.github/workflows/policies.yml")
    expect(workflow).toContain(`--package wrangler@${devDependencies["wrangler"]} -- daypass push `)
  })

  it("run Daypass outside of the checkout, whose node_modules and .npmrc npx would go by", () => {
    const steps = workflows
      .filter((path) => path.startsWith("examples/control-repository/"))
      .flatMap((path) => read(path).split(/^ {6}- /m))
      .filter((step) => step.includes("npx --yes "))
    expect(steps).toHaveLength(1)
    for (const step of steps) expect(step).toMatch(/^ {8}working-directory: \$\{\{ runner\.temp \}\}$/m)
    expect(read("examples/control-repository/.github/CODEOWNERS")).toMatch(/^\* +@acme\/security$/m)
  })

  it("run the very versions that the interop run pins", () => {
    // What the workflow's `sed` cuts out.
    expect(read("test/interop/requirements.txt")).toMatch(/^zizmor==\S+ \\\n(?: +--hash=sha256:\S+(?: \\)?\n)+ +# via/m)
    expect(read(".github/workflows/zizmor.yml")).toContain(
      "sed -n '/^zizmor==/,/# via/p' test/interop/requirements.txt",
    )
  })
})
