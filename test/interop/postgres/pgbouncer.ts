import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../../support/servers.ts"
import { startProgram } from "../program.ts"
import { installPgBouncer } from "../tools.ts"

const NOBODY = { uid: 65_534, gid: 65_534 }

export interface Pooler {
  readonly port: number
  close(): Promise<void>
}

/** Debian's PgBouncer in front of a database, in transaction mode: each transaction may get another server process. */
export async function startPgBouncer(database: URL): Promise<Pooler> {
  await installPgBouncer()
  const port = await freePort()
  const as = process.getuid?.() === 0 ? NOBODY : undefined
  const folder = mkdtempSync(join(tmpdir(), "daypass-pgbouncer-"))
  const users = join(folder, "users.txt")
  const settings = join(folder, "pgbouncer.ini")
  writeFileSync(users, `"${database.username}" "${database.password}"\n`)
  writeFileSync(
    settings,
    `[databases]
* = host=127.0.0.1 port=${database.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
`,
  )
  if (as) for (const path of [folder, users, settings]) chownSync(path, as.uid, as.gid)
  const program = await startProgram("pgbouncer", ["-q", settings], {
    cwd: folder,
    ...(as && { as }),
    env: { PATH: "/usr/sbin:/usr/bin:/bin" },
    isReady: () =>
      new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => {
          socket.destroy()
          resolve(true)
        })
        socket.on("error", () => resolve(false))
      }),
  })
  return {
    port,
    async close() {
      await program.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
