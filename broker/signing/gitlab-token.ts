import { BrokerError } from "../core/errors.ts"
import { isSealed } from "../core/sealed-form.ts"
import type { Secret } from "../core/secret.ts"
import type { SealContext, Sealer } from "./sealer.ts"

/** The context that the access token for GitLab is sealed for: the deployment, under this name. */
export const GITLAB_TOKEN: SealContext = { kind: "app-key", unit: "-", id: "gitlab" }

/**
 * The access token. The operator may set it as it is, or sealed under the deployment's key.
 *
 * @throws {BrokerError} `configuration_invalid` when it was sealed for another deployment
 */
export async function openGitLabToken(token: Secret<string>, sealer: Sealer): Promise<Secret<string>> {
  if (!isSealed(token.reveal())) return token
  return await sealer.open(token.reveal(), GITLAB_TOKEN).catch(() => {
    throw new BrokerError("configuration_invalid", SEALED_ELSEWHERE)
  })
}

const SEALED_ELSEWHERE =
  "DAYPASS_GITLAB_TOKEN cannot be unsealed: it was changed, or sealed under a key that is neither DAYPASS_KEK nor DAYPASS_KEK_PREVIOUS, or for another DAYPASS_URL or DAYPASS_DEPLOYMENT. Seal the token again with this broker's settings: daypass seal --for DAYPASS_GITLAB_TOKEN < token"
