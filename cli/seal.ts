import { webCryptography } from "../broker/adapters/web/cryptography.ts"
import { readConfig } from "../broker/config/config.ts"
import { Secret } from "../broker/core/secret.ts"
import { secretReference } from "../broker/core/secret-reference.ts"
import { importAppKey } from "../broker/github/app-key.ts"
import { GITHUB_APP_KEY } from "../broker/signing/app-key.ts"
import { connectionSecretContext } from "../broker/signing/connection-secrets.ts"
import { GITLAB_TOKEN } from "../broker/signing/gitlab-token.ts"
import { createSealer, type SealContext } from "../broker/signing/sealer.ts"
import { impossible, misused, readArguments } from "./arguments.ts"
import { type CliIo, EXIT } from "./io.ts"

const USAGE = `Usage: daypass seal [--for NAME] < secret

Encrypts a secret with the deployment's key, so that only this deployment can decrypt it. The secret is the private key of
the broker's GitHub App, for DAYPASS_GITHUB_APP_KEY; or, with --for, a secret that a connection names as env:NAME, or the
access token of DAYPASS_GITLAB_TOKEN. Reads DAYPASS_KEK, DAYPASS_URL and DAYPASS_DEPLOYMENT as the broker does, and the secret from standard input. Prints only the
sealed secret.

  --for NAME   the name of the secret: an environment variable of the broker, or a secret of the Worker
Exit codes: 0 sealed, 2 the settings or the secret cannot be used.`

const MAX_SECRET_BYTES = 16 * 1024

const OF_GITLAB = "DAYPASS_GITLAB_TOKEN"

function contextOf(name: unknown): SealContext {
  if (name === OF_GITLAB) return GITLAB_TOKEN
  return typeof name === "string" ? connectionSecretContext(name) : GITHUB_APP_KEY
}

/** `daypass seal`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, { for: { type: "string" } }, io)
  if (typeof read === "number") return read
  const name = read.options["for"]
  if (typeof name === "string" && name !== OF_GITLAB && !secretReference.safeParse(`env:${name}`).success) {
    return misused(
      "--for must be a name that a connection can use: capital letters, digits and _, and not a variable that the broker or the system uses",
      USAGE,
      io,
    )
  }
  if (read.positionals.length > 0) {
    return misused("pass the secret on standard input only: an argument is visible in the list of processes", USAGE, io)
  }
  const config = readConfig({
    ...io.env,
    DAYPASS_GITHUB_APP_ID: undefined,
    DAYPASS_GITHUB_APP_KEY: undefined,
    [OF_GITLAB]: undefined,
  })
  if (!config.ok) return impossible(config.fault.map(({ setting, message }) => `${setting}: ${message}`).join("\n"), io)
  const { kek, deployment } = config.value
  if (kek === undefined) return impossible("DAYPASS_KEK: set it to the deployment's key", io)

  const input = await io.readInput(MAX_SECRET_BYTES)
  if (input === null) return impossible(`the secret is longer than ${MAX_SECRET_BYTES / 1024} KiB`, io)
  const secret = new Secret(new TextDecoder().decode(input).trim())
  if (secret.reveal() === "") return impossible("there is nothing to seal: standard input is empty", io)
  if (typeof name !== "string") {
    const imported = await importAppKey(secret)
    if (!imported.ok) return impossible(`the key ${imported.fault}`, io)
  }
  const sealer = await createSealer(kek, deployment, webCryptography)
  io.out(await sealer.seal(secret, contextOf(name)))
  return EXIT.ok
}
