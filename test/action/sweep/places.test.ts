import { execFileSync } from "node:child_process"
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ISSUED, recordOf, swept } from "./issued.ts"

let root = ""
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "daypass-sweep-")))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, content: string | Buffer = `one\ntwo ${ISSUED}\n`): string {
  const full = join(root, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
  return full
}

const job = () => ({ workspace: join(root, "work"), temp: join(root, "temp"), home: join(root, "home") })

describe("a value is found", () => {
  test.each([
    ["in a file of the workspace", "work/src/config.js", "src/config.js:2"],
    ["in a hidden file", "work/.env", ".env:2"],
    ["in a package", "work/node_modules/a/node_modules/b/index.js", "node_modules/a/node_modules/b/index.js:2"],
    ["in the repository's git configuration", "work/.git/config", ".git/config:2"],
    ["in git's log of references", "work/.git/logs/HEAD", ".git/logs/HEAD:2"],
    ["in a submodule's git configuration", "work/.git/modules/a/config", ".git/modules/a/config:2"],
    ["in the user's git configuration", "home/.gitconfig", "<root>/home/.gitconfig:2"],
    ["in git's newer place", "home/.config/git/config", "<root>/home/.config/git/config:2"],
    ["in git's stored credentials", "home/.git-credentials", "<root>/home/.git-credentials:2"],
    ["in the configuration of Docker", "home/.docker/config.json", "<root>/home/.docker/config.json:2"],
    ["in .netrc", "home/.netrc", "<root>/home/.netrc:2"],
    ["in .npmrc", "home/.npmrc", "<root>/home/.npmrc:2"],
    [
      "in the summary of a step",
      "temp/_runner_file_commands/step_summary_1a",
      "<root>/temp/_runner_file_commands/step_summary_1a:2",
    ],
  ])("%s", async (_, path, place) => {
    mkdirSync(join(root, "work"), { recursive: true })
    write(path)
    const { places } = await swept(job())
    expect(places).toEqual([place.replace("<root>", root)])
  })

  test.each(["GIT_CONFIG_GLOBAL", "NETRC", "NPM_CONFIG_USERCONFIG", "KUBECONFIG"])("where %s leads", async (name) => {
    const path = write("elsewhere/file")
    expect((await swept({ variables: { [name]: path } })).places).toEqual([`${path}:2`])
  })

  test("where each part of KUBECONFIG leads", async () => {
    const path = write("elsewhere/file")
    const variables = { KUBECONFIG: [join(root, "none"), "", path].join(delimiter) }
    expect((await swept({ variables })).places).toEqual([`${path}:2`])
  })

  test("where DOCKER_CONFIG leads, in the base64 of a login", async () => {
    const auth = Buffer.from(`AWS:${ISSUED}`).toString("base64")
    const path = write("docker/config.json", `{"auths":{"registry":{"auth":"${auth}"}}}`)
    expect((await swept({ variables: { DOCKER_CONFIG: dirname(path) } })).places).toEqual([`${path}:1`])
  })

  test("in a remote that git itself wrote, and in a clone with a token", async () => {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: root, stdio: "pipe" })
    git("init", "-q", "work")
    git("-C", "work", "remote", "add", "origin", `https://x:${encodeURIComponent(ISSUED)}@git.example/a.git`)
    expect((await swept(job())).places).toEqual([".git/config:7"])
  })

  test("in a binary file, without a line, and in a line far down", async () => {
    write("work/a.bin", Buffer.concat([Buffer.alloc(300_000), Buffer.from(ISSUED), Buffer.alloc(9)]))
    write("work/b.log", `${"a line\n".repeat(200_000)}${ISSUED}`)
    expect((await swept(job())).places.sort()).toEqual(["a.bin", "b.log:200001"])
  })

  test("of each value and each step, once a file", async () => {
    const other = "another-secret-of-this-job"
    write("work/a", `${ISSUED}\n${other}\n${ISSUED}`)
    const records = [recordOf(), recordOf(["not-in-any-file-at-all", other])]
    expect((await swept({ ...job(), records })).places).toEqual(["a:1", "a:2"])
  })
})

describe("known and passed over", () => {
  test.each([
    "temp/_runner_file_commands/set_env_1a",
    "temp/_runner_file_commands/set_output_1a",
    "temp/_runner_file_commands/save_state_1a",
    "temp/daypass-00000000-0000-4000-8000-000000000000/g/key",
    "work/.git/objects/ab/cd",
  ])("%s", async (path) => {
    mkdirSync(join(root, "work"), { recursive: true })
    write(path)
    const named = path.startsWith("temp") ? [join(root, "temp")] : []
    const { places } = await swept({ ...job(), named })
    expect(places).toEqual([])
  })

  test("a file that is older than the step, unless a tool keeps credentials in it", async () => {
    write("work/old")
    write("home/.npmrc")
    const records = [recordOf([ISSUED], Date.now() + 60_000)]
    expect((await swept({ ...job(), records })).places).toEqual([`${root}/home/.npmrc:2`])
  })

  test("but not a file that only says that it is older", async () => {
    const path = write("work/new")
    utimesSync(path, 1, 1)
    expect((await swept(job())).places).toEqual(["new:2"])
  })
})

describe("a link", () => {
  test("is not followed in the workspace, neither to a file nor to a folder", async () => {
    write("outside/file")
    mkdirSync(join(root, "work"))
    symlinkSync(join(root, "outside/file"), join(root, "work/file"))
    symlinkSync(join(root, "outside"), join(root, "work/folder"))
    symlinkSync(join(root, "work"), join(root, "work/again"))
    expect((await swept(job())).places).toEqual([])
  })

  test.each([".gitconfig", ".npmrc", ".docker/config.json"])("is not followed at ~/%s, and said", async (name) => {
    const target = write("outside/file")
    mkdirSync(dirname(join(root, "home", name)), { recursive: true })
    symlinkSync(target, join(root, "home", name))
    expect((await swept({ home: join(root, "home") })).places).toEqual([`unread ${root}/home/${name} (link)`])
  })

  test("is not followed at or below a named path, and said", async () => {
    write("outside/file")
    mkdirSync(join(root, "work/dist"), { recursive: true })
    symlinkSync(join(root, "outside/file"), join(root, "work/link"))
    symlinkSync(join(root, "outside"), join(root, "work/folder"))
    symlinkSync(join(root, "outside/file"), join(root, "work/dist/link"))
    const named = ["link", "folder", "dist", "folder/file"]
    expect((await swept({ ...job(), named })).places).toEqual([
      "unread link (link)",
      "unread folder (link)",
      "unread folder/file (outside)",
    ])
  })

  test("in the place of the summary folder is not followed", async () => {
    write("outside/step_summary_1")
    mkdirSync(join(root, "temp"))
    symlinkSync(join(root, "outside"), join(root, "temp/_runner_file_commands"))
    expect((await swept({ temp: join(root, "temp") })).places).toEqual([])
  })
})

describe("what cannot be read is said, and the rest is read", () => {
  test("a pipe in a tool's place does not hold the sweep", async () => {
    mkdirSync(join(root, "home"))
    execFileSync("mkfifo", [join(root, "home/.netrc"), join(root, "pipe")])
    const { places } = await swept({ home: join(root, "home"), named: [join(root, "pipe")] })
    expect(places).toEqual([`unread ${root}/home/.netrc (special)`, `unread ${root}/pipe (special)`])
  })

  test.skipIf(process.getuid?.() === 0)("a file and a folder without the right to read", async () => {
    chmodSync(write("work/a"), 0)
    chmodSync(dirname(write("work/locked/b")), 0)
    write("work/c")
    const { places } = await swept(job())
    chmodSync(join(root, "work/locked"), 0o700)
    expect(places.sort()).toEqual(["c:2", "unread a (unreadable)", "unread locked (unreadable)"])
  })

  test.skipIf(process.platform === "win32" || process.platform === "darwin")(
    "a file whose name is no text",
    async () => {
      mkdirSync(join(root, "work"))
      const nameless = Buffer.concat([Buffer.from(join(root, "work/a")), Buffer.from([0xff])])
      writeFileSync(nameless, ISSUED)
      write("work/a\ufffdb")
      const expected = ["a\ufffdb:2", "unread a\ufffd (unreadable)"]
      expect((await swept(job())).places.sort()).toEqual(expected)
      expect((await swept({ ...job(), workspace: null, named: [join(root, "work")] })).places.length).toBe(2)
    },
  )

  test("named paths that do not exist or leave the workspace", async () => {
    mkdirSync(join(root, "work"))
    write("secret")
    const named = ["nowhere", "../secret", join(root, "nowhere"), "a/../../secret"]
    expect((await swept({ ...job(), named })).places).toEqual([
      "unread nowhere (missing)",
      "unread ../secret (outside)",
      `unread ${root}/nowhere (missing)`,
      "unread a/../../secret (outside)",
    ])
  })

  test("a worktree, whose .git is a file, and a tool's folder that is a file", async () => {
    write("work/.git", `gitdir: ${ISSUED}`)
    write("home/.docker", "")
    write("work/a")
    expect((await swept(job())).places.sort()).toEqual([".git:1", "a:2"])
  })

  test("a workspace that is gone", async () => {
    expect((await swept(job())).places).toEqual([`unread ${root}/work (missing)`])
  })

  test("when the time is over", async () => {
    write("work/a")
    expect((await swept({ ...job(), milliseconds: 0 })).places).toEqual([`unread ${root}/work (time)`])
  })

  test("the end of a huge file", async () => {
    const path = write("work/sparse", ISSUED)
    truncateSync(path, 256 * 1024 ** 2 + 10)
    const { places } = await swept(job())
    expect(places).toEqual(["sparse:1", "unread sparse (size)"])
  })

  test("at most a hundred findings are listed, and that there are more", async () => {
    for (let file = 0; file < 130; file++) write(`work/${file}`)
    const report = await swept(job())
    expect([report.findings.length, report.hasMore]).toEqual([100, true])
  })
})
