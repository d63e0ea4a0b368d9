import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { beforeEach, describe, expect, test } from "vitest"
import { LITERALS } from "../../support/secret-looking.ts"
import { folderOf, ORGANISATION, POLICY, runScripted } from "../run-cli.ts"

const [, TOKEN = ""] = LITERALS[0] ?? []
const LINE = `const gitHubToken = "${TOKEN}"`

let root = ""
beforeEach(() => {
  root = folderOf({})
})

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

// Only what a hook's environment would have, and no person's configuration.
const env = { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" }
const NAMED = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
const git = (...args: string[]) => execFileSync("git", [...NAMED, ...args], { cwd: root, env, encoding: "utf8" }).trim()
const commit = (message: string) => {
  git("add", "-A")
  git("commit", "-qm", message)
  return git("rev-parse", "HEAD").slice(0, 12)
}

/** No output of any kind has a secret, or most of one. */
async function scan(...args: string[]) {
  const run = await runScripted({ cwd: root, env }, "scan", ...args)
  for (const [, literal] of LITERALS) expect(run.out + run.err).not.toContain(literal.slice(6, 30))
  return run
}

/** Places and titles, without what to do. */
const placesIn = (out: string) => out.split("\n").filter((line) => /^\S/.test(line))

describe("a folder", () => {
  test("is searched for secrets of every kind, and no format prints one", async () => {
    for (const [index, [, literal]] of LITERALS.entries()) put(`f${index}.txt`, `a\nkey: "${literal}"\n`)
    for (const args of [[], ["--json"], ["--format", "sarif"], ["--format", "github"]]) {
      const { code, out } = await scan(...args)
      expect([args, code]).toEqual([args, 1])
      for (const index of LITERALS.keys()) expect([args, out]).toEqual([args, expect.stringContaining(`f${index}.txt`)])
    }
    const { out } = await scan("--json")
    const { secrets } = JSON.parse(out)
    expect(secrets[0]).toMatchObject({ rule: "github/GITHUB_TOKEN", path: "f0.txt", line: 2, column: 7, name: "key" })
    // One place, one finding, whichever rules match it.
    expect(secrets).toHaveLength(LITERALS.length)
  })

  test("without git is walked, but for packages", async () => {
    put("a.js", LINE)
    put("node_modules/b/c.js", LINE)
    symlinkSync(join(root, "a.js"), join(root, "link"))
    const { out } = await scan(".")
    expect(placesIn(out)).toEqual(["a.js:1:22: GitHub token (gitHubToken)", "1 secret in 1 text (0.0 MB)."])
  })

  test("of a repository is what git has or would take; a file that is named is searched in any case", async () => {
    git("init", "-q")
    put(".gitignore", "ignored\n")
    put("ignored", LINE)
    put("bin", Buffer.concat([Buffer.from(LINE), Buffer.alloc(9)]))
    put("known", LINE)
    put("gone", LINE)
    symlinkSync("known", join(root, "link"))
    commit("first")
    rmSync(join(root, "gone"))
    put("new", LINE)
    expect(placesIn((await scan()).out)).toEqual([
      "known:1:22: GitHub token (gitHubToken)",
      "new:1:22: GitHub token (gitHubToken)",
      "2 secrets in 3 texts (0.0 MB); not searched: 1 binary file, 1 link.",
    ])
    expect(placesIn((await scan("ignored")).out)[0]).toBe("ignored:1:22: GitHub token (gitHubToken)")
  })

  test("is clean when a comment says so at each place, with the place of the comment alone", async () => {
    put("a.js", `${LINE} // secretlint-disable-line -- from the vendor's documentation\n`)
    put("b.js", `// secretlint-disable\n${LITERALS.map(([, literal]) => literal).join("\n")}\n`)
    expect(await scan()).toMatchObject({ code: 0, out: "no secret in 2 texts (0.0 MB)." })
    put("a.js", `${LINE} // secretlint-disable-line\n${LINE}\n`)
    expect(placesIn((await scan()).out)[0]).toBe("a.js:2:22: GitHub token (gitHubToken)")
  })

  test("is searched inside of archives, and in what Windows PowerShell writes", async () => {
    execFileSync(
      "sh",
      [
        "-c",
        `printf %s '${LINE}' > in.js && tar cf layer.tar in.js && tar czf image.tgz layer.tar && rm in.js layer.tar`,
      ],
      { cwd: root },
    )
    put("utf16.ps1", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(LINE, "utf16le")]))
    put("log.gz", gzipSync(LINE))
    expect(placesIn((await scan()).out).slice(0, 3)).toEqual([
      "image.tgz:1:22: GitHub token (gitHubToken), in layer.tar / in.js",
      "log.gz:1:22: GitHub token (gitHubToken)",
      "utf16.ps1:1:22: GitHub token (gitHubToken)",
    ])
  })

  test("has what could not be searched said, and --strict counts it", async () => {
    put("big.txt", `${LINE}\n${"x".repeat(8.1 * 1024 ** 2)}`)
    put("bad.gz", gzipSync("a").subarray(0, 12))
    const { code, out, err } = await scan("--json")
    expect([code, JSON.parse(out)]).toEqual([1, expect.objectContaining({ unreadCount: 2, texts: 1 })])
    expect(err).toContain("not searched: bad.gz (damaged)\nnot searched: big.txt (size)")
    rmSync(join(root, "big.txt"))
    expect([(await scan()).code, (await scan("--strict")).code]).toEqual([0, 1])
  })

  test("with names that are secrets themselves prints them without", async () => {
    put(`dir/${TOKEN}.js`, `${TOKEN}: "${LITERALS[2]?.[1]}"`)
    put("a secretlint-disable", LITERALS[2]?.[1] ?? "")
    put(`${TOKEN}.gz`, gzipSync("a").subarray(0, 12))
    mkdirSync(join(root, "in"))
    writeFileSync(join(root, "in", TOKEN), LINE)
    execFileSync("tar", ["cf", "a.tar", "-C", "in", TOKEN], { cwd: root })
    rmSync(join(root, "in"), { recursive: true })
    for (const args of [["--json"], ["--format", "sarif"], ["--format", "github"]]) await scan(...args)
    const { out, err } = await scan()
    expect(placesIn(out)).toEqual([
      "a secretlint-disable:1:1: Slack token",
      "a.tar:1:22: GitHub token (gitHubToken), in [secret]",
      "dir/[secret].js:1:1: GitHub token",
      "dir/[secret].js:1:44: Slack token",
      expect.stringContaining("4 secrets in 3 texts"),
    ])
    expect(err).toContain("not searched: [secret].gz (damaged)")
  })

  test("with hostile names prints them harmless", async () => {
    put("::error::\u202e", LINE)
    for (const args of [[], ["--json"], ["--format", "sarif"], ["--format", "github"]]) {
      const { out } = await scan(...args)
      expect(out).not.toMatch(/\u202e|^::error::/m)
    }
  })
})

describe("a repository", () => {
  beforeEach(() => {
    git("init", "-q", "-b", "main")
  })

  test("--staged searches the index, and not the working tree", async () => {
    put("a.js", LINE)
    git("add", "a.js")
    put("a.js", "clean")
    put("b.js", LINE)
    expect(placesIn((await scan("--staged")).out)[0]).toBe("a.js:1:22: GitHub token (gitHubToken)")
    git("add", "a.js")
    expect(await scan("--staged")).toMatchObject({ code: 0, out: "no secret in 1 text (0.0 MB)." })
    // What an earlier commit brought is not this one's.
    git("add", "b.js")
    commit("b")
    put("b.js", `${LINE}\n`)
    expect(await scan("--staged")).toMatchObject({ code: 0 })
    git("mv", "-f", "b.js", "a b.js")
    git("rm", "-q", "a.js")
    expect(placesIn((await scan("--staged")).out)[0]).toBe("a b.js:1:22: GitHub token (gitHubToken)")
  })

  test("--history searches each blob once, with the commit that brought it: of branches, merges, tags and stashes", async () => {
    put("a.js", LINE)
    const first = commit("first")
    git("checkout", "-qb", "side")
    put("side.js", `${LINE}\n`)
    const side = commit("side")
    git("checkout", "-q", "main")
    rmSync(join(root, "a.js"))
    put("copy.js", LINE)
    commit("moved")
    put("copy.js", "clean")
    commit("clean")
    git("merge", "-q", "--no-commit", "side")
    put("evil.js", `\n${LINE}`)
    const merge = commit("merge")
    git("branch", "-qD", "side")
    put("copy.js", `\n\n${LINE}`)
    git("stash", "-q")
    const { code, out } = await scan("--history", "--json")
    const hits = (JSON.parse(out).secrets as { path: string; commit: string }[]).map(
      (one) => `${one.path} ${one.commit.slice(0, 12)}`,
    )
    expect(code).toBe(1)
    expect(hits.sort()).toEqual(
      [
        `copy.js ${git("rev-parse", "stash").slice(0, 12)}`,
        `copy.js ${git("rev-parse", `${merge}^1^1`).slice(0, 12)}`,
        `evil.js ${merge}`,
        `side.js ${side}`,
      ].sort(),
    )
    expect(git("log", "--format=%h", "--", "a.js")).toContain(first.slice(0, 7))
    expect((await scan("--history")).out).toContain("revoke it where it was issued, first.")
  })

  test("that was cloned in part is said to be so", async () => {
    put("a", "a")
    commit("first")
    put("a", "b")
    commit("second")
    const whole = root
    root = folderOf({})
    git("clone", "-q", "--depth", "1", `file://${whole}`, ".")
    expect((await scan("--history")).err).toContain("only a part of the history")
  })

  test("whose configuration names programs starts none of them", async () => {
    const trap = join(root, "trap")
    put("hook", `#!/bin/sh\ntouch ${trap}\n`)
    execFileSync("chmod", ["+x", join(root, "hook")])
    put(".gitattributes", "* diff=evil filter=evil\n")
    put("a.js", LINE)
    git("add", "-A")
    const blob = git("rev-parse", ":a.js")
    for (const key of ["core.fsmonitor", "diff.evil.textconv", "diff.evil.command", "diff.external", "core.pager"])
      git("config", key, join(root, "hook"))
    for (const args of [["--staged"], ["--history"], ["."]]) await scan(...args)
    // As a partial clone, git would ask a server for what it lacks, and a server can be a program.
    for (const [key, value] of [
      ["core.repositoryFormatVersion", "1"],
      ["extensions.partialClone", "origin"],
      ["remote.origin.promisor", "true"],
      ["remote.origin.url", root],
      ["remote.origin.uploadpack", join(root, "hook")],
    ] as const)
      git("config", key, value)
    rmSync(join(root, ".git/objects", blob.slice(0, 2), blob.slice(2)))
    expect((await scan("--staged")).err).toContain("the repository is damaged, or is a partial clone")
    expect(() => execFileSync("test", ["-e", trap])).toThrow()
  })

  test("that is committed as files of another one does not say what is searched", async () => {
    rmSync(join(root, ".git"), { recursive: true })
    put("a.js", LINE)
    execFileSync("git", ["init", "-q", "--bare", "."], { cwd: root, env })
    git("config", "core.bare", "false")
    git("config", "core.worktree", folderOf({}))
    expect(placesIn((await scan()).out)[0]).toBe("a.js:1:22: GitHub token (gitHubToken)")
  })

  test("is no repository: one sentence", async () => {
    rmSync(join(root, ".git"), { recursive: true })
    expect(await scan("--staged")).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("not a git repository"),
    })
  })
})

test.each([
  [["--staged", "--history"], "--staged and --history exclude each other"],
  [["--staged", "a"], "--staged takes no PATH"],
  [["--format", "xml"], "--format must be one of text, json, sarif, github"],
  [["--revoke"], "--revoke belongs to --run"],
  [["--issued", "--format", "sarif"], "--issued prints text or --json"],
  [["--run", "x"], "--run is the id of a run: a number"],
  [["--run", "1", "--repository", "acme"], "--repository OWNER/REPO"],
  [["missing"], "missing does not exist"],
  [["--report", "missing.json"], "missing.json does not exist"],
  [["--policies", "missing", "."], "/missing does not exist. Name the policy folder"],
])("%j is refused", async (args, message) => {
  const { code, err } = await scan(...args)
  expect([code, err]).toEqual([2, expect.stringContaining(message)])
})

describe("what takes its place", () => {
  const CONNECTIONS = `${ORGANISATION}  team: { provider: sops, key: env:KEY, folder: secrets }
  vault-prod: { provider: vault, url: "https://vault.example.com", roles: [ci], kv: { apps: 2 } }
`
  const remedyOf = async (text: string, ...args: string[]) => {
    put("app/a.txt", text)
    const { out } = await scan("app", "--json", ...args)
    return JSON.parse(out).secrets[0].remedy
  }
  const awsKey = `AWS_SECRET_ACCESS_KEY=${randomBytes(30).toString("base64").replace(/[/+]/g, "x")}`

  test("is a role for an AWS key, and a store of the policies for a password, by stdin or a file", async () => {
    put("policies/daypass.yaml", CONNECTIONS)
    put("policies/p.yaml", POLICY)
    expect(await remedyOf(awsKey)).toMatchObject({ commands: ["daypass trust policies --connection aws-prod"] })
    const remedy = await remedyOf(`DB_URL=postgres${"://"}app:${randomBytes(9).toString("hex")}@db.internal.net:5432/x`)
    expect(remedy.commands).toEqual([
      "sops edit secrets/ci.sops.yaml # DB_URL: ...",
      "vault kv put -mount apps ci/DB_URL value=@value.txt",
    ])
  })

  test("is a grant for a GitHub token, and a file of SOPS where there are no policies, or some with errors", async () => {
    expect(await remedyOf(LINE)).toMatchObject({
      commands: [],
      policy: expect.stringContaining("permissions: { contents: read }"),
    })
    const [, slack = ""] = LITERALS[2] ?? []
    expect(await remedyOf(slack)).toMatchObject({ commands: ["sops edit policies/secrets/ci.sops.yaml # STORE: ..."] })
    put("policies/daypass.yaml", "version: 2\n")
    expect(await remedyOf(slack)).toMatchObject({ commands: [expect.stringContaining("sops edit")] })
    expect(await scan("app", "--policies", "policies")).toMatchObject({
      code: 2,
      err: expect.stringContaining("daypass check policies"),
    })
  })
})
