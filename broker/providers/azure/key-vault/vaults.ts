/** The version of Key Vault's API, for secrets and for keys. */
export const API_VERSION = "2025-07-01"

/** The domains of vaults in sovereign clouds. Each cloud's Entra issues tokens only for its own domain. */
const SOVEREIGN = ["vault.azure.cn", "vault.usgovcloudapi.net"]

/**
 * The scope of a token for the vault at this URL. A vault outside of the sovereign clouds' domains counts as one in the
 * public cloud.
 */
export function scopeOfVault(url: string): string {
  const { hostname } = new URL(url)
  return `https://${SOVEREIGN.find((domain) => hostname.endsWith(`.${domain}`)) ?? "vault.azure.net"}/.default`
}
