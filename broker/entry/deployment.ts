import { isExampleHost } from "../config/example-host.ts"

/** What a build is for, and whether it may go on. */
export type Deployment =
  | { readonly kind: "with-policies" }
  | { readonly kind: "without-policies" }
  | { readonly kind: "refused"; readonly reasons: readonly string[] }

/** Set by a pipeline that bundles without deploying, such as with `wrangler deploy --dry-run`: examples are good enough. */
export const TRIAL_VARIABLE = "DAYPASS_TRIAL_BUILD"

const URLS = /^DAYPASS_URL = "https:\/\/([^"/:]+)/gm
const FROM_KV = /^DAYPASS_POLICIES = "kv"/m

/**
 * Looks at a deployment before it happens. Otherwise a denied job would be the first sign that the examples were deployed, or
 * that the broker signs as example.com. The build does not learn which environment is deployed. So it refuses only what is wrong
 * in all of them, and the Worker checks its own settings again when it runs.
 *
 * @param env with wrangler's `WRANGLER_COMMAND`
 */
export function deploymentOf(
  env: Readonly<Record<string, string | undefined>>,
  { settings, hasPolicies }: { readonly settings: string; readonly hasPolicies: boolean },
): Deployment {
  const isDeploying = /^(?:deploy|versions)/.test(env["WRANGLER_COMMAND"] ?? "") && env[TRIAL_VARIABLE] !== "1"
  if (!isDeploying) return { kind: "with-policies" }
  const hosts = [...settings.matchAll(URLS)].map(([, host = ""]) => host)
  const fromKv = FROM_KV.test(settings)
  const reasons = [
    ...(hosts.every(isExampleHost)
      ? ["DAYPASS_URL in wrangler.toml is still the example: set the broker's own URL."]
      : []),
    ...(hasPolicies || fromKv
      ? []
      : ['There is no folder policies/. Put your policies there, or publish them and set DAYPASS_POLICIES = "kv".']),
  ]
  if (reasons.length > 0) return { kind: "refused", reasons }
  return { kind: hasPolicies ? "with-policies" : "without-policies" }
}
