import type { Secret } from "../core/secret.ts"
import type { SealContext, Sealer } from "./sealer.ts"

/** Where a GitHub App's sealed key belongs: to the deployment, and to nothing else in it. */
export const GITHUB_APP_KEY: SealContext = { kind: "app-key", repository: "-", id: "github" }

/**
 * The App's key as PEM, whichever way the operator gave it: as it is, or sealed under the deployment's key.
 *
 * @throws {BrokerError} `configuration_invalid` when it was sealed for another deployment
 */
export async function openAppKey(key: Secret<string>, sealer: Sealer): Promise<Secret<string>> {
  // A compact JWE has five parts; PEM has no dots at all.
  return key.reveal().split(".").length === 5 ? await sealer.open(key.reveal(), GITHUB_APP_KEY) : key
}
