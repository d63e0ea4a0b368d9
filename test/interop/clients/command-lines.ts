import { readFileSync } from "node:fs"
import { join } from "node:path"
import { installGoClients, installNodeClients } from "./install.ts"
import type { Settings, Told } from "./vendor.ts"

/** Where the clients of each language are. */
export interface Clients {
  readonly programs: string
  readonly node: string
  readonly go: string
}

export const installClients = async (programs: string): Promise<Clients> => ({
  programs,
  node: await installNodeClients(),
  go: await installGoClients(programs),
})

/** The program and the arguments of a client: `NAME.py`, `NAME.mjs`, or the name of one for Go. */
export function commandLine(
  clients: Clients,
  client: string,
  settings: Settings,
): readonly [string, readonly string[]] {
  const told = JSON.stringify(settings)
  if (client.endsWith(".py")) return [join(clients.programs, "python"), [join(clients.node, client), told]]
  if (client.endsWith(".mjs")) return [process.execPath, [join(clients.node, client), told]]
  return [clients.go, [client, told]]
}

/**
 * A line of shell that starts a client beside others. What it tells goes to the log, and to the file at `path`. `before`: variables
 * that the line sets, as a workflow would.
 */
export function shellLine(
  clients: Clients,
  client: string,
  settings: Settings,
  { path, before = "" }: { readonly path: string; readonly before?: string },
): string {
  const [program, args] = commandLine(clients, client, settings)
  return `${before}${[program, ...args].map(quoted).join(" ")} 2>&1 | tee ${quoted(path)} &`
}

/** What a client wrote to its file. */
export function toldIn(path: string): Told {
  const text = readFileSync(path, "utf8")
  const line = text.split("\n").findLast((one) => one.startsWith("{"))
  if (line === undefined) throw new Error(`a client told nothing:\n${text}`)
  return JSON.parse(line) as Told
}

export const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
