import type { Claims, Identity } from "../../broker/core/identity.ts"

/** A job of which only some claims are known: for functions of the engine that look at these alone. */
export function bareIdentity(claims: Claims, repository = ""): Identity {
  return {
    issuer: "",
    issuerUrl: "",
    repository,
    repositoryId: "",
    owner: "",
    ownerId: "",
    ref: "",
    refType: "",
    event: "",
    actor: "",
    runId: "",
    runAttempt: "",
    claims,
  }
}
