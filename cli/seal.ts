import { webCryptography } from "../broker/adapters/web/cryptography.ts"
import { readConfig } from "../broker/config/config.ts"
import { Secret } from "../broker/core/secret.ts"
import { secretReference } from "../broker/core/secret-reference.ts"
import { importAppKey } from "../broker/github/app-key.ts"
import { GITHUB_APP_KEY } from "../broker/signing/app-key.ts"
import { connectionSecretContext } from "../broker/signing/connection-secrets.ts"
import { GITLAB_TOKEN } from "../broker/signing/gitlab-token.ts"
import { createSealer, type SealContext } from "../broker/signing/sealer.ts"
import { impossible, misused } from "./arguments.ts"
import { type Arguments, type CliIo, EXIT } from "./io.ts"

const MAX_SECRET_BYTES = 16 * 1024

const OF_GITLAB = "DAYPASS_GITLAB_TOKEN"

function contextOf(name: unknown): SealContext {
  if (name === OF_GITLAB) return GITLAB_TOKEN
  return typeof name === "string" ? connectionSecretContext(name) : GITHUB_APP_KEY
}

/** `daypass seal`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const name = given.options["for"]
  if (typeof name === "string" && name !== OF_GITLAB && !secretReference.safeParse(`env:${name}`).success) {
    return misused(
      "--for must be a name that a connection can use: capital letters, digits and _, and not a variable that the broker or the system uses",
    )
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
