import * as z from "zod"
import type { OtherSide } from "./call.ts"
import { secretUnusable } from "./stored-value.ts"

/**
 * For stores whose values can refer to others, to be spread into a connection's schema. Left out, none is resolved: whoever
 * may write in one folder could point a secret there at whatever else the broker's login may read, and what a ceiling
 * allows is the folder.
 */
export const referenceSettings = {
  resolve_references: z
    .boolean()
    .default(false)
    .meta({ description: "Lets a value take in other secrets, also such as no ceiling names." }),
}

/** `${NAME}`, `${config.NAME}`, `${env.folder.NAME}`: what Infisical and Doppler take for a reference. */
const REFERENCE = /\$\{[A-Za-z0-9_.-]+\}/

/**
 * Refuses a value that refers to another, since the job could not use it as it stands.
 *
 * @throws {BrokerError} `secret_unusable`
 */
export function refuseReference(side: OtherSide, locator: string, value: string): void {
  if (REFERENCE.test(value)) throw secretUnusable(side, locator, REFERS)
}

const REFERS = `refers to another secret, as \${NAME}, and this connection resolves no references. Read each secret by a locator of its own; or have resolve_references: true on the connection, with a login that may read nothing which its grants may not`
