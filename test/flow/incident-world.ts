import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, vi } from "vitest"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type HoldingProxy, startHoldingProxy } from "../support/holding-proxy.ts"
import type { Vendor } from "../support/vendor.ts"
import {
  connectionLines,
  TOOLS,
  toolsJob,
  trustBroker,
  vendorSecrets,
  writeToolsPolicy,
} from "../support/vendor-world.ts"
import { startGitHubVendor } from "../support/vendors/github.ts"
import { startVaultVendor } from "../support/vendors/vault.ts"
import { send } from "./world.ts"

/** GitHub's API and Vault behind proxies that can hold an answer back, and the policies of a broker that mints at both. */
export interface IncidentWorld {
  readonly github: GitHub
  readonly api: Vendor
  readonly vault: Vendor
  readonly apiProxy: HoldingProxy
  readonly vaultProxy: HoldingProxy
  readonly policies: string
  readonly settings: Readonly<Record<string, string>>
  /** Writes the organisation file, with all connections or without some. */
  organise(without?: readonly string[]): void
  trust(brokerUrl: string): Promise<void>
  /** A fresh subject token of the run. */
  token(brokerUrl: string, runId?: string): Promise<string>
  exchange(
    broker: { readonly url: string },
    grant: string,
    runId?: string,
  ): Promise<{ readonly lease: string; readonly token: string }>
  end(broker: { readonly url: string }, lease: string, runId?: string): ReturnType<typeof send>
  close(): Promise<void>
}

export async function startIncidentWorld(): Promise<IncidentWorld> {
  const ends = new AsyncDisposableStack()
  const policies = mkdtempSync(join(tmpdir(), "daypass-incident-"))
  ends.defer(() => rmSync(policies, { recursive: true, force: true }))
  const [github, api, vault] = await Promise.all([startGitHub(), startGitHubVendor(), startVaultVendor()])
  for (const server of [github, api, vault]) ends.defer(() => server.close())
  const proxyOf = async (vendor: Vendor) => {
    const [settings] = Object.values(vendor.connections) as { readonly url?: string; readonly api_url?: string }[]
    const proxy = await startHoldingProxy(settings?.api_url ?? settings?.url ?? "")
    ends.defer(() => proxy.close())
    return proxy
  }
  const [apiProxy, vaultProxy] = [await proxyOf(api), await proxyOf(vault)]
  const behind = (vendor: Vendor, key: string, url: string): Vendor => ({
    ...vendor,
    connections: Object.fromEntries(
      Object.entries(vendor.connections).map(([name, settings]) => [name, { ...(settings as object), [key]: url }]),
    ),
  })
  const vendors = [behind(api, "api_url", apiProxy.url), behind(vault, "url", vaultProxy.url)]
  writeToolsPolicy(policies, vendors)

  const organise = (without: readonly string[] = []) => {
    const left = vendors.map((vendor) => ({
      ...vendor,
      connections: Object.fromEntries(Object.entries(vendor.connections).filter(([name]) => !without.includes(name))),
    }))
    writeFileSync(
      join(policies, "daypass.yaml"),
      `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  tokens: { provider: identity-token, audiences: ["https://example.com"] }
${connectionLines(left)}`,
    )
    if (without.length > 0) rmSync(join(policies, "acme/tools/production.yaml"))
  }
  organise()

  const token = async (audience: string, runId = "1") => await github.mint(toolsJob(runId), { audience })
  return {
    github,
    api,
    vault,
    apiProxy,
    vaultProxy,
    policies,
    settings: vendorSecrets(vendors),
    organise,
    trust: (url) => trustBroker(vendors, url),
    token,
    async exchange(broker, grant, runId) {
      const used = await token(broker.url, runId)
      const { status, json } = await send(broker, "/v1/exchange", { token: used, body: { grants: [grant] } })
      expect([status, json["detail"]]).toEqual([200, undefined])
      return { lease: String(json["lease"]), token: used }
    },
    end: async (broker, lease, runId) =>
      await send(broker, `/v1/leases/${lease}`, { method: "DELETE", token: await token(broker.url, runId) }),
    close: () => ends.disposeAsync(),
  }
}

/** The audit trail's ledger of the repository in this world. */
export const LEDGER_ID = TOOLS.repository_id

/** Waits for what happens a moment later, by itself. */
export const soon = (assertion: () => Promise<void> | void, timeout = 120_000): Promise<void> =>
  vi.waitFor(assertion, { timeout, interval: 50 })
