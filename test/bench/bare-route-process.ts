import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Arm } from "./race.ts"
import type { Bench } from "./section.ts"

export const BARE_AUDIENCE = "https://bare.example"

/** Starts the bare route of bare-route.ts. Ends with the section. */
export async function startBareRoute(
  { ends, issuer }: Pick<Bench, "ends" | "issuer">,
  ...journal: readonly "wal"[]
): Promise<Pick<Arm, "url" | "pids">> {
  const script = fileURLToPath(new URL("bare-route.ts", import.meta.url))
  const child = spawn(process.execPath, [script, issuer.issuer, BARE_AUDIENCE, ...journal], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  ends.defer(() => void child.kill("SIGTERM"))
  const port = await new Promise<string>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the bare route ended with ${code}`)))
    child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()))
  })
  return { url: `http://127.0.0.1:${port}`, pids: [child.pid ?? 0] }
}
