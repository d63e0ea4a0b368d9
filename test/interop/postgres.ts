import { randomBytes } from "node:crypto"
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../support/servers.ts"
import { runCommand } from "./command.ts"
import { startProgram } from "./program.ts"
import { installPostgres } from "./tools.ts"

/** A database and its administrator, on loopback. */
export interface Postgres {
  readonly port: number
  readonly user: string
  readonly password: string
  /** What a query answers, columns apart by `|`; null when the server lets the user not in, or the query fails. */
  query(sql: string, as?: { readonly user: string; readonly password: string }): Promise<string | null>
  close(): Promise<void>
}

const INIT_TIMEOUT_MS = 60_000
const QUERY_TIMEOUT_MS = 10_000
/** `nobody` on every Linux. */
const NOBODY = { uid: 65_534, gid: 65_534 }

/**
 * Starts a PostgreSQL of the system's packages, with a cluster of its own. Every connection needs a password
 * (scram-sha-256): what initdb sets up by itself would let in whoever asks, and a test of credentials would prove nothing.
 */
export async function startPostgres(): Promise<Postgres> {
  const programs = await installPostgres()
  const port = await freePort()
  const user = "postgres"
  const password = randomBytes(18).toString("base64url")
  // PostgreSQL refuses to run as root, which a container's user often is.
  const as = process.getuid?.() === 0 ? NOBODY : undefined
  const folder = mkdtempSync(join(tmpdir(), "daypass-postgres-"))
  const passwordFile = join(folder, "password")
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (as) for (const path of [folder, passwordFile]) chownSync(path, as.uid, as.gid)
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C" }
  const options = { cwd: folder, env, ...(as && { as }) }
  const data = join(folder, "data")

  const query: Postgres["query"] = async (sql, who = { user, password }) => {
    const args = [
      "-h",
      "127.0.0.1",
      "-p",
      `${port}`,
      "-U",
      who.user,
      "-d",
      "postgres",
      "-X",
      "-A",
      "-t",
      "-w",
      "-c",
      sql,
    ]
    const { exitCode, output } = await runCommand(join(programs, "psql"), args, {
      env: { ...env, PGPASSWORD: who.password, PGCONNECT_TIMEOUT: "5" },
      timeoutMs: QUERY_TIMEOUT_MS,
    })
    return exitCode === 0 ? output.trim() : null
  }

  const init = ["-D", data, "-U", user, "--auth=scram-sha-256", `--pwfile=${passwordFile}`, "--no-sync"]
  const made = await runCommand(join(programs, "initdb"), init, { ...options, timeoutMs: INIT_TIMEOUT_MS })
  if (made.exitCode !== 0) throw new Error(`initdb ended with ${made.exitCode}:\n${made.output}`)
  const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`, "fsync=off"]
  const args = ["-D", data, "-p", `${port}`, ...settings.flatMap((setting) => ["-c", setting])]
  const server = await startProgram(join(programs, "postgres"), args, {
    ...options,
    isReady: async () => (await query("select 1")) === "1",
  })
  return {
    port,
    user,
    password,
    query,
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
