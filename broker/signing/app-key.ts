import { BrokerError } from "../core/errors.ts"
import { isSealed } from "../core/sealed-form.ts"
import type { Secret } from "../core/secret.ts"
import type { SealContext, Sealer } from "./sealer.ts"

/** The context that a GitHub App's key is sealed for: the deployment, under this name. */
export const GITHUB_APP_KEY: SealContext = { kind: "app-key", unit: "-", id: "github" }

/**
 * The App's key as PEM. The operator may set it as PEM, or sealed under the deployment's key.
 *
 * @throws {BrokerError} `configuration_invalid` when it was sealed for another deployment
 */
export async function openAppKey(key: Secret<string>, sealer: Sealer): Promise<Secret<string>> {
  if (!isSealed(key.reveal())) return key
  return await sealer.open(key.reveal(), GITHUB_APP_KEY).catch(() => {
    // The sealer's own message is about the broker's storage. This value is in the settings and must be corrected there.
    throw new BrokerError("configuration_invalid", SEALED_ELSEWHERE)
  })
}

const SEALED_ELSEWHERE =
  "DAYPASS_GITHUB_APP_KEY cannot be unsealed: it was changed, or sealed under a key that is neither DAYPASS_KEK nor DAYPASS_KEK_PREVIOUS, or for another DAYPASS_URL or DAYPASS_DEPLOYMENT. Seal the key again with this broker's settings: daypass seal < app.private-key.pem"
