// Long because it is the list of what a command of `daypass exec` gets, and of every way in which it can end.
import { readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { AWS, granted, revoked, SECRET } from "../../action/story.ts"
import { actionNode } from "../../support/runner.ts"
import { type Expected, exchangeAnswer, type ScriptedBroker } from "../../support/scripted-broker.ts"
import { ended, endJobs, githubJob, type Job, makeFolder, makePrograms, proved, runJob, withBroker } from "./job.ts"

afterAll(endJobs)

const ENDED = [...granted(), ...revoked()]
const WHOLE = [proved(), ended]
const node = (script: string) => [actionNode(), "-e", script]

/** Runs a command in a job of GitHub Actions, whose tokens are bound to a key. */
async function ran(
  command: readonly string[],
  {
    script = ENDED,
    options = [],
    grants = "aws-deploy",
    ...job
  }: Job & {
    readonly script?: readonly Expected[]
    readonly options?: readonly string[]
    readonly grants?: string
  } = {},
) {
  return withBroker(script, async (broker) => {
    const args = ["exec", "--broker", broker.origin, "--grants", grants, ...options, "--", ...command]
    const run = await runJob(args, { ...job, env: { ...githubJob(broker), ...job.env } })
    return { ...run, requests: broker.requests, leases: broker.leases, origin: broker.origin, tokens: broker.tokens }
  })
}

/** Runs a command in a job of GitLab, which has one token. */
async function ranOnGitlab(
  command: readonly string[],
  script: readonly Expected[] = WHOLE,
  job: Job & { readonly options?: readonly string[]; readonly token?: (broker: ScriptedBroker) => string } = {},
) {
  return withBroker(script, async (broker) => {
    const token = job.token?.(broker) ?? broker.issue(broker.origin)
    const args = ["exec", "--broker", broker.origin, "--grants", "aws-deploy", ...(job.options ?? []), "--", ...command]
    const run = await runJob(args, { ...job, env: { GITLAB_CI: "true", DAYPASS_ID_TOKEN: token, ...job.env } })
    return { ...run, requests: broker.requests, token }
  })
}

/** An exchange that the broker refuses. */
const problem = (status: number, code: string, detail: string): Expected => ({
  on: "exchange",
  reply: {
    status,
    type: "application/problem+json",
    body: {
      type: "about:blank",
      title: code,
      status,
      detail,
      code,
      request_id: "0190d3a2-0000-7000-8000-000000000000",
    },
  },
})

describe("a command", () => {
  test("gets the credentials, and the lease is revoked when it ends", async () => {
    const run = await ran(node(`console.log(process.env.AWS_SECRET_ACCESS_KEY === ${JSON.stringify(SECRET)})`))
    expect([run.code, run.out]).toEqual([0, "true\n"])
    expect(run.requests.map((request) => request.split(" bearer")[0])).toEqual([
      "GET /token audience=<audience>?jkt=<thumbprint>",
      "POST /v1/exchange",
      "GET /token audience=<audience>?jkt=<thumbprint>",
      "DELETE /v1/leases/lease-1",
    ])
    expect(run.left).toEqual([])
  })

  test.each([
    [node("process.exit(0)"), 0],
    [node("process.exit(3)"), 3],
    [node("process.exit(125)"), 125],
    [node("process.kill(process.pid, 'SIGKILL')"), 137],
  ])("%j ends with its exit code %i", async (command, code) => expect((await ran(command)).code).toBe(code))

  test("gets its arguments as they are, without a shell", async () => {
    const args = ["$HOME", "a b", "*", "--", "--grants", "", "'\""]
    const run = await ran([...node("console.log(JSON.stringify(process.argv.slice(1)))"), "--", ...args])
    expect(JSON.parse(run.out)).toEqual(args)
  })

  test("reads standard input, and its two streams stay apart", async () => {
    const script = `process.stdin.on("data", (t) => process.stdout.write("out:" + t)); console.error("the error stream")`
    const run = await ran(node(script), { input: "piped in" })
    expect(run.out).toBe("out:piped in\n")
    expect(run.err).toContain("\nthe error stream\n")
    expect(run.out).not.toContain("the error stream")
  })

  test("runs in the current folder", async () => {
    const cwd = makeFolder()
    expect((await ran(node("console.log(process.cwd())"), { cwd })).out).toBe(`${cwd}\n`)
  })

  test("is not started when there is no such program, and nothing is asked", async () => {
    const run = await ran(["no-such-program"], { script: [] })
    expect([run.code, run.out]).toEqual([127, ""])
    expect(run.err).toBe('daypass: there is no program "no-such-program" that can be started\n')
  })

  test("that the system cannot start ends with 125, and the lease is revoked", async () => {
    const folder = makePrograms({ broken: "" })
    writeFileSync(join(folder, "broken"), "#!/no/such/interpreter\n")
    const run = await ran([join(folder, "broken")])
    expect([run.code, run.left]).toEqual([125, []])
    expect(run.err).toContain("The command")
  })

  test("does not get the means to take tokens, unless it is passed", async () => {
    const show = node("console.log(Object.keys(process.env).filter((n) => /^ACTIONS_ID_TOKEN/.test(n)).length)")
    expect((await ran(show)).out).toBe("0\n")
    expect((await ran(show, { options: ["--pass-id-token"] })).out).toBe("2\n")
  })
})

describe("values in the output", () => {
  test("are replaced in both streams", async () => {
    const print = `console.log("out " + process.env.AWS_SECRET_ACCESS_KEY); console.error("err " + process.env.AWS_SECRET_ACCESS_KEY)`
    const run = await ranOnGitlab(node(print))
    expect(run.out).toBe("out ***\n")
    expect(run.err).toContain("err ***\n")
    expect(run.out + run.err).not.toContain(SECRET)
  })

  test("stay with --unmasked, where the command has this process's own streams", async () => {
    const print = "process.stdout.write(process.env.AWS_SECRET_ACCESS_KEY)"
    const run = await ranOnGitlab(node(print), WHOLE, { options: ["--unmasked"] })
    expect([run.code, run.out]).toEqual([0, SECRET])
  })

  test("are masked for GitHub's runner on standard error, before the command starts", async () => {
    const run = await ran(node("console.error('started')"))
    const [before = "", after] = run.err.split("started\n")
    expect(before).toContain(`::add-mask::${SECRET}\n`)
    expect(after).toBeDefined()
    expect(run.out).not.toContain("::add-mask::")
  })

  test("are given to Buildkite's redactor on its standard input", async () => {
    const record = join(makeFolder(), "redacted.json")
    const agent = `
      if (args.join(" ") !== "redactor add --format json") refuse("unexpected arguments: " + args.join(" "))
      let text = ""
      process.stdin.on("data", (part) => { text += part }).on("end", () => {
        const values = Object.values(JSON.parse(text))
        if (values.some((value) => typeof value !== "string")) refuse("not a flat object of texts")
        require("node:fs").appendFileSync(${JSON.stringify(record)}, JSON.stringify(values) + "\\n")
      })`
    const programs = makePrograms({ "buildkite-agent": agent })
    const run = await withBroker(WHOLE, async (broker) => {
      const file = join(makeFolder(), "token")
      writeFileSync(file, broker.issue(broker.origin))
      const args = [
        "exec",
        "--broker",
        broker.origin,
        "--grants",
        "aws-deploy",
        "--token-file",
        file,
        "--",
        ...node(""),
      ]
      return runJob(args, { programs, env: { BUILDKITE: "true" } })
    })
    expect(run.code).toBe(0)
    expect(readFileSync(record, "utf8")).toContain(SECRET)
    expect(run.out + run.err).not.toContain(SECRET)
  })

  test("are masked for Azure Pipelines without a variable for later steps", async () => {
    const run = await ranOnGitlab(node(""), WHOLE, {
      env: { GITLAB_CI: "", TF_BUILD: "True" },
      options: ["--source", "variable"],
    })
    expect(run.code).toBe(0)
    expect(run.err).toContain(`##vso[task.setsecret]${SECRET}\n`)
    expect(run.err).not.toContain("setvariable")
  })

  test("that cannot be hidden elsewhere are said once", async () => {
    const programs = makePrograms({ "buildkite-agent": "process.exit(1)" })
    const run = await ranOnGitlab(node(""), WHOLE, {
      programs,
      env: { BUILDKITE: "true" },
      options: ["--source", "gitlab"],
    })
    expect(run.code).toBe(0)
    expect(run.err.match(/hidden in the command's output alone/g)).toHaveLength(1)
  })
})

describe("--files", () => {
  const KEY = { value: "-----KEY-----\nabc\n", secret: true, env: "TLS_KEY", file: { mode: "0400" } }
  const granting = { g: { values: { ...AWS.values, key: KEY } } }
  const FILES = { script: [...granted(granting), ...revoked()], grants: "g", options: ["--files"] }

  test("gives values as files, paths and public values as variables, and removes the files", async () => {
    const show = node(`
      const { readFileSync, statSync } = require("node:fs")
      const { DAYPASS_FILES: folder, TLS_KEY: key, AWS_SECRET_ACCESS_KEY: secret } = process.env
      const values = JSON.parse(readFileSync(folder + "/values.json", "utf8"))
      console.log(JSON.stringify({
        secretInVariable: secret !== undefined,
        names: Object.keys(values.g),
        length: values.g["secret-access-key"].length,
        key: readFileSync(key).length,
        below: key.startsWith(folder + "/files/g/"),
        modes: [folder, folder + "/values.env", key].map((path) => (statSync(path).mode & 0o777).toString(8)),
      }))`)
    const run = await ran(show, FILES)
    expect([run.code, run.left]).toEqual([0, []])
    expect(JSON.parse(run.out)).toEqual({
      secretInVariable: false,
      names: ["access-key-id", "secret-access-key"],
      length: SECRET.length,
      key: KEY.value.length,
      below: true,
      modes: ["700", "600", "400"],
    })
  })

  test("leaves nothing behind when the command is killed", async () => {
    const run = await ran(node("process.kill(process.pid, 'SIGKILL')"), FILES)
    expect([run.code, run.left]).toEqual([137, []])
  })
})

describe("what AWS's tools fetch", () => {
  const session = (format: string) => ({
    format,
    values: {
      "access-key-id": { value: "AKIAEXAMPLE", secret: false, env: "AWS_ACCESS_KEY_ID" },
      "secret-access-key": { value: SECRET, secret: true, env: "AWS_SECRET_ACCESS_KEY" },
      "session-token": { value: "session-token-of-it", secret: true, env: "AWS_SESSION_TOKEN" },
      region: { value: "eu-west-1", secret: false, env: "AWS_REGION" },
    },
  })

  test("is served on loopback while the command runs", async () => {
    const fetchIt = node(`
      const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env
      fetch(url, { headers: { authorization } }).then((r) => r.json()).then((it) => console.log(it.AccessKeyId, it.SecretAccessKey.length))`)
    const script = [...granted({ a: session("aws-session") } as never), ...revoked()]
    expect((await ran(fetchIt, { script, grants: "a" })).out).toBe(`AKIAEXAMPLE ${SECRET.length}\n`)
  })

  test.each<[string, number, readonly Expected[]]>([
    ["near the end of the token, and is not asked for", 40, []],
    [
      "when the rest of the token is too short for it",
      3600,
      [problem(400, "ttl_too_short", "Too short."), problem(400, "ttl_too_short", "Too short.")],
    ],
  ])("is not renewed %s, which is said once", async (_, lifetime, further) => {
    const credentials = { a: session("aws-session"), b: session("aws-session") }
    const soon = { expires_at: new Date(Date.now() + 3_000).toISOString() }
    const ask = node(`
      const config = require("node:fs").readFileSync(process.env.AWS_CONFIG_FILE, "utf8")
      const { spawnSync } = require("node:child_process")
      setTimeout(() => {
        for (const [, command] of config.matchAll(/credential_process = (.*)/g)) spawnSync(command, { shell: true })
        console.log("asked")
      }, Date.parse(${JSON.stringify(soon.expires_at)}) - Date.now() - 500)`)
    const run = await withBroker([proved(credentials as never, soon), ...further, ended], async (broker) => {
      const token = broker.issue(broker.origin, { exp: Math.floor(Date.now() / 1000) + lifetime })
      const args = ["exec", "--broker", broker.origin, "--grants", "a,b", "--", ...ask]
      return runJob(args, { env: { GITLAB_CI: "true", DAYPASS_ID_TOKEN: token } })
    })
    expect([run.code, run.out]).toEqual([0, "asked\n"])
    expect(run.err.match(/could not be renewed yet/g)).toHaveLength(1)
    expect(run.err).toMatch(/The ID token of GitLab CI ends at \d{4}-.+Z\. What it got ends then too/)
  })

  test("comes by the profiles of several sessions, from the program beside the command line", async () => {
    const ask = node(`
      const config = require("node:fs").readFileSync(process.env.AWS_CONFIG_FILE, "utf8")
      const [, command] = /\\[profile b\\]\\ncredential_process = (.*)/.exec(config)
      const answer = JSON.parse(require("node:child_process").execSync(command, { encoding: "utf8" }))
      console.log(answer.Version, answer.AccessKeyId, answer.SecretAccessKey.length)`)
    const credentials = { a: session("aws-session"), b: session("aws-session") }
    const script = [...granted(credentials as never), ...revoked()]
    const run = await ran(ask, { script, grants: "a,b" })
    expect([run.out, run.code]).toEqual([`1 AKIAEXAMPLE ${SECRET.length}\n`, 0])
  })
})

describe("a job with one token", () => {
  test("proves its key in each call, and ends its lease with the same token", async () => {
    const run = await ranOnGitlab(node("console.log(process.env.AWS_SECRET_ACCESS_KEY.length)"))
    expect([run.code, run.out, run.left]).toEqual([0, `${SECRET.length}\n`, []])
    expect(run.requests).toEqual([
      'POST /v1/exchange bearer=token-1 proved body={"grants":["aws-deploy"],"key":"<P-256 public key>","lease":"lease-1"}',
      "DELETE /v1/leases/lease-1 bearer=token-1 proved",
    ])
  })

  test("does not give the command the variable with the token, unless it is passed", async () => {
    const show = node("console.log(process.env.DAYPASS_ID_TOKEN === undefined)")
    expect((await ranOnGitlab(show)).out).toBe("true\n")
    expect((await ranOnGitlab(show, WHOLE, { options: ["--pass-id-token"] })).out).toBe("false\n")
  })

  test("never shows the token", async () => {
    const print = node("console.log(process.env.DAYPASS_ID_TOKEN)")
    const run = await ranOnGitlab(print, WHOLE, { options: ["--pass-id-token"] })
    expect(run.out).toBe("***\n")
    expect(run.out + run.err).not.toContain(run.token)
  })

  test("tries again with a new proof and a new lease when an answer got lost, and ends both leases", async () => {
    const lost: Expected = { on: "exchange", reply: { reset: true } }
    const run = await ranOnGitlab(node(""), [lost, proved(), ended, ended])
    expect([run.code, run.requests.length]).toEqual([0, 4])
    expect(
      run.requests
        .slice(2)
        .map((line) => /lease-\d/.exec(line)?.[0])
        .sort(),
    ).toEqual(["lease-1", "lease-2"])
  })

  test("ends a lease whose answer it cannot use, and does not start the command", async () => {
    const elsewhere: Expected = { on: "exchange", reply: { status: 200, body: exchangeAnswer({ "aws-deploy": AWS }) } }
    const run = await ranOnGitlab(node("console.log('never')"), [elsewhere, ended])
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toContain("docs/codes.md#answer_not_sealed")
    expect(run.requests.at(-1)).toBe("DELETE /v1/leases/lease-1 bearer=token-1 proved")
  })

  test.each([
    ["a new proof for a denial of the provider", problem(503, "provider_unavailable", "The provider is away.")],
    ["a limit", problem(429, "quota_exceeded", "Too many.")],
  ])("is shown again after %s", async (_, first) => {
    const run = await ranOnGitlab(node(""), [first, proved(), ended])
    expect([run.code, run.requests.length]).toEqual([0, 3])
  })

  test("that another command used first says what to do on this CI", async () => {
    const used = [problem(401, "token_already_used", "This subject token was used before."), ended]
    const run = await ranOnGitlab(node("console.log('never')"), used)
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toContain("ask for all grants of the job in that command, or give this command its own token:")
    expect(run.err).toContain("add a second variable with the same `aud` to the job's `id_tokens`")
  })

  test("says when the broker is too old for proofs", async () => {
    const run = await ranOnGitlab(node("console.log('never')"), [problem(401, "key_mismatch", "Not bound to it.")])
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toContain("did not see the DPoP proof of this call: it is older than this command")
    expect(run.err).toContain("docs/codes.md#broker_too_old")
  })

  test("whose audience names a key of another process is not the broker's fault", async () => {
    const run = await withBroker([problem(401, "key_mismatch", "Bound to a different key.")], async (broker) => {
      const env = {
        GITLAB_CI: "true",
        DAYPASS_ID_TOKEN: broker.issue(`${broker.origin}`, { aud: `${broker.origin}?jkt=x` }),
      }
      return runJob(["exec", "--broker", broker.origin, "--grants", "a", "--", ...node("")], { env })
    })
    expect(run.err).toContain("docs/codes.md#key_mismatch")
  })

  test("can come on standard input, which the command then has none of", async () => {
    const run = await withBroker(WHOLE, (broker) => {
      const args = ["exec", "--broker", broker.origin, "--grants", "aws-deploy", "--token-file", "-", "--"]
      const count = node(
        `let n = 0; process.stdin.on("data", (t) => { n += t.length }).on("end", () => console.log(n))`,
      )
      return runJob([...args, ...count], { input: `${broker.issue(broker.origin)}\n` })
    })
    expect([run.code, run.out]).toEqual([0, "0\n"])
  })

  const fromFile = async (change: (file: string, fresh: string) => string) =>
    withBroker(WHOLE, async (broker) => {
      const file = join(makeFolder(), "token")
      writeFileSync(file, broker.issue(broker.origin))
      const script = `const fs = require("node:fs"); ${change(JSON.stringify(file), JSON.stringify(broker.issue(broker.origin)))}`
      const args = ["exec", "--broker", broker.origin, "--grants", "aws-deploy", "--token-file", file, "--"]
      const run = await runJob([...args, ...node(script)])
      return { ...run, requests: broker.requests }
    })

  test("can come from a file, and a new one there revokes, with the same key", async () => {
    const run = await fromFile((file, fresh) => `fs.writeFileSync(${file}, ${fresh})`)
    expect([run.code, run.left]).toEqual([0, []])
    expect(run.requests[1]).toBe("DELETE /v1/leases/lease-1 bearer=token-2 proved")
  })

  test.each([
    ["is gone", (file: string) => `fs.rmSync(${file})`],
    ["is half written", (file: string) => `fs.writeFileSync(${file}, "eyJ")`],
  ])("goes on with the token that it had when the file %s", async (_, change) => {
    const run = await fromFile(change)
    expect([run.code, run.requests[1]]).toEqual([0, "DELETE /v1/leases/lease-1 bearer=token-1 proved"])
  })
})

describe("a job whose CI gives a token for each call, for another audience", () => {
  test("asks plainly, and ends its lease with a second token", async () => {
    const audience = "api://AzureADTokenExchange"
    const plain: Expected = { on: "exchange", reply: { status: 200, body: exchangeAnswer({ "aws-deploy": AWS }) } }
    const run = await withBroker(
      [plain, ended],
      async (broker) => {
        const azure = createServer((_, response) =>
          response
            .setHeader("content-type", "application/json")
            .end(JSON.stringify({ oidcToken: broker.issue(audience) })),
        )
        await new Promise<void>((resolve) => azure.listen(0, "127.0.0.1", resolve))
        const url = `http://127.0.0.1:${(azure.address() as AddressInfo).port}/oidctoken`
        const env = { TF_BUILD: "True", SYSTEM_OIDCREQUESTURI: url, SYSTEM_ACCESSTOKEN: "access" }
        const args = ["exec", "--broker", broker.origin, "--grants", "aws-deploy", "--", ...node("")]
        const ran = await runJob(args, { env })
        azure.close()
        return { ...ran, requests: broker.requests }
      },
      { audience },
    )
    expect([run.code, run.left]).toEqual([0, []])
    expect(run.requests).toEqual([
      'POST /v1/exchange bearer=token-1 body={"grants":["aws-deploy"]}',
      "DELETE /v1/leases/lease-1 bearer=token-2",
    ])
  })
})

describe("cancellation", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "passes %s to the command, takes its exit code, and revokes",
    async (signal) => {
      let sent = false
      const wait = node(
        `process.on("${signal}", () => process.exit(9)); setInterval(() => {}, 1000); console.log("ready")`,
      )
      const run = await ran(wait, {
        watch(said, send) {
          if (sent || !said.includes("ready\n")) return
          sent = true
          send(signal)
        },
      })
      expect([run.code, run.left]).toEqual([9, []])
    },
  )

  test("before the command starts revokes what was asked for, and ends as a signal does", async () => {
    const asked = Promise.withResolvers<void>()
    const when = async () => {
      asked.resolve()
      return new Promise<undefined>(() => {})
    }
    const script: Expected[] = [{ on: "token" }, { on: "exchange", reply: { when } }, ...revoked()]
    const run = await ran(node("console.log('never')"), {
      script,
      env: { RUNNER_DEBUG: "1" },
      watch(_, send) {
        void asked.promise.then(() => send("SIGTERM"))
      },
    })
    expect([run.code, run.out, run.left]).toEqual([143, "", []])
    expect(run.requests.at(-1)).toMatch(/^DELETE \/v1\/leases\/lease-1 /)
  })
})

describe("cancellation of a job with one token", () => {
  test("before the command starts revokes what was asked for, with the token that is on its way", async () => {
    const asked = Promise.withResolvers<void>()
    const when = async () => {
      asked.resolve()
      return new Promise<undefined>(() => {})
    }
    const run = await ranOnGitlab(node("console.log('never')"), [{ on: "exchange", reply: { when } }, ended], {
      env: { RUNNER_DEBUG: "1" },
      watch(_, send) {
        void asked.promise.then(() => send("SIGTERM"))
      },
    })
    expect([run.code, run.out, run.left]).toEqual([143, "", []])
    expect(run.requests.at(-1)).toBe("DELETE /v1/leases/lease-1 bearer=token-1 proved")
  })
})

describe("a refusal", () => {
  test("names the option, the code and its page, and ends with 125", async () => {
    const refused = problem(403, "not_allowed", "No policy allows it.")
    const run = await ranOnGitlab(node("console.log('never')"), [refused])
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toContain("daypass: error: No policy allows it.")
    expect(run.err).toContain("docs/codes.md#not_allowed")
  })

  test.each([
    ["no broker", ["--grants", "a", "--", "true"], "The option `--broker` is missing"],
    ["no grants", ["--broker", "https://b.example", "--", "true"], "The option `--grants` is missing"],
    [
      "a lifetime",
      ["--broker", "https://b.example", "--grants", "a", "--ttl", "15 minutes", "--", "true"],
      "The option `--ttl` must be",
    ],
    ["plain http", ["--broker", "http://b.example", "--grants", "a", "--", "true"], "The option `--broker`"],
    ["no dashes", ["--grants", "a", "true"], "write -- before the command"],
    ["no command", ["--grants", "a", "--"], "write the command after --"],
    ["an unknown option", ["--grant", "a", "--", "true"], "--grant"],
    [
      "an unknown source",
      ["--broker", "https://b.example", "--grants", "a", "--source", "travis", "--", "true"],
      "must be one of github, gitlab",
    ],
    [
      "two places",
      ["--broker", "https://b.example", "--grants", "a", "--source", "gitlab", "--token-file", "f", "--", "true"],
      "cannot be used with --source",
    ],
    [
      "a token as an argument",
      [
        "--broker",
        "https://b.example",
        "--grants",
        "a",
        "--token-variable",
        "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        "--",
        "true",
      ],
      "never the token itself",
    ],
  ])("of wrong arguments ends with 2: %s", async (_, args, sentence) => {
    const run = await runJob(["exec", ...args])
    expect([run.code, run.out]).toEqual([2, ""])
    expect(run.err).toContain(sentence)
    expect(run.err).not.toContain("eyJhbGciOiJSUzI1NiJ9")
  })
})
