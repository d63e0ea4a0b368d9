import { spawnSync } from "node:child_process"

/** What a program took from spawn to exit, of all its threads. */
export interface Spent {
  readonly ms: number
  readonly cpu_ms: number
  readonly rss_mb: number
}

/** Says at the program's end what it took, on a line of standard error. */
const TELLING = `process.on("exit", () => {
  const { user, system } = process.cpuUsage()
  const spent = { cpu_ms: (user + system) / 1000, rss_mb: process.resourceUsage().maxRSS / 1024 }
  process._rawDebug("spent " + JSON.stringify(spent))
})`

/** Runs Node with these arguments to its end. @throws {Error} unless it ends with one of `codes` */
export function spent(
  args: readonly string[],
  options: {
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string>>
    readonly codes?: readonly number[]
  },
): Spent {
  const { codes = [0], ...where } = options
  const from = performance.now()
  const preload = ["--import", `data:text/javascript,${encodeURIComponent(TELLING)}`]
  const { status, stderr } = spawnSync(process.execPath, [...preload, ...args], {
    ...where,
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  })
  const ms = performance.now() - from
  const said = /^spent (.*)$/m.exec(stderr)?.[1]
  if (!codes.includes(status ?? -1) || said === undefined) throw new Error(`${args[0]} ended with ${status}: ${stderr}`)
  return { ms, ...(JSON.parse(said) as Omit<Spent, "ms">) }
}

/** The run with the least processor time: whatever else the machine does can only add to it. */
export const least = (runs: readonly Spent[]): Spent =>
  runs.reduce((best, run) => (run.cpu_ms < best.cpu_ms ? run : best))
