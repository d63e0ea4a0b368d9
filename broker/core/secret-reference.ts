import { z } from "zod"

/** Names a secret that the operator holds, as `env:OP_CONNECT_TOKEN`. It stands in files; the secret never does. */
export type SecretReference = `env:${string}`

/** The broker's own settings are not to be had through a connection: whoever writes policies is not who holds its key. */
const REFERENCE = /^env:(?!DAYPASS_)[A-Z][A-Z0-9_]{0,127}$/

/** A connection's way to a secret of its own. A secret written in place of its name is refused, and not repeated. */
export const secretReference = z
  .string()
  .regex(
    REFERENCE,
    "a secret is named and never written here: env:NAME, for a variable or a Worker's secret of capital letters, digits and _ whose name does not start with DAYPASS_",
  )
  .transform((text): SecretReference => text as SecretReference)
  .meta({
    description: "env:NAME of a secret that the operator sets; never the secret itself.",
    pattern: REFERENCE.source,
  })

/** The variable or Worker secret that a reference names. */
export const nameOf = (reference: SecretReference): string => reference.slice("env:".length)
