import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { type CliRun, runCli } from "./cli.ts"

/** Writes `text` to a file and lets `daypass audit verify` judge it. */
export function verifyTrail(folder: string, name: string, text: string): Promise<CliRun> {
  writeFileSync(join(folder, name), text)
  return runCli(["audit", "verify", name], { folder })
}
