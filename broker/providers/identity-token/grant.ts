import * as z from "zod"
import { isJobClaim } from "../../core/job-claims.ts"
import { reservationOf } from "../reserved-audiences.ts"
import { audience } from "../service.ts"
import { variable } from "../variable.ts"

const MAX_EXTRA_CLAIMS = 16

/** Which audiences the organisation lets policies name. Without the list a policy could speak to any cloud in the broker's name. */
export const connection = z.strictObject({
  audiences: z
    .array(
      audience.superRefine((name, context) => {
        const message = reservationOf(name)
        if (message !== null) context.addIssue({ code: "custom", message })
      }),
    )
    .min(1)
    .meta({ description: "Audiences that grants may name." }),
})

export type Connection = z.infer<typeof connection>

/**
 * Claims by which a token says more than its audience tells. AWS holds `azp`, where there is one, against the audiences
 * that an account trusts instead of `aud`, and reads session tags and the source identity from below its own URL, in one
 * claim or flattened into many (IAM User Guide, "Available keys for AWS OIDC federation", "Pass session tags in AWS
 * STS"). `cnf`, `act` and `may_act` speak of whose token it is (RFC 7800, RFC 8693).
 */
const MEANINGFUL: ReadonlySet<string> = new Set(["azp", "cnf", "act", "may_act"])
const AWS_NAMESPACE = "https://aws.amazon.com/"

const isReserved = (name: string) => isJobClaim(name) || MEANINGFUL.has(name) || name.startsWith(AWS_NAMESPACE)

/** What a policy offers of the broker's own tokens. */
export const grant = z.strictObject({
  audience,
  env: variable.optional().meta({ description: "The environment variable that the job finds the token in." }),
  claims: z
    .record(
      z
        .string()
        .regex(
          /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/,
          "a claim's name starts with a letter; letters, digits and _ . : / - follow",
        )
        .refine((name) => !isReserved(name), "this claim is the broker's to set; choose another name"),
      z.string().min(1).max(256),
    )
    .refine(
      (claims) => Object.keys(claims).length <= MAX_EXTRA_CLAIMS,
      `at most ${MAX_EXTRA_CLAIMS} claims can be added`,
    )
    .optional()
    .meta({ description: "Claims to add. None may have the name of a fact about the job." }),
})

export type Grant = z.infer<typeof grant>
