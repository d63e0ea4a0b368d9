import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startGitHub } from "../support/github.ts"
import { azureFederated } from "./clients/azure-federated.ts"
import { type Clients, commandLine, installClients } from "./clients/command-lines.ts"
import { googleFederated } from "./clients/google-federated.ts"
import { makeCertificate, type TestCertificate } from "./clients/tls-front.ts"
import type { Settings, Told } from "./clients/vendor.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

/** It only ends what hangs. */
const PROGRAM_TIMEOUT_MS = 60_000

/** Runs one client with these variables, and nothing of this process's own. */
export type RunClient = (client: string, settings: Settings, env: Readonly<Record<string, string>>) => Promise<Told>

/**
 * The two forms in which a job gets identity tokens for Google and Azure, with the libraries that read them: a configuration
 * of the type `external_account` whose source is a URL on loopback with a header, and a token file that is written anew. Each
 * library logs in, and gets the next token, by itself.
 */
export async function federatedCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-federated-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const certificate = await makeCertificate(programs, folder)
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const run = runner(await installClients(programs), folder, certificate)
  await Promise.all([
    googleFederated({ folder, github, certificate, run, check }),
    azureFederated({ folder, github, certificate, run, check }),
  ])
}

export interface FederatedWorld {
  readonly folder: string
  readonly github: Awaited<ReturnType<typeof startGitHub>>
  readonly certificate: TestCertificate
  readonly run: RunClient
  readonly check: Check
}

function runner(clients: Clients, folder: string, { authority }: TestCertificate): RunClient {
  return async (client, settings, more) => {
    const [program, args] = commandLine(clients, client, settings)
    const env = { HOME: folder, ...trustIn(authority), ...more }
    const { exitCode, output } = await runCommand(program, args, { cwd: folder, env, timeoutMs: PROGRAM_TIMEOUT_MS })
    const line = output.split("\n").findLast((one) => one.startsWith("{"))
    if (exitCode !== 0 || line === undefined) throw new Error(`${client} ended with ${exitCode}:\n${output}`)
    return JSON.parse(line) as Told
  }
}

/** Each language has its own way to trust another authority. */
export const trustIn = (authority: string) => ({
  NODE_EXTRA_CA_CERTS: authority,
  REQUESTS_CA_BUNDLE: authority,
  SSL_CERT_FILE: authority,
})
