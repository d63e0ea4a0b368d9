import { compiledPolicies } from "daypass:policies"
import { createKvPolicySource, type KvPolicySource } from "../adapters/cloudflare/kv-policy-source.ts"
import { consoleLog as log } from "../adapters/cloudflare/log.ts"
import { createMemoryPolicySource } from "../adapters/memory/policy-source.ts"
import { systemClock } from "../adapters/memory/system-clock.ts"
import { revived } from "../core/policy/compiled.ts"
import type { PolicySource } from "../ports/policy-source.ts"
import { PROVIDERS } from "../providers/index.ts"
import { type EdgeDeployment, type Env, misconfigured } from "./edge-deployment.ts"

/**
 * Policies from Workers KV if a namespace is bound, and otherwise from the bundle. A failure of KV never falls back to the
 * bundle: its policies may be years old, or the examples.
 */
export function policySourceOf(env: Env, { config, guards }: EdgeDeployment): PolicySource | KvPolicySource {
  const { onlyPublishedPolicies, policyPublishers } = config
  if (!("POLICIES" in env)) {
    const needs = onlyPublishedPolicies ? "DAYPASS_POLICIES is kv" : "DAYPASS_POLICY_PUBLISHER is set"
    if (onlyPublishedPolicies || policyPublishers.length > 0) {
      throw misconfigured([`POLICIES: bind the KV namespace to this name, because ${needs}`])
    }
    if (compiledPolicies === null) {
      throw misconfigured([
        "POLICIES: the bundle has no policies. Deploy with a folder policies/, or bind the KV namespace",
      ])
    }
    return createMemoryPolicySource(revived(compiledPolicies, PROVIDERS), new Date())
  }
  if (typeof env.POLICIES?.get !== "function") throw misconfigured(["POLICIES: bind a KV namespace to this name"])
  return createKvPolicySource(env.POLICIES, {
    clock: systemClock,
    providers: PROVIDERS,
    floor: guards,
    publishers: policyPublishers,
    log,
  })
}
