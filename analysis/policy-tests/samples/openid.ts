import type { FamilySamples } from "../sample.ts"
import { REGISTERED } from "./registered.ts"

/** ID tokens of people. The audience is the client of the issuer in the organisation file: write it under claims. */
export const OPENID_SAMPLES: FamilySamples = {
  family: "openid",
  samples: {
    "openid-person": {
      summary: "a person who has signed in",
      claims: {
        ...REGISTERED,
        exp: REGISTERED.iat + 3600,
        email: "person@example.com",
        email_verified: true,
        groups: ["engineering"],
      },
    },
  },
  follows: [],
}
