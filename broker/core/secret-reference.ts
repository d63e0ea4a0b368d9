import * as z from "zod"

/** Names a secret that the operator sets, such as `env:OP_CONNECT_TOKEN`. Files contain the name, never the secret. */
export type SecretReference = `env:${string}`

/**
 * Refuses the broker's own settings: the authors of policies must not get the broker's keys through a connection. Also
 * refuses the variables that a machine, a container or a cloud sets in every process, which were not meant for Daypass.
 */
const REFERENCE =
  /^env:(?!(?:DAYPASS|AWS|AZURE|GOOGLE|GCLOUD|GITHUB|ACTIONS|RUNNER|CI|KUBERNETES|ECS|IDENTITY|MSI|WEBSITE|APPSETTING|CONTAINER_APP|FUNCTIONS|NODE|NPM|SSH|SYSTEMD|XDG|LC)_)(?!(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|HOSTNAME|LANG|TERM|TZ|TMPDIR|MAIL|CREDENTIALS_DIRECTORY|INVOCATION_ID|JOURNAL_STREAM)$)[A-Z][A-Z0-9_]{0,127}$/

/**
 * A connection's reference to a secret. A secret written in place of the reference is refused, and the error does not quote
 * it.
 */
export const secretReference = z
  .string()
  .regex(
    REFERENCE,
    "write env:NAME, never the secret itself. NAME is a variable or a Worker secret of capital letters, digits and _, and must not belong to the broker or the machine, as DAYPASS_KEK, AWS_SECRET_ACCESS_KEY and PATH do",
  )
  .transform((text): SecretReference => text as SecretReference)
  .meta({
    description: "env:NAME of a secret that the operator sets; never the secret itself.",
    pattern: REFERENCE.source,
  })

/** The variable or Worker secret that a reference names. */
export const nameOf = (reference: SecretReference): string => reference.slice("env:".length)
