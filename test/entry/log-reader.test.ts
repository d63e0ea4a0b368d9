import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished } from "vitest"
import { writeFlowPolicies } from "../flow/policies.ts"
import { COMPILE_CACHE } from "../support/compile-cache.ts"
import { freePort } from "../support/servers.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

it("goes on serving when whatever reads its log is gone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-entry-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const policies = join(folder, "policies")
  writeFlowPolicies(policies, { issuer: "http://127.0.0.1:9", sts: "http://127.0.0.1:9" })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const settings = ["--policies", policies, "--data", join(folder, "data"), "--url", url, "--port", `${port}`]
  const broker = spawn(join(ROOT, "node_modules/.bin/node"), ["broker/entry/built.ts", ...settings], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...COMPILE_CACHE },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const ended = new Promise<number | null>((resolve) => broker.once("exit", resolve))
  onTestFinished(() => void broker.kill("SIGKILL"))
  await new Promise((resolve) => broker.stdout.once("data", resolve))
  broker.stdout.destroy()

  // Lines are gathered before they are written: so many requests that some of their lines have failed by the last of them.
  for (let index = 0; index < 500; index += 1) expect((await fetch(`${url}/healthz`)).status).toBe(200)
  broker.kill("SIGTERM")
  expect(await ended).toBe(0)
})
