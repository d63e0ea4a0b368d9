import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { AWS } from "../../action/story.ts"
import { builtCli } from "../../support/built-cli.ts"
import { COMPILE_CACHE } from "../../support/compile-cache.ts"
import { actionNode } from "../../support/runner.ts"
import { type Expected, exchangeAnswer, type ScriptedBroker, scriptedBroker } from "../../support/scripted-broker.ts"

const ends: (() => void)[] = []

/** For the end of a test file, which shares this module with others: removes its folders. */
export function endJobs(): void {
  for (const end of ends.splice(0)) end()
}

/** A new folder, which goes with `endJobs`. */
export function makeFolder(name = "daypass exec-"): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), name)))
  ends.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Job {
  /** Of the CI. Nothing of the caller's own environment reaches the command but PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** A folder of programs that come before those of PATH. */
  readonly programs?: string
  readonly input?: string
  readonly cwd?: string
  readonly node?: string
  /** Called with all of both streams so far, whenever there is more. */
  readonly watch?: (said: string, send: (signal: NodeJS.Signals) => void) => void
}

export interface JobRun {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
  /** What is left in the folder for temporary files. */
  readonly left: readonly string[]
}

/** Runs the built command line in a job. */
export async function runJob(args: readonly string[], job: Job = {}): Promise<JobRun> {
  const command = await builtCli()
  const home = makeFolder()
  const temp = join(home, "temp")
  mkdirSync(temp)
  const path = [job.programs, process.env["PATH"]].filter((one) => one !== undefined).join(delimiter)
  const env = { PATH: path, HOME: home, TMPDIR: temp, CI: "true", ...COMPILE_CACHE, ...job.env }
  return new Promise((resolve, reject) => {
    const child = spawn(job.node ?? actionNode(), [command, ...args], {
      cwd: job.cwd ?? home,
      env,
      stdio: "pipe",
      timeout: 120_000,
    })
    let [out, err] = ["", ""]
    const said = () => job.watch?.(out + err, (signal) => void child.kill(signal))
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
      said()
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text
      said()
    })
    child.stdin.on("error", () => {}).end(job.input ?? "")
    child.once("error", reject)
    child.once("close", (code, signal) => resolve({ code, signal, out, err, left: readdirSync(temp) }))
  })
}

/** A folder with programs of a CI. Each is a Node program that sees its arguments as `args` and the environment as usual. */
export function makePrograms(programs: Readonly<Record<string, string>>): string {
  const folder = makeFolder("daypass-programs-")
  for (const [name, script] of Object.entries(programs)) {
    const path = join(folder, name)
    const body = `const args = process.argv.slice(2)\nconst refuse = (why) => { console.error(why); process.exit(64) }\n${script}`
    writeFileSync(path, `#!${actionNode()}\n${body}\n`)
    chmodSync(path, 0o755)
  }
  return folder
}

/** A script of a broker for the command line. Throws when a request is missing or is not in the script. */
export async function withBroker<Value>(
  script: readonly Expected[],
  act: (broker: ScriptedBroker) => Promise<Value>,
  options: { readonly audience?: string } = {},
): Promise<Value> {
  const broker = await scriptedBroker(script, { userAgent: "daypass-cli", ...options })
  try {
    const value = await act(broker)
    const faults = broker.faults()
    if (faults.length > 0) throw new Error(`not as scripted: ${faults.join("; ")}\n${JSON.stringify(value, null, 1)}`)
    return value
  } finally {
    await broker.close()
  }
}

/** The exchange of a job whose one token is proved, call by call. */
export const proved = (
  credentials: Parameters<typeof exchangeAnswer>[0] = { "aws-deploy": AWS },
  times: Parameters<typeof exchangeAnswer>[1] = {},
): Expected => ({ on: "exchange", reply: { sealed: exchangeAnswer(credentials, times) } })

/** The end of its lease. */
export const ended: Expected = {
  on: "revoke",
  reply: { status: 200, body: { lease: "lease-1", credentials: {} } },
}

/** The variables of a job of GitHub Actions. */
export const githubJob = ({ idToken }: ScriptedBroker) => ({
  GITHUB_ACTIONS: "true",
  ACTIONS_ID_TOKEN_REQUEST_URL: idToken.url,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: idToken.requestToken,
})
