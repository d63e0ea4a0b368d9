import type { StartVendor } from "../vendor.ts"
import { startAwsVendor } from "./aws.ts"
import { startAzureVendor } from "./azure.ts"
import { startAzureKeyVaultVendor } from "./azure-key-vault.ts"
import { startGitHubVendor } from "./github.ts"
import { startGoogleVendor } from "./google.ts"
import { startGoogleSecretManagerVendor } from "./google-secret-manager.ts"

/** Every vendor, in the order of the demo. */
export const VENDORS: readonly StartVendor[] = [
  startAwsVendor,
  startGoogleVendor,
  startAzureVendor,
  startGitHubVendor,
  startGoogleSecretManagerVendor,
  startAzureKeyVaultVendor,
]
