import * as z from "zod"
import type { OtherSide } from "./call.ts"
import { secretUnusable } from "./stored-value.ts"

/**
 * Settings for stores whose values can refer to other secrets; spread into a connection's schema. By default no reference
 * is resolved. An attacker who can write in one folder could let a secret there refer to any other secret that the broker's
 * login may read, although the ceiling allows only the folder.
 */
export const referenceSettings = {
  resolve_references: z
    .boolean()
    .default(false)
    .meta({ description: "Resolves references to other secrets, even to secrets that no boundary allows." }),
}

/** `${NAME}`, `${config.NAME}`, `${env.folder.NAME}`: the references of Infisical and Doppler. */
const REFERENCE = /\$\{[A-Za-z0-9_.-]+\}/

/**
 * Refuses a value that contains a reference, because the job could not use the unresolved text.
 *
 * @throws {BrokerError} `secret_unusable`
 */
export function refuseReference(side: OtherSide, locator: string, value: string): void {
  if (REFERENCE.test(value)) throw secretUnusable(side, locator, REFERS)
}

const REFERS = `contains a reference to another secret (\${NAME}), and this connection does not resolve references. Read each secret by its own locator; or set resolve_references: true on the connection, with a login that may read only what its grants may read`
