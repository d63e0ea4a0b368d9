import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { deployment, ROLE, SUBJECT, writePolicies } from "../support/acme.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Sts, startSts } from "../support/sts.ts"
import { runCommand } from "./command.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
/** It only ends what hangs. */
const ACT_TIMEOUT_MS = 120_000
const LOG_TIMEOUT_MS = 10_000
const OPTIONS = ["-P", "ubuntu-latest=-self-hosted", "--action-offline-mode", "--no-cache-server", "--pull=false"]

/** A broker, and what it and its jobs need, for repositories whose workflows `act` runs. */
export interface ActWorld {
  readonly github: GitHub
  readonly sts: Sts
  readonly broker: NodeBroker
  /** Commits these files to a new repository, with the built action in `.github/actions/daypass`. Returns its folder. */
  repository(name: string, files: Readonly<Record<string, string>>): Promise<string>
  /** Runs the repository's workflow as a push to `ref`. `watch` gets all of the log so far, and can send a signal to act. */
  act(
    repository: string,
    job: { readonly runId: string; readonly ref?: string },
    watch?: (log: string, send: (signal: NodeJS.Signals) => void) => void,
  ): Promise<{ readonly exitCode: number | null; readonly log: string }>
  /** The broker's own log of what a job asked, in order; waits until these many lines have come. */
  asked(runId: string, route: "exchange" | "revoke", count: number): Promise<readonly Asked[]>
}

interface Asked {
  readonly lease: string
  readonly status: number
}

export async function startActWorld(programs: string, ends: AsyncDisposableStack): Promise<ActWorld> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-act-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const sts = ends.adopt(await startSts(), (it) => it.close())
  const policies = join(folder, "policies")
  writePolicies(policies, { issuer: github.issuer, sts: sts.url })
  const broker = await startNodeBroker({ policies })
  ends.defer(async () => void (await broker.stop()))
  const trust = { issuer: broker.url, audiences: ["sts.amazonaws.com"], subject: { StringEquals: SUBJECT } }
  sts.addRole({ arn: ROLE, ...trust, tagSession: true })
  return {
    github,
    sts,
    broker,
    async repository(name, files) {
      const repository = join(folder, name)
      writeRepository(repository, files)
      await commit(repository)
      return repository
    },
    act(repository, { runId, ref = "refs/heads/main" }, watch) {
      const { env } = github.job(deployment(ref, runId))
      return runAct(join(programs, "act"), { repository, home: join(folder, "home"), variables: env }, watch)
    },
    async asked(runId, route, count) {
      const marks = [`"route":"${route}"`, `"run_id":"${runId}"`]
      const deadline = Date.now() + LOG_TIMEOUT_MS
      for (;;) {
        const lines = broker.stdout().split("\n").slice(0, -1)
        const found = lines.filter((line) => marks.every((mark) => line.includes(mark)))
        if (found.length >= count || Date.now() > deadline) return found.map((line) => JSON.parse(line) as Asked)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

/**
 * Nothing is fetched from anywhere: a step of `actions/checkout` is what makes act copy the repository, which it does without
 * the action of that name.
 */
function writeRepository(repository: string, files: Readonly<Record<string, string>>): void {
  const action = join(repository, ".github/actions/daypass")
  mkdirSync(join(action, "action"), { recursive: true })
  cpSync(join(ROOT, "action.yml"), join(action, "action.yml"))
  cpSync(join(ROOT, "action/dist"), join(action, "action/dist"), { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true })
    writeFileSync(join(repository, path), text)
  }
}

async function commit(repository: string): Promise<void> {
  const identity = ["-c", "user.name=Acme", "-c", "user.email=acme@example.com"]
  for (const args of [
    ["init", "-q", "-b", "main"],
    ["add", "."],
    ["commit", "-q", "-m", "Deploy"],
  ]) {
    const { exitCode, output } = await runCommand("git", [...identity, ...args], { cwd: repository, timeoutMs: 30_000 })
    if (exitCode !== 0) throw new Error(`git ${args[0]} failed: ${output}`)
  }
}

function runAct(
  program: string,
  at: { readonly repository: string; readonly home: string; readonly variables: Readonly<Record<string, string>> },
  watch: Parameters<ActWorld["act"]>[2],
): ReturnType<ActWorld["act"]> {
  mkdirSync(at.home, { recursive: true })
  const variables = Object.entries(at.variables).flatMap(([name, value]) => ["--env", `${name}=${value}`])
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["push", ...OPTIONS, ...variables], {
      cwd: at.repository,
      // A home of its own: no settings, no cache and no first-run question of whoever runs this.
      env: {
        PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
        HOME: at.home,
        XDG_CACHE_HOME: join(at.home, "cache"),
        XDG_CONFIG_HOME: join(at.home, "config"),
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: ACT_TIMEOUT_MS,
    })
    let log = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        log += chunk
        watch?.(log, (signal) => child.kill(signal))
      })
    }
    child.once("error", reject)
    child.once("close", (exitCode) => resolve({ exitCode, log }))
  })
}

/** A workflow with one job of these steps. */
export const workflow = (steps: string) => ({
  ".github/workflows/deploy.yml": `on: push
permissions:
  id-token: write
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
${steps.trim().replace(/^(?=.)/gm, "      ")}
`,
})
