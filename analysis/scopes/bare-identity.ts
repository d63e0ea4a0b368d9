import type { Claims, Identity } from "../../broker/core/identity.ts"

/** An identity with only some claims, for functions of the engine that need no others. */
export function bareIdentity(claims: Claims, unit = ""): Identity {
  return {
    issuer: "",
    unitKind: "repository",
    issuerUrl: "",
    unit,
    unitId: "",
    owner: "",
    ownerId: "",
    ref: null,
    refType: null,
    event: null,
    actor: null,
    actorId: null,
    runId: "",
    runAttempt: "",
    cautions: [],
    claims,
  }
}
