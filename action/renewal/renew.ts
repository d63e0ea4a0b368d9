import { dirname, join } from "node:path"
import type { RenewalSettings } from "../files/renewable.ts"
import { currentAnswer, RenewalError } from "./current.ts"
import { readKept } from "./kept-file.ts"

/** The longest life of this process. */
const WATCHDOG_MS = 55_000

/**
 * Prints one credential for an SDK in a later step: `credential_process` of AWS's configuration files
 * (docs.aws.amazon.com/sdkref: process credential provider), and the executable of Google's external accounts (AIP-4117). The
 * one argument is the path of its settings, which hold nothing secret.
 *
 * Standard output has the answer only. A failure is one line on standard error for AWS's SDKs, and a failed answer for
 * Google's libraries. What it gets it keeps in its folder, so most calls load little more than this file.
 */
async function main(path: string): Promise<void> {
  const settings = readSettings(path)
  setTimeout(() => {
    fail(settings, new RenewalError("broker_timeout", "The broker did not answer in time. Run the command again."))
    process.exit()
  }, WATCHDOG_MS).unref()
  try {
    if (settings === null) {
      throw new RenewalError(
        "lease_not_found",
        "The files of this credential are not here: its Daypass step has ended, or this is another machine or container.",
      )
    }
    const folder = dirname(path)
    const answer = await currentAnswer(folder, settings, async () => {
      const { renewGrant } = await import("./exchange.ts")
      return renewGrant(settings, join(dirname(folder), "leases"))
    })
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  } catch (thrown) {
    fail(settings, thrown)
  }
}

/** Prints the failure in the way of the one who asked. */
function fail(settings: RenewalSettings | null, thrown: unknown): void {
  const { code, message } = thrown instanceof RenewalError ? thrown : ofSystem(thrown)
  if (settings?.asker === "google") {
    process.stdout.write(`${JSON.stringify({ version: 1, success: false, code, message })}\n`)
    return
  }
  process.stderr.write(`Daypass: ${code}: ${message}\n`)
  process.exitCode = 1
}

/** Of other errors only the class and the code are kept: a message can hold anything. */
function ofSystem(thrown: unknown): RenewalError {
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : ""
  if (code.startsWith("E")) {
    return new RenewalError("runner_disk", `The folder of this credential cannot be read or written (${code}).`)
  }
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown
  return new RenewalError("unexpected", `Renewing this credential failed with ${kind}. Please report this.`)
}

function readSettings(path: string): RenewalSettings | null {
  const read = readKept(path)
  const { asker, grant, broker, audience, ttl, renewBelowMs } = (read ?? {}) as Readonly<Record<string, unknown>>
  if (asker !== "aws" && asker !== "google") return null
  if (typeof grant !== "string" || typeof broker !== "string" || typeof audience !== "string") return null
  if (typeof renewBelowMs !== "number" || (ttl !== undefined && typeof ttl !== "string")) return null
  return { asker, grant, broker, audience, renewBelowMs, ...(ttl !== undefined && { ttl }) }
}

void main(process.argv[2] ?? "")
