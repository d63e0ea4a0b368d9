import * as z from "zod"
import { AWS_NAMESPACE, isJobClaim } from "../../core/job-claims.ts"
import { reservationOf } from "../reserved-audiences.ts"
import { audience } from "../service.ts"
import { loginFaults, loginParts } from "../tool-login.ts"
import { variable } from "../variable.ts"

const MAX_EXTRA_CLAIMS = 16

/** The audiences that policies may name. Without the list, a policy could log in to any cloud that trusts the broker. */
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
 * Claims that a vendor interprets, so a grant must not add them. If there is an `azp`, AWS compares it with the trusted
 * audiences instead of `aud`. AWS reads session tags and the source identity from claims under its own URL, in one claim or
 * flattened into many (IAM User Guide, "Available keys for AWS OIDC federation", "Pass session tags in AWS STS"). `cnf`,
 * `act` and `may_act` name the holder of the token (RFC 7800, RFC 8693).
 */
const MEANINGFUL: ReadonlySet<string> = new Set(["azp", "cnf", "act", "may_act"])

const isReserved = (name: string) => isJobClaim(name) || MEANINGFUL.has(name) || name.startsWith(AWS_NAMESPACE)

/** A grant of the broker's own token. */
export const grant = z
  .strictObject({
    audience,
    env: variable.optional().meta({ description: "The job's environment variable for the token." }),
    claims: z
      .record(
        z
          .string()
          .regex(
            /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/,
            "a claim's name starts with a letter, and continues with letters, digits and _ . : / -",
          )
          .refine((name) => !isReserved(name), "only the broker may set this claim; choose another name"),
        z.string().min(1).max(256),
      )
      .refine(
        (claims) => Object.keys(claims).length <= MAX_EXTRA_CLAIMS,
        `at most ${MAX_EXTRA_CLAIMS} claims can be added`,
      )
      .optional()
      .meta({ description: "Additional claims. They must not have the name of a claim about the job." }),
    as: z.literal("kubeconfig").optional().meta({
      description:
        "Logs kubectl in at a cluster that accepts the broker's tokens. No variable contains the token then, unless env names one.",
    }),
    server: loginParts.server,
    certificate_authority: loginParts.certificate_authority,
    namespace: loginParts.namespace,
  })
  .superRefine((one, context) => {
    for (const { field, fault } of loginFaults(one.as ?? null, one))
      context.addIssue({ code: "custom", path: [field], message: fault })
  })

export type Grant = z.infer<typeof grant>
