// `npm test`: types, lint, and both suites of tests, side by side. What each writes is shown whole when it has ended.
import { spawn } from "node:child_process"
import { styleText } from "node:util"

interface Ended {
  readonly name: string
  readonly code: number
  readonly seconds: number
  readonly output: string
}

/** npm scripts. The suites come first: they take longest, and wait for other processes most. */
const SCRIPTS = ["test:node", "test:workerd", "types", "lint"]

/**
 * TypeScript's compiler is a program of Go. A third of its time goes into collecting garbage, of a process that ends soon: it is
 * left until the process has this much memory.
 */
const RARELY_COLLECTING = { GOGC: "off", GOMEMLIMIT: "2GiB" }

const children = new Set<ReturnType<typeof spawn>>()
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal)
    process.exitCode = 1
  })
}

function run(name: string): Promise<Ended> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...(name === "types" && RARELY_COLLECTING) }
    const child = spawn("npm", ["run", "--silent", name], { stdio: ["ignore", "pipe", "pipe"], env })
    children.add(child)
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text
      })
    }
    child.once("error", reject)
    child.once("close", (code) => {
      children.delete(child)
      resolve({ name, code: code ?? 1, seconds: (performance.now() - started) / 1000, output })
    })
  })
}

/** Shown on a terminal and in a log alike: the colours of the tools do not come through a pipe. */
function show({ name, output }: Ended): void {
  console.log(`\n${styleText("bold", `=== npm run ${name}`)}\n${output.trimEnd()}`)
}

const ended = await Promise.all(
  SCRIPTS.map(async (name) => {
    const one = await run(name)
    show(one)
    return one
  }),
)

/** The last line of each suite's report, written by `support/reporter.ts`. */
const counts = ended.flatMap(({ output }) => [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)])
const sum = (group: 1 | 2) => counts.reduce((total, match) => total + Number(match[group]), 0)
const failed = ended.filter(({ code }) => code !== 0)

console.log(`\n${styleText("bold", "=== npm test")}`)
for (const { name, code, seconds } of ended)
  console.log(`${(code === 0 ? "ok" : "FAILED").padEnd(8)}${seconds.toFixed(1).padStart(7)} s  ${name}`)
console.log(`\n${sum(1)} passed, ${sum(2)} failed`)
process.exitCode = failed.length === 0 && counts.length === 2 ? 0 : 1
