// Long because each story is a job: a step, what the job does after it, and the post step.
import { randomBytes } from "node:crypto"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { ActionRun } from "../support/runner.ts"
import { type Expected, exchangeAnswer, problem } from "../support/scripted-broker.ts"
import { AWS, answered, granted, play, revoked, SECRET, savedBy } from "./story.ts"

let root = ""
let requestToken = ""
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "daypass-leaks-"))
  for (const folder of ["work", "temp", "home"]) mkdirSync(join(root, folder))
  requestToken = randomBytes(24).toString("base64url")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const temp = () => join(root, "temp")
const places = () => ({ GITHUB_WORKSPACE: join(root, "work"), HOME: join(root, "home") })

async function main(inputs: Record<string, string> = {}, script: readonly Expected[] = granted()): Promise<ActionRun> {
  const { run } = await play(script, { temp: temp(), requestToken, inputs, env: places })
  return run
}

/** The post step of a main step, in the environment that the job has by then. */
async function post(
  of: ActionRun,
  script: readonly Expected[] = revoked(),
  environment: Record<string, string> = of.env,
): Promise<ActionRun> {
  const { run } = await play(script, {
    entry: "post",
    temp: temp(),
    requestToken,
    inputs: { broker: "not a url", grants: "", keep: "nonsense", sweep: "nonsense" },
    state: (origin) => savedBy(of, origin),
    env: () => ({ ...environment, ...places() }),
  })
  expect(run.stderr).toBe("")
  for (const seen of [run.stdout, run.summary, ...Object.values(run.files)]) {
    expect(seen).not.toContain(SECRET)
    expect(seen).not.toContain(Buffer.from(SECRET).toString("base64"))
  }
  return run
}

function leave(path: string, content: string | Buffer = `first\n${SECRET}\n`): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

const recordFile = () => {
  const folder = readdirSync(temp()).find((name) => name.startsWith("daypass-")) ?? ""
  return join(temp(), folder, "issued.json")
}
const leaks = (run: ActionRun) => [...run.log.matchAll(/Left behind: (.*?)\.(?: Remove|$)/gm)].map(([, what]) => what)

describe("a job that leaves nothing behind", () => {
  test("has its lease revoked and its variable emptied, and no folder stays", async () => {
    const before = await main()
    const { mode } = statSync(recordFile())
    expect([mode & 0o777, statSync(dirname(recordFile())).mode & 0o777]).toEqual([0o600, 0o700])
    const run = await post(before)
    expect([run.exitCode, run.env, readdirSync(temp())]).toEqual([0, { AWS_SECRET_ACCESS_KEY: "" }, []])
    expect(run.log.replace(/[0-9.]+ s\b/, "<time>")).toMatchInlineSnapshot(`
      "Emptied for the post steps that follow: AWS_SECRET_ACCESS_KEY.
      Cannot revoke aws-deploy. It expires at 2031-05-06T07:08:09.000Z.
      The leak sweep read 0 files (0.0 MB) in <time>, and found no value of this step.
      "
    `)
    expect(run.summary).toBe("")
  })

  test("stores no value: neither the state nor the record tells it, or any encoding of it", async () => {
    const before = await main({ deliver: "outputs" })
    const stored = `${before.files.GITHUB_STATE}${readFileSync(recordFile(), "utf8")}`
    for (const text of [SECRET, ...before.masks]) expect(stored).not.toContain(text)
  })

  test("may use Daypass twice: each post step empties what is still its own, in the order of the runner", async () => {
    const other = {
      values: { "secret-access-key": { ...AWS.values["secret-access-key"], value: "another-secret-value" } },
    }
    const first = await main()
    const second = await main({}, granted({ "aws-deploy": other }))
    const job = { ...first.env, ...second.env }
    const later = await post(second, revoked(), job)
    expect(later.env).toEqual({ AWS_SECRET_ACCESS_KEY: "" })
    const earlier = await post(first, revoked(), { ...job, ...later.env })
    expect([earlier.env, earlier.exitCode, readdirSync(temp())]).toEqual([{}, 0, []])
  })

  test("keeps a variable that another step has set since", async () => {
    const before = await main()
    const run = await post(before, revoked(), { AWS_SECRET_ACCESS_KEY: "set-by-another-step" })
    expect(run.env).toEqual({})
    expect(run.log).toContain("Left, because another step has set them since: AWS_SECRET_ACCESS_KEY.")
  })

  test("may have its post step run again, which changes nothing", async () => {
    const before = await main({ sweep: "off" })
    const first = await post(before)
    const gone = problem(404, "lease_not_found", "No such lease for this job.")
    const second = await post(before, revoked(gone), { ...before.env, ...first.env })
    expect([second.exitCode, second.env, readdirSync(temp())]).toEqual([0, {}, []])
  })
})

describe("a value that was left behind is a warning with its place, and the post step succeeds", () => {
  test.each<[string, () => void, string]>([
    ["in the workspace", () => leave("work/dist/config.js"), "dist/config.js:2"],
    [
      "in a remote",
      () => leave("work/.git/config", `[remote "origin"]\n\turl = https://x:${encodeURIComponent(SECRET)}@h/\n`),
      ".git/config:2",
    ],
    ["in ~/.netrc", () => leave("home/.netrc"), "<root>/home/.netrc:2"],
    [
      "in a login of Docker",
      () => leave("home/.docker/config.json", Buffer.from(`u:${SECRET}`).toString("base64")),
      "<root>/home/.docker/config.json:1",
    ],
    [
      "in a summary",
      () => leave("temp/_runner_file_commands/step_summary_5"),
      "<root>/temp/_runner_file_commands/step_summary_5:2",
    ],
    ["in a binary file", () => leave("work/a.bin", Buffer.concat([Buffer.alloc(9), Buffer.from(SECRET)])), "a.bin"],
  ])("%s", async (_, act, place) => {
    const before = await main()
    act()
    const run = await post(before)
    expect(leaks(run)).toEqual([`the value secret-access-key of aws-deploy is in ${place.replace("<root>", root)}`])
    expect(run.exitCode).toBe(0)
    expect(run.stdout).toContain("::warning title=Daypass%3A leak_found")
    expect(run.summary).toContain("### Values of this job were left behind")
  })

  test("in an archive that is named", async () => {
    const before = await main({ "sweep-paths": "image.tar.gz\n" })
    const { execFileSync } = await import("node:child_process")
    leave("layer/app/.env")
    const tar = execFileSync("tar", ["-cf", "-", "-C", join(root, "layer"), "app/.env"])
    leave("work/image.tar.gz", gzipSync(tar))
    expect(leaks(await post(before))).toEqual([
      "the value secret-access-key of aws-deploy is in image.tar.gz, in app/.env",
    ])
  })

  test("with a hostile name", async () => {
    const before = await main()
    leave("work/::error::x\n::set-env name=A::b\u202e##[group]")
    const run = await post(before)
    expect(run.stdout.split("\n").filter((line) => /^\s*::(?:set-env|error)/.test(line))).toEqual([])
    expect(run.stdout).not.toContain("##[group]")
    expect(run.summary).not.toContain("\u202e")
  })

  test("many times, of which nine are annotations", async () => {
    const before = await main()
    for (let file = 0; file < 15; file++) leave(`work/${file}`)
    const run = await post(before)
    expect([leaks(run).length, run.stdout.match(/^::warning/gm)?.length]).toEqual([15, 9])
  })

  test("what the runner's command files of the delivery hold is none", async () => {
    const before = await main({ deliver: "both" })
    for (const name of ["set_env_1", "set_output_1", "save_state_1"]) leave(`temp/_runner_file_commands/${name}`)
    expect(leaks(await post(before))).toEqual([])
  })
})

describe("with sweep: fail", () => {
  test("a finding fails the step, after the revocation", async () => {
    const before = await main({ sweep: "fail" })
    leave("work/dist/config.js")
    const run = await post(before)
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toContain("::error title=Daypass%3A leak_found,file=dist/config.js,line=2::Left behind: ")
  })

  test("nothing found is success, and what was not read is a warning", async () => {
    const before = await main({ sweep: "fail", "sweep-paths": "nowhere" })
    const run = await post(before)
    expect(run.exitCode).toBe(0)
    expect(run.log).toContain("Not looked at: nowhere: it does not exist.")
    expect(run.log).toContain("The leak sweep is not complete: 1 place")
  })
})

describe("with sweep: off", () => {
  test("nothing is looked for, and the variable is emptied", async () => {
    const before = await main({ sweep: "off" })
    leave("work/dist/config.js")
    const run = await post(before)
    expect([run.exitCode, leaks(run), run.env]).toEqual([0, [], { AWS_SECRET_ACCESS_KEY: "" }])
    expect(run.log).not.toContain("sweep")
  })

  test("a step that sets no secret variable writes no record", async () => {
    const before = await main({ sweep: "off", deliver: "outputs" })
    expect([before.state["issued"], readdirSync(temp())]).toEqual([undefined, []])
  })
})

describe("a record that cannot be trusted", () => {
  const hurt: [string, () => void][] = [
    ["that is gone", () => rmSync(recordFile())],
    ["whose folder is gone", () => rmSync(dirname(recordFile()), { recursive: true })],
    [
      "that was edited",
      () =>
        writeFileSync(recordFile(), readFileSync(recordFile(), "utf8").replace(/.{20}"}\n$/, `${"A".repeat(20)}"}\n`)),
    ],
    ["that is empty", () => writeFileSync(recordFile(), "")],
    ["that is huge", () => writeFileSync(recordFile(), " ".repeat(2 * 1024 * 1024))],
    [
      "beside more of them than a step makes",
      () => {
        const padded = readFileSync(recordFile(), "utf8").padEnd(1024 * 1024)
        for (let number = 2; number < 68; number++)
          writeFileSync(join(dirname(recordFile()), `issued-${number}.json`), padded)
      },
    ],
    [
      "that is a link",
      () => {
        renameSync(recordFile(), join(root, "moved"))
        symlinkSync(join(root, "moved"), recordFile())
      },
    ],
    [
      "whose folder is a link",
      () => {
        const folder = dirname(recordFile())
        renameSync(folder, join(root, "moved"))
        symlinkSync(join(root, "moved"), folder)
      },
    ],
    [
      "that is a pipe",
      () => {
        rmSync(recordFile())
        mkdirSync(recordFile())
      },
    ],
  ]
  test.each(hurt)("%s: a warning, the lease is revoked, and nothing outside is removed", async (_, act) => {
    const before = await main()
    leave("work/dist/config.js")
    act()
    const run = await post(before)
    expect([run.exitCode, leaks(run), run.env]).toEqual([0, [], {}])
    expect(run.stdout).toContain("::warning title=Daypass%3A sweep_impossible::")
    expect(run.log).toContain("These variables stay set")
    if (existsSync(join(root, "moved"))) expect(statSync(join(root, "moved"))).toBeTruthy()
  })

  test.each(hurt)("%s: with sweep: fail, the step fails", async (_, act) => {
    const before = await main({ sweep: "fail" })
    act()
    const run = await post(before)
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toContain("::error title=Daypass%3A sweep_impossible::")
  })

  test("of another job is none", async () => {
    const before = await main()
    requestToken = randomBytes(24).toString("base64url")
    expect((await post(before)).stdout).toContain("sweep_impossible")
  })

  test("at a path that is not the step's own is not read", async () => {
    const before = await main()
    renameSync(dirname(recordFile()), join(root, "daypass-elsewhere"))
    const state = { ...before.state, issued: join(root, "daypass-elsewhere") }
    const run = await post({ ...before, state })
    expect(run.stdout).toContain("sweep_impossible")
    expect(existsSync(join(root, "daypass-elsewhere", "issued.json"))).toBe(true)
  })
})

describe("with keep: true", () => {
  test("the lease is not revoked, and the log says until when it lives, at both ends", async () => {
    const before = await main({ keep: "true" })
    const kept = "lives until 2031-05-06T07:08:09.000Z at the latest."
    expect(before.log).toContain(kept)
    const run = await post(before, [])
    expect([run.exitCode, run.env, readdirSync(temp())]).toEqual([0, { AWS_SECRET_ACCESS_KEY: "" }, []])
    expect(run.log).toContain(kept)
  })

  test("a value that was left behind has the lease revoked", async () => {
    const before = await main({ keep: "true" })
    leave("work/dist/config.js")
    const run = await post(before, revoked())
    expect(run.log).toContain("the lease is revoked in spite of `keep`")
  })

  test("an attempt whose answer never arrived is revoked", async () => {
    const before = await main({ keep: "true" }, [...answered({ reset: true }), ...granted()])
    const gone = problem(404, "lease_not_found", "No such lease for this job.")
    const run = await post(before, revoked(gone))
    expect(run.log).toContain("Kept (input `keep`)")
  })

  test("a lease that was never delivered is revoked", async () => {
    const before = await main({ keep: "true" })
    const { keep: _, ...state } = before.state
    const run = await post({ ...before, state }, revoked())
    expect(run.log).not.toContain("Kept")
  })
})

describe("a lease that is over", () => {
  const ended = (ago: number) => new Date(Date.now() - ago).toISOString()
  test("by more than the clocks can differ causes no request", async () => {
    const before = await main({}, granted({ "aws-deploy": AWS }, { expires_at: ended(120_000) }))
    const run = await post(before, [])
    expect([run.exitCode, run.env]).toEqual([0, { AWS_SECRET_ACCESS_KEY: "" }])
    expect(run.log).toContain("is over: nothing is left to revoke")
  })

  test("by less is revoked", async () => {
    const before = await main({}, granted({ "aws-deploy": AWS }, { expires_at: ended(20_000) }))
    expect((await post(before, revoked())).exitCode).toBe(0)
  })
})

test.each([
  ["when its secrets are masked", SECRET],
  ["when it has delivered", "Got aws-deploy"],
])("a step that is killed %s leaves nothing that its post step does not remove", async (_, sign) => {
  const { run } = await play(granted(), {
    temp: temp(),
    requestToken,
    env: places,
    watch: (stdout, send) => {
      if (stdout.includes(sign)) send("SIGKILL")
    },
  })
  const after = await post(run)
  expect([after.exitCode, readdirSync(temp())]).toEqual([0, []])
})

describe("with run", () => {
  test("what the command wrote is found", async () => {
    const before = await main({ run: 'echo "key: $AWS_SECRET_ACCESS_KEY" > "$GITHUB_WORKSPACE/out.txt"' }, [
      ...granted(),
      ...revoked(),
    ])
    expect([before.exitCode, before.state["lease"]]).toEqual([0, ""])
    const run = await post(before, [])
    expect(leaks(run)).toEqual(["the value secret-access-key of aws-deploy is in out.txt:1"])
    expect([run.exitCode, readdirSync(temp())]).toEqual([0, []])
  })

  test("keep is an input error", async () => {
    const run = await main({ run: "true", keep: "true" }, [])
    expect(run.stdout).toContain("The input `keep` cannot be true with `run`")
  })
})

test("values that are too short to be looked for are counted, not named", async () => {
  const short = { value: "hunter2", secret: true, env: "PIN" }
  const before = await main({ grants: "g" }, granted({ g: { values: { short } } }))
  leave("work/a", "hunter2")
  const run = await post(before)
  expect([leaks(run), run.env]).toEqual([[], { PIN: "" }])
  expect(run.log).toContain("The leak sweep cannot look for all values of this step: 1 value with")
})

test("a file's content is looked for, and its path in the variable stays", async () => {
  const key = {
    value: "line-1-of-the-key-7f\nline-2-of-the-key-9c\n",
    secret: true,
    env: "TLS_KEY",
    file: { mode: "0400" },
  }
  const before = await main({ grants: "g" }, answered({ sealed: exchangeAnswer({ g: { values: { key } } }) }))
  leave("work/a", "x\nline-2-of-the-key-9c")
  const run = await post(before)
  expect([leaks(run), run.env, readdirSync(temp())]).toEqual([["the value key of g is in a:2"], {}, []])
})
