// Long because it is the list of what a command gets, and of every way in which it can end.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { actionNode } from "../../support/runner.ts"
import { AWS, granted, leftIn, play, revoked, SECRET, unmaskedLines } from "../story.ts"

const ENDED = [...granted(), ...revoked()]
const node = (script: string) => `"${actionNode()}" - <<'SCRIPT'\n${script}\nSCRIPT`

let temp = ""
beforeEach(() => {
  // The folder itself: on macOS, the system's one for temporary files is a link.
  temp = realpathSync(mkdtempSync(join(tmpdir(), "daypass temp-")))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

/** Runs a command that gets credentials, and revokes them. */
async function ran(run: string, step: Parameters<typeof play>[1] = {}, script = ENDED) {
  const story = await play(script, { temp, ...step, inputs: { run, ...step.inputs } })
  return story.run
}

const isAlive = (pid: number) => {
  const { stdout, error } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
  if (error) throw error
  // A process that ended and that nobody waited for still has its number.
  return stdout.trim() !== "" && !/^[ZX]/.test(stdout.trim())
}

describe("a command", () => {
  test.each([
    ["exit 0", 0],
    ["exit 3", 3],
    ["false; exit 0", 1],
    ["no-such-program", 127],
    ["kill -9 $$", 137],
  ])("%s ends the step with its exit code", async (run, exitCode) => {
    const step = await ran(run)
    expect(step.exitCode).toBe(exitCode)
    expect(step.stdout.includes(`::error::Process completed with exit code ${exitCode}.`)).toBe(exitCode !== 0)
  })

  test.each([
    ["no name, without pipefail", {}, 0],
    ["bash, with pipefail", { shell: "bash" }, 1],
  ])("runs in bash: %s", async (_, inputs, exitCode) => {
    expect((await ran("false | true", { inputs })).exitCode).toBe(exitCode)
  })

  test("runs in the shell that is named", async () => {
    const step = await ran("print(1 +\n  1)", { inputs: { shell: "python" } })
    expect(step.log).toContain("\n2\n")
    const own = await ran("console.log(process.argv.slice(2))", { inputs: { shell: `${actionNode()} {0} more` } })
    expect(own.log).toContain("[ 'more' ]")
  })

  test("runs in the workspace, or in a folder below it, with a closed stdin", async () => {
    mkdirSync(join(temp, "checkout/below"), { recursive: true })
    const env = () => ({ GITHUB_WORKSPACE: join(temp, "checkout") })
    expect((await ran("pwd; cat", { env })).log).toContain(`\n${temp}/checkout\n`)
    const below = await ran("pwd", { env, inputs: { "working-directory": "below" } })
    expect(below.log).toContain(`\n${temp}/checkout/below\n`)
  })

  test("is the only one that gets the credentials", async () => {
    const step = await ran(`test "$AWS_SECRET_ACCESS_KEY" = '${SECRET}' && echo has them`)
    expect(step.log).toContain("\nhas them\n")
    expect(step.env).toEqual({})
    expect(Object.keys(step.outputs)).toEqual(["lease", "expires-at"])
    for (const file of Object.values(step.files)) expect(file).not.toContain(SECRET)
  })

  test("gets values as files, which are gone with its script when it ends", async () => {
    const key = { value: "-----KEY-----\nabc\n", secret: true, env: "TLS_KEY", file: { mode: "0400" } }
    const modes = `for (const path of process.argv.slice(2)) console.log((require("fs").statSync(path).mode & 0o777).toString(8))`
    const run = `cat "$TLS_KEY" | wc -l | tr -d ' '; "${actionNode()}" - "$TLS_KEY" "$0" "$(dirname "$(dirname "$0")")" <<< '${modes}'`
    const step = await ran(run, { inputs: { grants: "g" } }, [...granted({ g: { values: { key } } }), ...revoked()])
    expect(step.log).toContain("\n2\n400\n600\n700\n")
    expect([step.exitCode, leftIn(temp)]).toEqual([0, []])
  })
})

describe("the environment of the command", () => {
  const FOR_ACTIONS = {
    ACTIONS_RUNTIME_TOKEN: "x",
    ACTIONS_RUNTIME_URL: "x",
    ACTIONS_CACHE_URL: "x",
    ACTIONS_CACHE_SERVICE_V2: "x",
    ACTIONS_CACHE_MODE: "x",
    ACTIONS_RESULTS_URL: "x",
    STATE_lease: "x",
    INPUT_OTHER: "x",
  }
  const OTHERS = { ACTIONS_ORCHESTRATION_ID: "o", GITHUB_PATH: "p", MY_OWN: "m", AWS_SESSION_TOKEN: "older" }
  const EVERY_STEP =
    "CI GITHUB_ACTIONS GITHUB_ACTOR GITHUB_ENV GITHUB_EVENT_NAME GITHUB_EVENT_PATH GITHUB_OUTPUT GITHUB_REPOSITORY GITHUB_STEP_SUMMARY HOME PATH RUNNER_TEMP"
  const names = async (inputs: Record<string, string>) => {
    const run = node("console.log('names: ' + Object.keys(process.env).sort().join(' '))")
    const { log } = await ran(run, { env: () => ({ ...FOR_ACTIONS, ...OTHERS }), inputs })
    // These are the shell's own, and the last one is macOS's.
    const own = ["PWD", "SHLVL", "_", "__CF_USER_TEXT_ENCODING"]
    return (/^names: (.*)$/m.exec(log)?.[1] ?? "").split(" ").filter((name) => !own.includes(name))
  }
  const expected = [
    ...EVERY_STEP.split(" "),
    ..."ACTIONS_ORCHESTRATION_ID AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY GITHUB_PATH MY_OWN".split(" "),
  ]

  test("is the step's, without what is for actions only, and with the credentials", async () => {
    expect(await names({})).toEqual([...expected].sort())
  })

  test("has the way to ID tokens only when the step passes it", async () => {
    const more = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"]
    expect(await names({ "id-token": "pass" })).toEqual([...expected, ...more].sort())
  })
})

test("the log says what came, what to know, and what to change, before the command's own output", async () => {
  const values = { PIN: { value: "12", secret: true, env: "PIN" }, ...AWS.values }
  const login = { tool: "npmrc" as const, host: "npm.example.com" }
  const NPM = { value: "npm-token-of-this-job", secret: true, logins: [login] }
  const env = () => ({ AWS_SECURITY_TOKEN: "old" })
  const step = await ran("echo hello", { env }, [
    ...granted({ "aws-deploy": { values: { ...values, NPM } } }),
    ...revoked(),
  ])
  expect(step.log.split("\n").map((line) => line.slice(0, 60))).toEqual([
    "Got aws-deploy for the command, until 2031-05-06T07:08:09.00",
    "npmrc: logged in at npm.example.com with the value NPM of aw",
    "These variables of the job are not passed to the command: AW",
    "::warning title=Daypass::The log does not hide these secrets",
    "hello",
    "Cannot revoke aws-deploy. It expires at 2031-05-06T07:08:09.",
    "",
  ])
})

describe("the output of the command", () => {
  test.each(["stdout", "stderr"])("on %s hides a secret, wherever a write ends", async (stream) => {
    const run = node(`
      const bytes = Buffer.from("é " + process.env.AWS_SECRET_ACCESS_KEY + " – ü\\r\\n50%\\r60%\\rlast " + process.env.AWS_SECRET_ACCESS_KEY)
      const next = (at) => at < bytes.length && process.${stream}.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1))
      next(0)`)
    const step = await ran(run)
    expect(unmaskedLines(step)).not.toContain(SECRET)
    expect(step.stdout).toContain("\né *** – ü\r\n50%\r60%\rlast ***\n")
    expect(step.stderr).toBe("")
  })

  test("hides encodings of a secret", async () => {
    const run = `printf %s "x$AWS_SECRET_ACCESS_KEY" | base64 | tr -d '\\n'; echo; printf %s "$AWS_SECRET_ACCESS_KEY" | od -An -tx1 | tr -d ' \\n'`
    const lines = unmaskedLines(await ran(run))
    expect(lines).not.toContain(Buffer.from(SECRET).toString("hex"))
    expect(lines).not.toContain(Buffer.from(`x${SECRET}`).toString("base64").slice(4, -4))
  })

  test("passes bytes through as they are", async () => {
    const step = await ran(`printf '\\360\\237\\246\\200 tab\\tquote" \\033[1mbold\\033[0m\\n'`)
    expect(step.stdout).toContain('\n🦀 tab\tquote" \u001b[1mbold\u001b[0m\n')
  })

  test("shows a line that never ends in pieces, and hides a secret where they meet", async () => {
    const run = node(`
      const secret = process.env.AWS_SECRET_ACCESS_KEY
      process.stdout.write("a".repeat(1024 * 1024 - 20) + secret + "b".repeat(2 * 1024 * 1024) + secret)`)
    const step = await ran(run)
    const shown = unmaskedLines(step)
    expect(shown).not.toContain(SECRET.slice(0, 12))
    expect(shown).not.toContain(SECRET.slice(-12))
    expect(shown.replaceAll(/\n(\[\.\.\.\] )?/g, "")).toMatch(/a{1048556}\*\*\*b{2097152}\*\*\*/)
    expect(Math.max(...shown.split("\n").map(({ length }) => length))).toBeLessThan(1.2 * 1024 * 1024)
  })

  test("passes workflow commands on, also masks of texts that hold a secret", async () => {
    const step = await ran(`echo "::notice::hello"; echo "::add-mask::$AWS_SECRET_ACCESS_KEY-derived"`)
    expect(step.stdout).toContain("\n::notice::hello\n")
    expect(step.masks).toContain(`${SECRET}-derived`)
  })

  test("cannot stop the step's own masks: a stop ends with the command", async () => {
    const step = await ran("echo ::stop-commands::my-token; echo ::error::not a command")
    expect(step.stdout).toMatch(
      /\n::stop-commands::my-token\n::error::not a command\n::my-token::\n::add-mask::[^\n]+\nCannot revoke/,
    )
    const resumed = await ran("echo ::stop-commands::my-token; echo ::my-token::")
    expect(resumed.stdout.match(/::my-token::/g)).toHaveLength(1)
    const forever = await ran("echo '::stop-commands::two words' >&2")
    expect(forever.stdout).not.toContain("::stop-commands::")
  })

  test("cannot change the state of this step", async () => {
    const step = await ran("echo ::save-state name=lease::; echo after")
    expect(step.stdout).not.toContain("::save-state")
    expect(step.stdout).toContain("\nafter\n")
  })
})

describe("when the step is cancelled", () => {
  test("the command gets SIGINT, and its exit code and the revocation follow", async () => {
    let sent = false
    const step = await ran("trap 'echo cleaned up; exit 7' INT; echo ready; while true; do sleep 0.05; done", {
      watch: (stdout, send) => {
        if (sent || !stdout.includes("\nready\n")) return
        sent = true
        send("SIGINT")
      },
    })
    expect(step.log).toContain("\ncleaned up\n")
    expect(step.exitCode).toBe(7)
  })

  test("what ignores SIGINT and SIGTERM is killed before the runner kills the step, with all its children", async () => {
    let terminatedAt = 0
    const run = `trap '' INT TERM; bash -c 'trap "" INT TERM; echo "child $$"; while true; do sleep 0.1; done' & echo "own $$"; wait`
    const step = await ran(run, {
      watch: (stdout, send) => {
        if (terminatedAt > 0 || !/child \d+/.test(stdout) || !/own \d+/.test(stdout)) return
        terminatedAt = performance.now()
        send("SIGINT")
        setTimeout(() => send("SIGTERM"), 300)
      },
    })
    expect(performance.now() - terminatedAt - 300).toBeLessThan(2_500)
    expect(step.exitCode).toBe(137)
    const pids = [...step.stdout.matchAll(/(?:child|own) (\d+)/g)].map((match) => Number(match[1]))
    expect(pids.map(isAlive)).toEqual([false, false])
    expect(leftIn(temp)).toEqual([])
  })

  test("by SIGKILL at any moment, the post step revokes and removes the files", async () => {
    let killed = false
    const main = await ran(
      "echo ready; sleep 5",
      {
        watch: (stdout, send) => {
          if (killed || !stdout.includes("\nready\n")) return
          killed = true
          send("SIGKILL")
        },
      },
      granted(),
    )
    expect([main.exitCode, leftIn(temp).length]).toEqual([null, 1])
    const saved = (origin: string) => ({
      ...main.state,
      lease: JSON.stringify({ ...JSON.parse(main.state["lease"] ?? ""), broker: origin, audience: origin }),
    })
    const post = await play(revoked(), { entry: "post", temp, inputs: { run: "echo ready" }, state: saved })
    expect([post.run.exitCode, leftIn(temp)]).toEqual([0, []])
    expect(post.run.log).not.toContain("ready")
  })
})

test("children that the command leaves behind end with it", async () => {
  const stubborn = `bash -c 'trap "" TERM; while true; do sleep 0.1; done'`
  const step = await ran(`sleep 1000 & echo "pid $!"; ${stubborn} & echo "pid $!"`)
  const pids = [...step.stdout.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]))
  expect([pids.length, step.exitCode]).toEqual([2, 0])
  expect(pids.map(isAlive)).toEqual([false, false])
})

test("a process that left the group and holds the output open does not hold the step", async () => {
  const started = performance.now()
  const leaves = `require("child_process").spawn("sleep", ["8"], { detached: true, stdio: "inherit" }).unref()`
  const step = await ran(`${node(leaves)}\necho started`)
  expect(step.log).toContain("\nstarted\n")
  expect(performance.now() - started).toBeLessThan(6_000)
})

test("when the runner is gone, the command ends, and its lease is revoked", async () => {
  const run = 'echo "pid $$"; while true; do echo more; sleep 0.05; done'
  let pid = 0
  const step = await ran(run, {
    watch: (stdout, _, hangUp) => {
      pid = Number(/pid (\d+)\nmore/.exec(stdout)?.[1] ?? 0)
      if (pid !== 0) hangUp()
    },
  })
  expect([step.exitCode, isAlive(pid), leftIn(temp)]).toEqual([143, false, []])
})

describe("a command that works against the step", () => {
  const folder = 'folder="$(dirname "$(dirname "$0")")"'
  test("cannot have another folder removed by a link in the place of the step's one", async () => {
    const run = `mkdir "${temp}/victim" && touch "${temp}/victim/file"; ${folder}; rm -r "$folder"; ln -s "${temp}/victim" "$folder"`
    await ran(run)
    const inside = await ran(
      `${folder}; ln -s "${temp}/victim" "$folder/link"; ln -s "${temp}/victim/file" "$folder/file"`,
    )
    expect([inside.exitCode, leftIn(temp), readdirSync(join(temp, "victim"))]).toEqual([0, ["victim"], ["file"]])
  })

  test("cannot keep its lease by removing the runner's files", async () => {
    const step = await ran('state="$(dirname "$GITHUB_ENV")/GITHUB_STATE"; rm "$state"; mkdir "$state"; exit 5')
    expect([step.exitCode, leftIn(temp)]).toEqual([5, []])
    expect(step.log).toContain("The state of this step could not be written")
  })
})

describe("nothing is asked of the broker", () => {
  test.each([
    ["with deliver", { run: "true", deliver: "environment" }, "deliver"],
    ["with another id-token than pass", { run: "true", "id-token": "yes" }, "id-token"],
    ["with a shell that is not there", { run: "true", shell: "no-such-shell {0}" }, "shell"],
    ["with a folder that is not there", { run: "true", "working-directory": "nowhere" }, "working-directory"],
    ["with a shell for no command", { shell: "bash" }, "shell"],
    ["with a folder for no command", { "working-directory": "." }, "working-directory"],
  ])("%s", async (_, inputs, input) => {
    const { run } = await play([], { inputs })
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toContain(`::error title=Daypass%3A input_invalid::The input \`${input}\``)
  })
})

// Of these systems, only Linux limits a single variable.
const onLinux = process.platform === "linux" ? test : test.skip
onLinux("a command whose variables are too large for the system is not started, and the lease is revoked", async () => {
  const big = { value: "x".repeat(200_000), secret: false, env: "BIG" }
  const step = await ran("true", { inputs: { grants: "g" } }, [...granted({ g: { values: { big } } }), ...revoked()])
  expect([step.exitCode, step.log.includes("too large together"), leftIn(temp)]).toEqual([1, true, []])
})

test("a command is not started when a value must not be delivered, and the lease is revoked", async () => {
  const other = { value: "a-value-of-eight", secret: true, env: "LD_PRELOAD" }
  const script = [...granted({ g: { values: { other } } }), ...revoked()]
  const step = await ran(`touch "${temp}/started"`, { inputs: { grants: "g" } }, script)
  expect([step.exitCode, existsSync(join(temp, "started"))]).toEqual([1, false])
  expect(step.summary).toContain("delivery_refused")
})
