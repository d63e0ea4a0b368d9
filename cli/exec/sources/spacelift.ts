import { isSet } from "./source.ts"
import { fromVariable } from "./variable.ts"

/** Spacelift: one token a run, in a paid account (docs.spacelift.io: OIDC). */
export const SPACELIFT = fromVariable({
  name: "spacelift",
  title: "Spacelift",
  isHere: (environment) => isSet(environment, "TF_VAR_spacelift_run_id") || isSet(environment, "SPACELIFT_OIDC_TOKEN"),
  variable: "SPACELIFT_OIDC_TOKEN",
  change: "Check that the Spacelift account's plan has OIDC, which gives each run the variable SPACELIFT_OIDC_TOKEN.",
})
