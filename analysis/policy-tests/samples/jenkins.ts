import type { FamilySamples } from "../sample.ts"
import { REGISTERED } from "./registered.ts"

/** Tokens of Jenkins, with the claims that its plugin makes unless an administrator says otherwise. */
export const JENKINS_SAMPLES: FamilySamples = {
  family: "jenkins",
  samples: {
    "jenkins-build": {
      summary: "a build of a job",
      claims: { ...REGISTERED, exp: REGISTERED.iat + 3600, build_number: 42 },
    },
  },
  follows: [["sub", (read) => read("job")]],
}
