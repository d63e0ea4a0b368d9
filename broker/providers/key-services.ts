import { awsKms } from "./aws/kms/service.ts"
import { azureKeys } from "./azure/keys/service.ts"
import { googleKms } from "./google/kms/service.ts"
import type { KeyService } from "./key-service.ts"
import { vaultTransit } from "./vault/transit/service.ts"

/**
 * The services that decrypt data keys of files, by the provider of the connection through which they are called. The one place
 * where a provider meets others: SOPS knows none of these vendors, and none of them knows SOPS.
 */
export const KEY_SERVICES: ReadonlyMap<string, KeyService> = new Map<string, KeyService>([
  ["aws", awsKms],
  ["google", googleKms],
  ["azure", azureKeys],
  ["vault", vaultTransit],
])
