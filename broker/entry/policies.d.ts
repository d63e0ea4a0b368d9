/** The policy folder, compiled by `broker/entry/compile-policies.ts` when wrangler builds; null without a folder. */
declare module "daypass:policies" {
  export const compiledPolicies: import("../core/policy/compiled.ts").CompiledPolicies | null
}
