// Keeps the rules of the house: which way imports run, where the environment is read, what is generated and built.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { basename, dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { buildAction } from "../action/build.ts"
import { buildReview } from "../action/review/build.ts"
import { generated } from "../scripts/generate.ts"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (path: string) => readFileSync(join(ROOT, path), "utf8")

const gitFiles = (...which: string[]) =>
  execFileSync("git", ["ls-files", "-z", ...which], { cwd: ROOT, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "")

/** Every file that git would ship: tracked, or new and not ignored. */
const DELETED = new Set(gitFiles("--deleted"))
const FILES = [...new Set(gitFiles("--cached", "--others", "--exclude-standard"))].filter((path) => !DELETED.has(path))
const SOURCES = FILES.filter(
  (path) => /^(?:action|analysis|broker|cli|release|scripts)\/.*\.ts$/.test(path) && !path.includes("/dist/"),
)

/** Which rooms each room may import, itself included. Anything not listed is against the arrows. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "broker/wire": [],
  "broker/core": ["broker/wire"],
  "broker/ports": ["broker/core", "broker/wire"],
  "broker/issuers": ["broker/ports", "broker/core", "broker/wire"],
  // A vendor's room: what a provider and an adapter of that vendor both need.
  "broker/github": ["broker/ports", "broker/core", "broker/wire"],
  "broker/providers": ["broker/github", "broker/ports", "broker/core", "broker/wire"],
  "broker/signing": ["broker/ports", "broker/core", "broker/wire"],
  "broker/exchange": [
    "broker/issuers",
    "broker/providers",
    "broker/signing",
    "broker/ports",
    "broker/core",
    "broker/wire",
  ],
  // What operators do. At the edge, only their requests load it.
  "broker/operate": [
    "broker/exchange",
    "broker/issuers",
    "broker/providers",
    "broker/signing",
    "broker/ports",
    "broker/core",
    "broker/wire",
  ],
  // Pages for operators. What policies mean for all jobs is handed in by the entry.
  "broker/console": [
    "broker/http",
    "broker/operate",
    "broker/exchange",
    "broker/issuers",
    "broker/providers",
    "broker/signing",
    "broker/ports",
    "broker/core",
    "broker/wire",
  ],
  // The script of the page that verifies: the code of `audit verify`, in a person's browser. The console has its text alone.
  "broker/browser": ["analysis/audit", "broker/core", "broker/wire"],
  "broker/http": [
    "broker/operate",
    "broker/exchange",
    "broker/issuers",
    "broker/providers",
    "broker/signing",
    "broker/ports",
    "broker/core",
    "broker/wire",
  ],
  "broker/config": ["broker/core", "broker/wire"],
  "broker/adapters": ["broker/github", "broker/ports", "broker/core", "broker/wire"],
  "broker/entry": [
    // For the console, in the part that operators alone load: no exchange depends on it.
    "analysis/who-can",
    "analysis/used",
    "broker/console",
    "broker/http",
    "broker/operate",
    "broker/exchange",
    "broker/issuers",
    "broker/providers",
    "broker/signing",
    "broker/config",
    "broker/adapters",
    "broker/ports",
    "broker/core",
    "broker/wire",
  ],
  action: ["action/sweep", "action/fingerprints", "action/disk", "action/proof", "broker/wire"],
  // A pull request is reviewed with what the command line says of two folders.
  "action/review": [
    "action",
    "analysis/diff",
    "analysis/used",
    "broker/providers",
    "broker/ports",
    "broker/core",
    "cli",
  ],
  // The command line looks for values with the very code of the post step.
  "action/sweep": ["action/fingerprints", "action/disk"],
  "action/fingerprints": [],
  "action/disk": [],
  // Every client proves its key with the same code.
  "action/proof": ["broker/wire"],
  // What is decided before the merge. No exchange may depend on it: below broker/, only the console's entry and its script in
  // the browser import it.
  "analysis/regions": ["broker/core"],
  "analysis/scopes": ["analysis/regions", "broker/core", "broker/wire"],
  "analysis/reach": ["analysis/scopes", "analysis/regions", "broker/core", "broker/wire"],
  "analysis/diff": ["analysis/reach", "analysis/scopes", "analysis/regions", "broker/core", "broker/wire"],
  "analysis/who-can": ["analysis/reach", "analysis/scopes", "analysis/regions", "broker/core", "broker/wire"],
  "analysis/warnings": ["analysis/reach", "analysis/scopes", "analysis/regions", "broker/core", "broker/wire"],
  "analysis/trust": ["analysis/reach", "analysis/scopes", "analysis/regions", "broker/core", "broker/wire"],
  "analysis/policy-tests": ["broker/core", "broker/wire"],
  "analysis/audit": ["broker/core"],
  // Answers from the record: what was decided, decided again.
  "analysis/records": ["broker/core"],
  "analysis/used": [
    "analysis/records",
    "analysis/diff",
    "analysis/reach",
    "analysis/scopes",
    "analysis/regions",
    "broker/core",
    "broker/wire",
  ],
  "analysis/evidence": ["analysis/records", "broker/core", "broker/wire"],
  "analysis/schemas": ["broker/core"],
  // Scripts of the build: they write files and are part of no bundle.
  scripts: ["analysis/policy-tests", "analysis/schemas", "broker/providers", "broker/core", "broker/wire", "cli"],
  // Makes the files of a release by the builds of the others. Nothing imports it.
  release: ["action", "cli", "broker/entry", "scripts"],
  cli: [
    // The client of `exec` and `token` is the action's.
    "action",
    "action/sweep",
    "action/fingerprints",
    "action/disk",
    "action/proof",
    "analysis/diff",
    "analysis/who-can",
    "analysis/trust",
    "analysis/warnings",
    "analysis/policy-tests",
    "analysis/audit",
    "analysis/records",
    "analysis/used",
    "analysis/evidence",
    "analysis/schemas",
    "analysis/reach",
    "analysis/scopes",
    "analysis/regions",
    "broker/adapters",
    "broker/config",
    // `exec --local` runs a broker in its own process.
    "broker/exchange",
    "broker/http",
    "broker/github",
    "broker/issuers",
    "broker/providers",
    "broker/signing",
    "broker/ports",
    "broker/core",
    "broker/wire",
  ],
}

/** Rooms where Node's own modules may appear; everything else also runs in workerd. */
const NODE_ROOMS = [
  /^broker\/adapters\/(?:node|postgres)\//,
  // workerd has this one function of Node's.
  /^broker\/adapters\/cloudflare\/sha256\.ts$/,
  /^broker\/entry\/(?:node(?:-[a-z]+)?|compile-policies|build|build-worker)\.ts$/,
  /^action\//,
  /^cli\//,
  /^release\//,
  /^scripts\//,
]

/** Where settings are read from the environment, once, and handed on. */
const MAY_READ_ENVIRONMENT = [
  /^broker\/entry\//,
  /^action\/(?:runner|post)\.ts$/,
  /^cli\//,
  /^release\/(?:release|branch)\.ts$/,
]

function roomOf(path: string): string {
  const [top = "", second = ""] = path.split("/")
  if (top === "action" && /^(?:sweep|fingerprints|disk|proof|review)$/.test(second)) return `${top}/${second}`
  return top === "broker" || top === "analysis" ? `${top}/${second}` : top
}

/** What a file imports, types included, as paths from the root or as package names. */
function importsOf(path: string): string[] {
  const specifiers = [
    ...read(path).matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^"'`;]*?\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g,
    ),
  ]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? "")
    .filter((specifier) => specifier !== "")
  return specifiers.map((specifier) =>
    specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : specifier,
  )
}

const local = (specifier: string) =>
  /^(?:action|analysis|broker|cli|release|scripts|test)\//.test(specifier) || specifier === "package.json"

describe("imports", () => {
  it.each(SOURCES)("of %s run along the arrows", (path) => {
    const room = roomOf(path)
    const allowed = [...(MAY_IMPORT[room] ?? []), room, ...(/\/build(?:-worker)?\.ts$/.test(path) ? ["scripts"] : [])]
    const against = importsOf(path).filter(
      (target) => local(target) && target !== "package.json" && !allowed.includes(roomOf(target)),
    )
    expect(against).toEqual([])
  })

  it("make no circle, types included", () => {
    const graph = new Map(SOURCES.map((path) => [path, importsOf(path).filter((target) => local(target))]))
    const done = new Set<string>()
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) throw new Error(`a circle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`)
      if (done.has(path)) return
      for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
      done.add(path)
    }
    for (const path of SOURCES) visit(path, [])
  })

  it("reach Node's own modules only where no Worker goes", () => {
    const offenders = SOURCES.filter(
      (path) =>
        !NODE_ROOMS.some((room) => room.test(path)) && importsOf(path).some((target) => target.startsWith("node:")),
    )
    expect(offenders).toEqual([])
  })

  it("reach adapters only from an entry, the command line and the build", () => {
    const offenders = SOURCES.filter(
      (path) =>
        !/^(?:broker\/(?:entry|adapters)\/|cli\/)/.test(path) &&
        importsOf(path).some((target) => roomOf(target) === "broker/adapters"),
    )
    expect(offenders).toEqual([])
  })

  it("reach a vendor's room from what speaks to that vendor alone", () => {
    const offenders = SOURCES.filter(
      (path) =>
        !/^(?:broker\/(?:github|adapters\/github|providers\/github)\/|cli\/(?:seal|init\/app\/register)\.ts$)/.test(
          path,
        ) && importsOf(path).some((target) => roomOf(target) === "broker/github"),
    )
    expect(offenders).toEqual([])
  })

  it("reach the analysis of policies from the console's entry and the browser alone, which no exchange loads", () => {
    const offenders = SOURCES.filter(
      (path) =>
        /^broker\//.test(path) &&
        !/^broker\/(?:browser\/|entry\/console-analysis\.ts$)/.test(path) &&
        importsOf(path).some((target) => target.startsWith("analysis/")),
    )
    expect(offenders).toEqual([])
  })

  it("reach PostgreSQL's driver, which is too large for the Worker, from its own room alone", () => {
    const offenders = SOURCES.filter(
      (path) => !path.startsWith("broker/adapters/postgres/") && importsOf(path).includes("postgres"),
    )
    expect(offenders).toEqual([])
  })

  it("keep the edge's adapters and Node's apart", () => {
    const crossing = (from: string, to: string) =>
      SOURCES.filter((path) => path.startsWith(from) && importsOf(path).some((target) => target.startsWith(to)))
    for (const room of ["broker/adapters/node/", "broker/adapters/postgres/"]) {
      expect(crossing("broker/adapters/cloudflare/", room)).toEqual([])
      expect(crossing("broker/entry/worker.ts", room)).toEqual([])
    }
    expect(crossing("broker/entry/node.ts", "broker/adapters/cloudflare/")).toEqual([])
  })

  it("never lead from one provider to another, nor from one entry of the action to the other", () => {
    const providerOf = (path: string) => /^broker\/providers\/([^/]+)\//.exec(path)?.[1]
    const crossing = SOURCES.flatMap((path) =>
      importsOf(path)
        .filter(
          (target) =>
            providerOf(path) !== undefined &&
            providerOf(target) !== undefined &&
            providerOf(path) !== providerOf(target),
        )
        .map((target) => `${path} -> ${target}`),
    )
    expect(crossing).toEqual([])
    expect(importsOf("action/main.ts")).not.toContain("action/post.ts")
    expect(importsOf("action/post.ts")).not.toContain("action/main.ts")
  })

  it("reach GitHub's own client, which takes its time to load, from tests and the review alone", () => {
    const users = SOURCES.filter((path) => importsOf(path).some((target) => target.startsWith("@actions/")))
    expect(users).toEqual(["action/review/github.ts", "action/review/main.ts"])
  })
})

describe("sources", () => {
  it.each(SOURCES)("%s say what they mean", (path) => {
    const text = read(path)
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "")
    expect(code, "no any").not.toMatch(/(?::|\bas|<|\|)\s*any\s*(?:[;,)\]>=|&[{}]|$)/m)
    expect(text, "no silenced checks").not.toMatch(/@ts-(?:ignore|expect-error|nocheck)|biome-ignore(?! [a-z/A-Z]+: )/)
    expect(text, "nothing left for later").not.toMatch(/\b(?:TODO|FIXME|XXX|HACK)\b/)
  })

  it("read the environment only where it is turned into settings", () => {
    const offenders = SOURCES.filter(
      (path) =>
        !MAY_READ_ENVIRONMENT.some((place) => place.test(path)) &&
        /\bprocess\.env\b|import\.meta\.env|\bDeno\.env\b/.test(read(path)),
    )
    expect(offenders).toEqual([])
  })

  it("call no ambient fetch, clock or random in the pure rooms", () => {
    const pure = SOURCES.filter((path) => /^(?:broker\/(?:core|wire|ports)|analysis)\//.test(path))
    const offenders = pure.filter((path) =>
      /(?<![.\w])fetch\(|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bcrypto\./.test(
        read(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""),
      ),
    )
    expect(offenders).toEqual([])
  })

  it("have one subject each: a file over 250 lines says why at its top", () => {
    const long = SOURCES.filter(
      (path) => read(path).split("\n").length > 250 && !/^\/\/ Long because /.test(read(path)),
    )
    expect(long).toEqual([])
  })

  it("have no name that says nothing", () => {
    const offenders = FILES.filter((path) =>
      path.split("/").some((part) => /^(?:utils?|helpers?|common|misc)(?:\.|$)/i.test(basename(part))),
    )
    expect(offenders).toEqual([])
  })

  it("stand in the folders of the house, and no other", () => {
    const known = /^(?:\.ci|\.github|action|analysis|broker|cli|docs|examples|policies|release|scripts|test)\//
    const top = FILES.filter((path) => path.includes("/") && !known.test(path))
    expect(top).toEqual([])
  })
})

describe("what is generated", () => {
  it("is what its sources make", async () => {
    for (const [path, text] of await generated()) expect(read(path), path).toBe(text)
  })

  it.each([
    ["action/dist", buildAction],
    ["action/review/dist", buildReview],
  ])("includes %s, byte for byte", async (folder, build) => {
    const built = await build()
    expect(FILES.filter((path) => path.startsWith(`${folder}/`)).sort()).toEqual(
      [...built.keys()].map((name) => `${folder}/${name}`).sort(),
    )
    for (const [name, contents] of built) {
      const same = Buffer.from(contents).equals(readFileSync(join(ROOT, folder, name)))
      expect(same, `${folder}/${name} is what npm run build:action makes`).toBe(true)
    }
  })
})
