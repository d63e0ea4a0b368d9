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

/** Every vendor by the name that it gives itself, in the order of the demo. */
export const VENDORS: Readonly<Record<string, StartVendor>> = {
  aws: startAwsVendor,
  google: startGoogleVendor,
  azure: startAzureVendor,
  github: startGitHubVendor,
  vault: startVaultVendor,
  "aws-stores": startAwsStoresVendor,
  "azure-key-vault": startAzureKeyVaultVendor,
  conjur: startConjurVendor,
  doppler: startDopplerVendor,
  "google-secret-manager": startGoogleSecretManagerVendor,
  infisical: startInfisicalVendor,
  "1password": startOnePasswordVendor,
  sops: startSopsVendor,
}
