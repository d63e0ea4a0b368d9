import type { UnitKind } from "../../broker/core/families/units.ts"
import type { Claims, Identity } from "../../broker/core/identity.ts"

/** An identity with only some claims, for functions of the engine that need no others. */
export function bareIdentity(claims: Claims, unitKind: UnitKind, unit: string): Identity {
  return {
    issuer: "",
    unitKind,
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
