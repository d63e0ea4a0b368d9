import { fromVariable } from "./variable.ts"

/** Semaphore: one token a job (docs.semaphore.io: OpenID Connect). */
export const SEMAPHORE = fromVariable({
  name: "semaphore",
  title: "Semaphore",
  isHere: (environment) => environment["SEMAPHORE"] === "true",
  variable: "SEMAPHORE_OIDC_TOKEN",
  change:
    "Check that the organisation's plan has OpenID Connect, which gives each job the variable SEMAPHORE_OIDC_TOKEN.",
})
