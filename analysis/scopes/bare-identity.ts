import type { Claims, Identity } from "../../broker/core/identity.ts"

/** An identity with only some claims, for functions of the engine that need no others. */
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
