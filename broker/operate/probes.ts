import { probeOnePassword } from "../providers/1password/probe.ts"
import { probeAws, probeAwsStore } from "../providers/aws/probe.ts"
import { probeAzure, probeKeyVault } from "../providers/azure/probe.ts"
import { probeConjur } from "../providers/conjur/probe.ts"
import { probeDoppler } from "../providers/doppler/probe.ts"
import { probeGitHub } from "../providers/github/probe.ts"
import { probeGoogle } from "../providers/google/probe.ts"
import { probeInfisical } from "../providers/infisical/probe.ts"
import type { Probe } from "../providers/probe.ts"
import { probeVault } from "../providers/vault/probe.ts"

/** How the other side of each provider's connections is asked. Providers that call nobody have none. */
export const PROBES: ReadonlyMap<string, Probe> = new Map<string, Probe>([
  ["1password", probeOnePassword],
  ["aws", probeAws],
  ["aws-parameter-store", probeAwsStore],
  ["aws-secrets-manager", probeAwsStore],
  ["azure", probeAzure],
  ["azure-key-vault", probeKeyVault],
  ["conjur", probeConjur],
  ["doppler", probeDoppler],
  ["github", probeGitHub],
  ["google", probeGoogle],
  ["google-secret-manager", probeGoogle],
  ["infisical", probeInfisical],
  ["vault", probeVault],
])
