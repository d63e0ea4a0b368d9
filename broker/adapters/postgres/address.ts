import { readFileSync } from "node:fs"
import type { ConnectionOptions } from "node:tls"
import { fail, ok, type Result } from "../../core/result.ts"
import { Secret } from "../../core/secret.ts"
import { isLoopbackHost } from "../../core/url.ts"

/** Where a database is, and how to reach it. */
export interface DatabaseAddress {
  /** Tried in this order, until one is the primary. A host that begins with `/` is the folder of a Unix socket. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly database: string
  readonly user: string
  readonly password: Secret<string>
  /** False: the connection stays on this machine. */
  readonly tls: false | ConnectionOptions
  /** For logs and errors: hosts and database, never the user or the password. */
  readonly name: string
}

const PORT = 5432
const FORM = "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full"
const PARTS = /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]*)\/([^/?#]+)(?:\?([^#]*))?$/
const HOST = /^([^:[\]]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/
const SETTINGS: ReadonlySet<string> = new Set(["sslmode", "sslrootcert", "host"])

/**
 * Reads the URL of a database in the form of libpq, with one or several hosts. Its faults never quote the URL, because it may
 * have a password.
 *
 * TLS with a verified certificate is the default. `sslmode=require` encrypts without verifying whom it speaks to, as libpq
 * does. A connection without TLS is accepted to this machine only: whoever reads it could send every used token again.
 *
 * @param password what `PGPASSWORD` says; the one in the URL is preferred
 */
export function readDatabaseAddress(url: string, password: string | undefined): Result<DatabaseAddress, string> {
  const parts = PARTS.exec(url)
  if (!parts) return fail(`must be ${FORM}; in user and password, write special characters as %XX`)
  const [, user = "", ownPassword, authority = "", database = "", query = ""] = parts
  const settings = new URLSearchParams(query)
  for (const name of settings.keys()) {
    if (!SETTINGS.has(name)) return fail(`has a setting that is not known here; known are ${[...SETTINGS].join(", ")}`)
  }
  const hosts = readHosts(authority === "" ? (settings.get("host") ?? "") : authority)
  if (hosts === null) return fail(`must name a host: ${FORM}, or ?host=/FOLDER for a Unix socket`)
  try {
    const tls = readTls(hosts.every(isHere), settings)
    if (!tls.ok) return tls
    const names = hosts.map(({ host, port }) => (isSocket(host) ? host : `${host}:${port}`)).join(",")
    return ok({
      hosts,
      database: decodeURIComponent(database),
      user: decodeURIComponent(user) || "daypass",
      password: new Secret(ownPassword === undefined ? (password ?? "") : decodeURIComponent(ownPassword)),
      tls: tls.value,
      name: `${names}/${decodeURIComponent(database)}`,
    })
  } catch {
    return fail("has a % that is not followed by two hexadecimal digits: write it as %25")
  }
}

const PASSWORD = /^[a-z]+:\/\/[^@/?#]*:[^@/?#]+@/i

/** Why the URL of a command line's option is not taken; null when it may be. Every user of a machine can list its processes. */
export const optionFault = (option: string, url: string): string | null =>
  PASSWORD.test(url)
    ? `${option} has a password, which every user of this machine can read in the list of processes: set PGPASSWORD, or the whole URL as DAYPASS_STORE`
    : null

export const isSocket = (host: string): boolean => host.startsWith("/")

const isHere = ({ host }: { host: string }) => isSocket(host) || isLoopbackHost(host.includes(":") ? `[${host}]` : host)

function readHosts(text: string): DatabaseAddress["hosts"] | null {
  const hosts = text.split(",").map((one) => {
    if (isSocket(one)) return { host: one, port: PORT }
    const [, host = "", port = `${PORT}`] = HOST.exec(one) ?? []
    return { host: host.replace(/^\[|\]$/g, "").toLowerCase(), port: Number(port) }
  })
  return hosts.every(({ host, port }) => host !== "" && port > 0 && port < 65_536) ? hosts : null
}

function readTls(isLocal: boolean, settings: URLSearchParams): Result<DatabaseAddress["tls"], string> {
  const mode = settings.get("sslmode") ?? (isLocal ? "disable" : "verify-full")
  const file = settings.get("sslrootcert")
  let ca: string | undefined
  try {
    ca = file === null ? undefined : readFileSync(file, "utf8")
  } catch {
    return fail("names a file of certificates, sslrootcert, that cannot be read")
  }
  const trusted = ca === undefined ? {} : { ca }
  switch (mode) {
    case "verify-full":
      return ok(trusted)
    case "verify-ca":
      return ok({ ...trusted, checkServerIdentity: () => undefined })
    case "require":
      // With certificates of its own, libpq verifies them in this mode, too.
      return ok(ca === undefined ? { rejectUnauthorized: false } : { ca, checkServerIdentity: () => undefined })
    case "disable":
    case "allow":
    case "prefer":
      if (isLocal) return ok(false)
      return fail(
        `has sslmode=${mode}, which allows a connection without TLS to another machine: use sslmode=verify-full`,
      )
    default:
      return fail("has an sslmode that libpq does not know: use verify-full, verify-ca, require or disable")
  }
}
