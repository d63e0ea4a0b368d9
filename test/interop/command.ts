import { spawn } from "node:child_process"

export interface CommandOptions {
  readonly cwd?: string
  /** All that it gets; the caller's own when left out. */
  readonly env?: Readonly<Record<string, string>>
  /** Whom it runs as; the caller when left out. */
  readonly as?: { readonly uid: number; readonly gid: number }
  readonly timeoutMs: number
}

/** Runs a program without standard input to its end. `output` is what it wrote to both streams, as it came. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs,
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.env && { env: options.env }),
      ...options.as,
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk
      })
    }
    child.once("error", reject)
    child.once("close", (exitCode) => resolve({ exitCode, output }))
  })
}
