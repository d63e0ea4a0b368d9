import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"
import { DEPLOYMENT } from "../flow/world.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Desk, openDesk } from "../support/page-desk.ts"
import { runAction } from "../support/runner.ts"
import { freePort, startServer } from "../support/servers.ts"
import { startSts } from "../support/sts.ts"
import type { Check } from "./run.ts"
import { type Leg, PACE, secondsOf, tableOf, wordsOf } from "./walk/clock.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), "utf8")
const README = read("README.md")
const PAGE = read("docs/get-started.md")
const URL_OF_PAGE = "https://daypass.example.com"
const ROLE = "arn:aws:iam::111122223333:role/shop-deploy"
const MOST_SECONDS = 15 * 60

/** What cannot be measured on a machine without the vendors: longer than their documentation and experience say. */
const WAITS: readonly (readonly [string, number])[] = [
  ["waiting: download, attestation, npm", 40],
  ["waiting: login at Cloudflare in a browser", 30],
  ["waiting: deployment, and the new host name", 75],
  ["waiting: the job's runner starts", 30],
]

/** The commands of a kind of block of the page. */
const blocks = (info: string) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${info}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text = ""]) => text.trim())

/** What a person says to the questions of the page's table. */
const ANSWERS = [...(/^\| it asks \|[\s\S]*?\n\n/m.exec(PAGE)?.[0] ?? "").matchAll(/^\| [A-Z].* \| (.*) \|$/gm)].map(
  ([, answer = ""]) => answer.replaceAll("`", ""),
)

interface Screen {
  readonly screen: string
  readonly code: number
  readonly typed: number
  readonly left: number
}

/** Runs a command of the page at a pseudo terminal. */
async function atTerminal(
  desk: Desk,
  command: string,
  answers: readonly (readonly [string, string])[],
  env: Readonly<Record<string, string>>,
) {
  const script = { command: ["sh", "-c", command], answers }
  const python = `python3 '${join(ROOT, "test/interop/walk/terminal.py")}'`
  const { said, code } = await desk.shell(python, env, JSON.stringify(script))
  assert.equal(code, 0, said)
  return JSON.parse(said) as Screen
}

/** The way from the README to a job's credentials, by the pages' own commands, at a pseudo terminal, under a clock. */
export async function walkCase(_programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const [desk, github, sts] = await Promise.all([openDesk(), startGitHub(), startSts()])
  ends.defer(() => desk.close())
  ends.defer(() => github.close())
  ends.defer(() => sts.close())
  const token = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
  const api = await startServer(
    async (request, response) => {
      const isKnown = request.url === "/api/v3/repos/acme/shop" && request.headers.authorization === `Bearer ${token}`
      const body = { id: 41, full_name: "acme/shop", default_branch: "main", owner: { id: 9001, login: "acme" } }
      response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" })
      response.end(JSON.stringify(isKnown ? body : { message: "Not Found" }))
    },
    (fault) => assert.fail(String(fault)),
  )
  ends.defer(() => api.close())
  const url = `http://127.0.0.1:${await freePort()}`
  const env = { GITHUB_API_URL: `${api.url}/api/v3`, TERM: "xterm-256color" }
  // `gh` as it is on the reader's machine: signed in.
  writeFileSync(join(desk.folder, "tools/gh"), `#!/bin/sh\n[ "$*" = "auth token" ] && echo ${token}\n`, { mode: 0o755 })
  const [init = ""] = blocks("sh init")
  const place: (readonly [string, string])[] = [
    ["Where does the broker run", "2\r"],
    ["public URL", `${url}\r`],
  ]
  const answers: (readonly [string, string])[] = [
    ...place,
    ["OWNER/REPO", "acme/shop\r"],
    ["environment of the job", "\r"],
    ["Which credential first", "\r"],
    ["AWS account id", "111122223333\r"],
    ["AWS region", "eu-west-1\r"],
    ["IAM role", "shop-deploy\r"],
  ]
  const legs: Leg[] = []

  await check("Ctrl-C at each question of a terminal ends init with 130, and leaves nothing", async () => {
    for (const count of [0, 3, answers.length - 1]) {
      const keys = [...answers.slice(0, count), [answers[count]?.[0] ?? "", "\u0003"] as const]
      const { code, screen } = await atTerminal(desk, init, keys, env)
      assert.equal(code, 130, screen)
      assert.match(screen, /stopped\. What is done stays done/)
      assert.equal(existsSync(join(desk.folder, "policies")), false)
    }
  })

  let workflow = ""
  await check("init leads a person at a terminal to a policy and a workflow", async () => {
    const { code, screen, left } = await atTerminal(desk, init, answers, env)
    assert.deepEqual([code, left], [0, 0], screen)
    workflow = screen.slice(screen.indexOf("name: deploy"), screen.indexOf("\nLeft to do:"))
    legs.push({
      what: "reading: what init says",
      words: wordsOf(screen.slice(screen.indexOf("done  "))),
      characters: 0,
      waitSeconds: 0,
    })
    assert.match(
      readFileSync(join(desk.folder, "policies/acme/shop/production.yaml"), "utf8"),
      new RegExp(`repository_id: "41"[\\s\\S]*role: ${ROLE}`),
    )
  })

  await check("the page's command starts the broker, and init finds nothing to mend", async () => {
    // The stand-ins are at other addresses than GitHub and AWS.
    const organisation = join(desk.folder, "policies/daypass.yaml")
    const text = readFileSync(organisation, "utf8")
    writeFileSync(
      organisation,
      text.replace(/^( +url: ).*$/m, `$1${github.issuer}`).replace(/^( +)region: .*$/m, `$&\n$1endpoint: ${sts.url}`),
    )
    const [serve = ""] = blocks("sh serve")
    ends.defer(await startBroker(desk, here(serve, url)))
    const { code, screen } = await atTerminal(desk, init, place, env)
    assert.equal(code, 0, screen)
    assert.match(screen, /Nothing to fix\.[\s\S]*answers, and its policies are those of policies/)
  })

  await check("a job gets AWS credentials with the workflow that init printed", async () => {
    const [trust = ""] = blocks("sh trust")
    const { said } = await desk.shell(here(trust, url), env)
    const policy = JSON.parse(/--assume-role-policy-document '(.*)'$/m.exec(said)?.[1] ?? "null")
    const { Action, Condition } = policy.Statement[0]
    const claim = (name: string): string => Condition.StringEquals[`${url.replace("http://", "")}:${name}`]
    sts.addRole({
      arn: ROLE,
      issuer: url,
      audiences: [claim("aud")],
      subject: { StringEquals: [claim("sub")] },
      tagSession: Action.includes("sts:TagSession"),
    })
    const [asked] = parse(workflow).jobs.deploy.steps
    await jobGets(github, asked.with)
  })

  await check(
    `a person gets there in ${MOST_SECONDS / 60} minutes, at ${PACE.wordsPerMinute} words and ${PACE.charactersPerMinute} characters a minute`,
    () => {
      const typed = [...blocks("sh network"), ...blocks("sh init"), ...blocks("sh trust")]
      legs.unshift(
        {
          what: "reading: README to the quick start",
          words: wordsOf(README.slice(0, README.indexOf("\n## How it works"))),
          characters: 0,
          waitSeconds: 0,
        },
        { what: "reading: get-started", words: wordsOf(PAGE), characters: 0, waitSeconds: 0 },
        { what: "typing: the page's commands", words: 0, characters: typed.join("\n").length, waitSeconds: 0 },
        { what: "typing: the answers to init", words: 0, characters: ANSWERS.join("\n").length, waitSeconds: 0 },
      )
      legs.push(...WAITS.map(([what, waitSeconds]) => ({ what, words: 0, characters: 0, waitSeconds })))
      const seconds = legs.reduce((all, leg) => all + secondsOf(leg), 0)
      console.log(`\n${tableOf(legs)}\n`)
      assert.ok(ANSWERS.length >= 8, "the page has its table of questions")
      assert.ok(seconds < MOST_SECONDS, `${Math.round(seconds)} s`)
    },
  )
}

/** A command of the page, at the place of this run. */
const here = (command: string, url: string) =>
  command
    .replaceAll(URL_OF_PAGE, url)
    .replaceAll("http://127.0.0.1:8787", url)
    .replace("--port 8787", `--port ${new URL(url).port}`)

async function startBroker(desk: Desk, command: string): Promise<() => Promise<void>> {
  const node = join(ROOT, "node_modules/.bin/node")
  const [, ...args] = command.split(" ")
  const child = spawn(node, [join(ROOT, "cli/bin.js"), ...args], {
    cwd: desk.folder,
    stdio: "ignore",
    env: { PATH: process.env["PATH"], HOME: desk.folder },
  })
  const url = args[args.indexOf("--url") + 1] ?? ""
  for (let look = 0; look < 200; look++) {
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`)
    if ((await fetch(`${url}/healthz`).catch(() => null))?.ok) break
    await sleep(100)
  }
  return async () => {
    child.kill("SIGTERM")
    if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve))
  }
}

/** Runs the built action as the workflow asks for it, as a job on GitHub. */
async function jobGets(github: GitHub, inputs: Readonly<Record<string, string>>): Promise<void> {
  const { requestUrl: url, requestToken } = github.job(DEPLOYMENT)
  const run = await runAction({ entry: "main", inputs, idToken: { url, requestToken } })
  assert.equal(run.exitCode, 0, run.log)
  assert.match(run.log, /Got aws-deploy, until /)
  assert.match(run.env["AWS_ACCESS_KEY_ID"] ?? "", /^ASIA/)
}
