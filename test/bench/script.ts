import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Arm } from "./race.ts"
import type { Bench } from "./section.ts"

/** A program of this folder that runs as a process of its own. */
export interface Script {
  readonly pid: number
  /** What it has printed first: where it is, mostly. */
  readonly said: string
}

/** Starts a program of this folder. Resolves when it has printed something; rejects when it ends before. Ends with the section. */
export async function startScript(
  { ends }: Pick<Bench, "ends">,
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Script> {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ["ignore", "pipe", "inherit"] })
  ends.defer(() => void child.kill("SIGTERM"))
  const said = await new Promise<string>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)))
    child.stdout.setEncoding("utf8").once("data", resolve)
  })
  return { pid: child.pid ?? 0, said: said.trim() }
}

export const BARE_AUDIENCE = "https://bare.example"

/** Starts the bare route of `bare-route.ts`. */
export const startBareRoute = (bench: Bench, ...journal: readonly "wal"[]) =>
  startRoute(bench, "bare-route.ts", [bench.issuer.issuer, BARE_AUDIENCE, ...journal])

/** Starts a program that prints the port on which it serves. */
export async function startRoute(
  bench: Pick<Bench, "ends">,
  ...script: readonly [name: string, args: readonly string[], env?: Readonly<Record<string, string>>]
): Promise<Pick<Arm, "url" | "pids">> {
  const { said, pid } = await startScript(bench, ...script)
  return { url: `http://127.0.0.1:${said}`, pids: [pid] }
}
