import { local } from "../../../../broker/issuers/local/family.ts"
import type { FamilyCase } from "./family-case.ts"

const ISSUER = "https://local.invalid"
const IAT = 1_800_000_000
/** The public half of `test/vectors/sops/test-only.age-key.txt`. */
const PERSON = "age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy"

export const LOCAL_CASE: FamilyCase = {
  family: local,
  config: {
    name: "laptop",
    family: "local",
    url: ISSUER,
    owners: new Map([["local.invalid", ISSUER]]),
    repositoryPolicies: false,
  },
  samples: [
    {
      name: "a person with an age key",
      claims: { iss: ISSUER, sub: PERSON, aud: ISSUER, iat: IAT, exp: IAT + 60, jti: "one" },
      identity: {
        unitKind: "person",
        unit: PERSON,
        unitId: PERSON,
        owner: "local.invalid",
        ownerId: ISSUER,
        actor: null,
        actorId: PERSON,
        ref: null,
        event: null,
        runId: "",
        runAttempt: "",
        cautions: [],
      },
      derived: { outsider: false, interactive: false },
    },
  ],
  refused: [
    ["of a person without a key", { sub: undefined }, "the claim sub is missing"],
    ["of the system's account", { sub: "root" }, "the claim sub must be an id"],
    ["with the private half of a key", { sub: `AGE-SECRET-KEY-1${"Q".repeat(58)}` }, "the claim sub must be an id"],
    ["with a key in capitals", { sub: PERSON.toUpperCase() }, "the claim sub must be an id"],
    ["with a key of a plugin", { sub: `age1yubikey1${"q".repeat(58)}` }, "the claim sub must be an id"],
    ["with two keys", { sub: `${PERSON},${PERSON}` }, "the claim sub must be an id"],
  ],
}
