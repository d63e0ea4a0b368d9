import { randomBytes } from "node:crypto"
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../support/servers.ts"
import { runCommand } from "./command.ts"
import { type RunningProgram, startProgram } from "./program.ts"
import { installPostgres } from "./tools.ts"

/** A database and its administrator, on loopback. */
export interface Postgres {
  readonly port: number
  readonly user: string
  readonly password: string
  /** The server's own folder. */
  readonly folder: string
  readonly data: string
  /** The URL of one of its databases, as its administrator. */
  url(database: string): string
  /** What a query answers, columns apart by `|`; null when the server lets the user not in, or the query fails. */
  query(sql: string, as?: { readonly user: string; readonly password: string }): Promise<string | null>
  /** Gives files that were put into its folder to the server's user. */
  own(): void
  /** Runs one of PostgreSQL's programs as the server's user. @throws when it does not end with 0 */
  run(program: string, args: readonly string[]): Promise<void>
  /** Ends the server: at once, as a crash does. */
  crash(): Promise<void>
  /** Starts it again. */
  start(): Promise<void>
  close(): Promise<void>
}

export interface PostgresOptions {
  /** `name=value`. A server that only answers need not flush: `fsync=off` when left out. */
  readonly settings?: readonly string[]
  /** Where its folder is made: where temporary files are, when left out. */
  readonly at?: string
  /** It follows this server, from a copy of it. */
  readonly standbyOf?: Postgres
}

const INIT_TIMEOUT_MS = 60_000
const QUERY_TIMEOUT_MS = 10_000
const STARTS = 40
const START_AGAIN_MS = 500
/** `nobody` on every Linux. */
const NOBODY = { uid: 65_534, gid: 65_534 }

/**
 * Starts a PostgreSQL of the system's packages, with a cluster of its own. Every connection needs a password
 * (scram-sha-256): what initdb sets up by itself would let in whoever asks, and a test of credentials would prove nothing.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const programs = await installPostgres()
  const port = await freePort()
  const user = "postgres"
  const password = options.standbyOf?.password ?? randomBytes(18).toString("base64url")
  // PostgreSQL refuses to run as root, which a container's user often is.
  const as = process.getuid?.() === 0 ? NOBODY : undefined
  const folder = mkdtempSync(join(options.at ?? tmpdir(), "daypass-postgres-"))
  const passwordFile = join(folder, "password")
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (as) for (const path of [folder, passwordFile]) chownSync(path, as.uid, as.gid)
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C" }
  const place = { cwd: folder, env, ...(as && { as }) }
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

  const run: Postgres["run"] = async (program, args) => {
    const all = { ...place, env: { ...env, PGPASSWORD: password }, timeoutMs: INIT_TIMEOUT_MS }
    const { exitCode, output } = await runCommand(join(programs, program), args, all)
    if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}:\n${output}`)
  }

  if (options.standbyOf) {
    const from = ["-h", "127.0.0.1", "-p", `${options.standbyOf.port}`, "-U", user]
    await run("pg_basebackup", ["-D", data, ...from, "-R", "-c", "fast", "--no-sync"])
  } else {
    await run("initdb", ["-D", data, "-U", user, "--auth=scram-sha-256", `--pwfile=${passwordFile}`, "--no-sync"])
  }
  const own = [
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    ...(options.settings ?? ["fsync=off"]),
  ]
  const args = ["-D", data, "-p", `${port}`, ...own.flatMap((setting) => ["-c", setting])]
  let server: RunningProgram | null = null
  const isReady = async () => (await query("select 1")) === "1"
  // After a crash, PostgreSQL refuses to start while a process of the one before still holds its memory: on a busy machine that
  // takes seconds.
  const start = async () => {
    for (let tries = STARTS; server === null; tries--) {
      server = await startProgram(join(programs, "postgres"), args, { ...place, isReady }).catch(async (error) => {
        if (tries === 0) throw error
        await sleep(START_AGAIN_MS)
        return null
      })
    }
  }
  const crash = async () => {
    await server?.close()
    server = null
  }
  await start()
  return {
    port,
    user,
    password,
    folder,
    data,
    url: (database) => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`,
    query,
    own() {
      chmodSync(data, 0o700)
      if (!as) return
      chownSync(data, as.uid, as.gid)
      for (const path of readdirSync(data, { recursive: true })) chownSync(join(data, `${path}`), as.uid, as.gid)
    },
    run,
    crash,
    start,
    async close() {
      await crash()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
