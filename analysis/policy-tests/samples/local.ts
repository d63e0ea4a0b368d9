import type { FamilySamples } from "../sample.ts"
import { JTI, REGISTERED } from "./registered.ts"

/** What `daypass exec --local` says of a person: the public half of an age key, and nothing else. */
export const LOCAL_SAMPLES: FamilySamples = {
  family: "local",
  samples: {
    "local-person": {
      summary: "a person on their own machine",
      claims: { ...REGISTERED, exp: REGISTERED.iat + 60, jti: JTI },
    },
  },
  follows: [],
}
