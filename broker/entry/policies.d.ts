/** The policy folder, compiled by `broker/entry/compile-policies.ts` when wrangler builds. */
declare module "daypass:policies" {
  export const compiledPolicies: import("../core/policy/compiled.ts").CompiledPolicies
}
