import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { actionNode } from "../support/runner.ts"

const CLI = fileURLToPath(new URL("../../cli/bin.js", import.meta.url))

/** Writes `text` to a file and lets `daypass audit verify` judge it. */
export async function verifyTrail(
  folder: string,
  name: string,
  text: string,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  writeFileSync(join(folder, name), text)
  return new Promise((resolve, reject) => {
    const child = spawn(actionNode(), [CLI, "audit", "verify", name], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
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
