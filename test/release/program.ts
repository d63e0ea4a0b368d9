import { type ChildProcess, spawn } from "node:child_process"

const START_TIMEOUT_MS = 60_000

export interface Serving {
  readonly url: string
  /** Asks it to stop, and resolves to its exit code and all that it wrote. */
  stop(): Promise<{ readonly code: number | null; readonly output: string }>
}

/** Starts a broker that was released, with nothing of this process's environment, and waits until it answers. */
export async function startProgram(
  [program = "", ...args]: readonly string[],
  { url, cwd, env }: { readonly url: string; readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Serving> {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  }
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve))
  const kill = () => void child.kill("SIGKILL")
  process.once("exit", kill)
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const code = await ended
    process.removeListener("exit", kill)
    return { code, output }
  }
  try {
    await untilHealthy(url, child)
  } catch (error) {
    throw new Error(`${program} did not serve: ${String(error)}\n${(await stop("SIGKILL")).output}`)
  }
  return { url, stop: () => stop("SIGTERM") }
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    const isHealthy = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isHealthy) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error("it did not answer in time")
}
