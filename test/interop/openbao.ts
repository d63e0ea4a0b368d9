import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../support/servers.ts"
import { runCommand } from "./command.ts"
import { answers, startProgram } from "./program.ts"

export interface OpenBao {
  readonly url: string
  /** Asks as its administrator. Answers the status, and the answer's `data`. */
  ask(
    method: "GET" | "POST" | "LIST",
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly data: unknown }>
  /** As `ask`, for what must work. @throws when it does not */
  set(path: string, body: unknown): Promise<void>
  /** Runs its command line as a job does, with that job's variables. */
  cli(args: readonly string[], env: Readonly<Record<string, string>>): ReturnType<typeof runCommand>
  close(): Promise<void>
}

const CLI_TIMEOUT_MS = 20_000

/** Starts OpenBao, which has Vault's API: in memory, unsealed, with a KV engine of version 2 at `secret`. */
export async function startOpenBao(programs: string): Promise<OpenBao> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const token = randomBytes(18).toString("base64url")
  const home = mkdtempSync(join(tmpdir(), "daypass-openbao-"))
  const bao = join(programs, "bao")
  const clean = { PATH: process.env["PATH"] ?? "", HOME: home }
  const args = ["server", "-dev", "-dev-no-store-token", `-dev-listen-address=127.0.0.1:${port}`]
  const server = await startProgram(bao, args, {
    env: { ...clean, BAO_DEV_ROOT_TOKEN_ID: token },
    isReady: () => answers(`${url}/v1/sys/health`),
  })

  const ask: OpenBao["ask"] = async (method, path, body) => {
    const response = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { "X-Vault-Request": "true", "X-Vault-Token": token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, data: text === "" ? null : (JSON.parse(text) as { data?: unknown }).data }
  }

  return {
    url,
    ask,
    async set(path, body) {
      const { status } = await ask("POST", path, body)
      if (status >= 300) throw new Error(`OpenBao answers ${status} to ${path}`)
    },
    cli: (command, env) => runCommand(bao, command, { env: { ...clean, ...env }, timeoutMs: CLI_TIMEOUT_MS }),
    async close() {
      await server.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
