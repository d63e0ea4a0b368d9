import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { startServer } from "../servers.ts"
import { no, type Route, yes } from "./route.ts"

/** A run and the places of its logs, one for each attempt; empty when they are deleted or too old. */
export interface RunLogs {
  readonly status: "in_progress" | "completed"
  logs: readonly string[]
  readonly attempts: number
}

/** Where GitHub keeps logs: another server, by addresses that are good for a minute. */
export interface LogStorage {
  /** Keeps the logs of an attempt, by the names of their files. Returns the signed address. */
  keep(files: Readonly<Record<string, string>>): string
  /** What was asked there that no client has a reason to ask, such as anything with GitHub's token. */
  readonly unexpected: readonly string[]
  close(): Promise<void>
}

/** Refuses whoever brings a token, as Azure's storage does with a signed address. */
export async function startLogStorage(): Promise<LogStorage> {
  const kept = new Map<string, Buffer>()
  const unexpected: string[] = []
  const server = await startServer(
    async ({ method, url = "", headers }, response) => {
      const archive = kept.get(url)
      if (method !== "GET" || archive === undefined || headers.authorization !== undefined) {
        unexpected.push(`${method} ${archive === undefined ? "an unknown address" : "with a token"}`)
        response.writeHead(headers.authorization === undefined ? 404 : 400).end()
        return
      }
      response.writeHead(200, { "content-type": "application/zip" }).end(archive)
    },
    (fault) => unexpected.push(String(fault)),
  )
  return {
    keep(files) {
      const path = `/logs/${randomBytes(8).toString("hex")}?sig=${randomBytes(16).toString("hex")}`
      kept.set(path, zipOf(files))
      return `${server.url}${path}`
    },
    unexpected,
    close: () => server.close(),
  }
}

/** By the system's own `zip`, to a pipe: so sizes come after the data, as GitHub writes them. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "daypass-logs-"))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    execFileSync("sh", ["-c", 'zip -q - "$@" | cat > "$0"', "logs.zip", ...Object.keys(files)], { cwd: folder })
    return readFileSync(join(folder, "logs.zip"))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The runs of a repository, and their logs. */
export const RUN_LOG_ROUTES: readonly Route[] = [
  {
    as: "installation",
    method: "GET",
    permission: "actions",
    path: /^\/repositories\/([0-9]+)\/actions\/runs\/([0-9]+)$/,
    answer([, run = ""], { runLogs, fullName }) {
      const found = runLogs.get(run)
      const of = { id: Number(run), status: found?.status, run_attempt: found?.attempts }
      return found === undefined ? null : yes({ ...of, repository: { full_name: fullName } })
    },
  },
  {
    as: "installation",
    method: "GET",
    permission: "actions",
    path: /^\/repositories\/([0-9]+)\/actions\/runs\/([0-9]+)\/attempts\/([0-9]+)\/logs$/,
    answer([, run = "", attempt], { runLogs }) {
      const location = runLogs.get(run)?.logs[Number(attempt) - 1]
      return location === undefined ? null : { status: 302, body: undefined, location }
    },
  },
  {
    as: "installation",
    method: "DELETE",
    permission: "actions",
    path: /^\/repositories\/([0-9]+)\/actions\/runs\/([0-9]+)\/logs$/,
    answer([, run = ""], { runLogs }) {
      const found = runLogs.get(run)
      if (found === undefined) return null
      if (found.status !== "completed") return no(403, "Cannot delete logs of a run that is in progress")
      found.logs = []
      return { status: 204, body: undefined }
    },
  },
]
