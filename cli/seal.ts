import { importAppKey } from "../broker/adapters/github/app-key.ts"
import { readConfig } from "../broker/config/config.ts"
import { Secret } from "../broker/core/secret.ts"
import { GITHUB_APP_KEY } from "../broker/signing/app-key.ts"
import { createSealer } from "../broker/signing/sealer.ts"
import { impossible, misused, readArguments } from "./arguments.ts"
import { type CliIo, EXIT } from "./io.ts"

const USAGE = `Usage: daypass seal < key.pem

Seals the private key of the broker's GitHub App under the deployment's key, for DAYPASS_GITHUB_APP_KEY: it then opens
in this deployment only. Reads DAYPASS_KEK, DAYPASS_URL and DAYPASS_DEPLOYMENT as the broker does, and the PEM from
standard input; prints the sealed key and nothing else.
Exit codes: 0 sealed, 2 the settings or the key cannot be used.`

const MAX_KEY_BYTES = 16 * 1024

/** `daypass seal`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, {}, io)
  if (typeof read === "number") return read
  if (read.positionals.length > 0) {
    return misused("seal reads the key from standard input, so that it stands in no list of processes", USAGE, io)
  }
  const config = readConfig({ ...io.env, DAYPASS_GITHUB_APP_ID: undefined, DAYPASS_GITHUB_APP_KEY: undefined })
  if (!config.ok) return impossible(config.fault.map(({ setting, message }) => `${setting}: ${message}`).join("\n"), io)
  const { kek, deployment } = config.value
  if (kek === undefined) return impossible("DAYPASS_KEK: set it to the deployment's key", io)

  const input = await io.readInput(MAX_KEY_BYTES)
  if (input === null) return impossible(`the key is longer than ${MAX_KEY_BYTES / 1024} KiB`, io)
  const key = new Secret(new TextDecoder().decode(input).trim())
  const imported = await importAppKey(key)
  if (!imported.ok) return impossible(`the key ${imported.fault}`, io)
  const sealer = await createSealer(kek, deployment)
  io.out(await sealer.seal(key, GITHUB_APP_KEY))
  return EXIT.ok
}
