import type { StartVendor } from "../vendor.ts"
import { startAwsVendor } from "./aws.ts"
import { startAwsStoresVendor } from "./aws-stores.ts"
import { startAzureVendor } from "./azure.ts"
import { startAzureKeyVaultVendor } from "./azure-key-vault.ts"
import { startConjurVendor } from "./conjur.ts"
import { startDopplerVendor } from "./doppler.ts"
import { startGitHubVendor } from "./github.ts"
import { startGoogleVendor } from "./google.ts"
import { startGoogleSecretManagerVendor } from "./google-secret-manager.ts"
import { startInfisicalVendor } from "./infisical.ts"
import { startOnePasswordVendor } from "./one-password.ts"
import { startSopsVendor } from "./sops.ts"
import { startVaultVendor } from "./vault.ts"

/** Every vendor, in the order of the demo. */
export const VENDORS: readonly StartVendor[] = [
  startAwsVendor,
  startGoogleVendor,
  startAzureVendor,
  startGitHubVendor,
  startVaultVendor,
  startAwsStoresVendor,
  startAzureKeyVaultVendor,
  startConjurVendor,
  startDopplerVendor,
  startGoogleSecretManagerVendor,
  startInfisicalVendor,
  startOnePasswordVendor,
  startSopsVendor,
]
