import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import type { OtherSide } from "../call.ts"
import { fieldOf } from "../field.ts"
import type { MintedValue } from "../provider.ts"
import { wantedOf } from "../read-grant.ts"
import { delivered } from "../stored-value.ts"
import { type DynamicGrant, type FreshSecret, isStsSession } from "./minted.ts"

/**
 * The fields that the grant names. Each has the name of its variable, as in stores. A list of texts becomes lines.
 *
 * All values are secret, because engines do not say which are public. Fields that the grant does not name are not
 * delivered: some, such as a key's type, are short words, and masking such a word would hide it in the whole log.
 *
 * @throws {BrokerError} `secret_not_found` for a field that does not exist, `secret_unusable` for one that is no text
 */
export function valuesOf(side: OtherSide, { dynamic, env }: DynamicGrant, data: FreshSecret["data"]) {
  const isSession = isStsSession(data)
  const values = wantedOf(env).map((wanted): readonly [string, MintedValue] => {
    const { locator: field, variable } = wanted
    const locator = `${dynamic}#${field}`
    const value = linesOf(memberOf(data, field)) ?? fieldOf(side, locator, field, data)
    return [variable, { ...delivered(side, { ...wanted, locator }, { value }), ...(isSession && recordedOf(field)) }]
  })
  return Object.fromEntries(values)
}

/** The parts of a cloud's session that records may name. Fields of other engines may be passwords: nothing of them is. */
function recordedOf(field: string): Pick<MintedValue, "recorded"> {
  if (field === "access_key") return { recorded: "id" }
  return field === "security_token" || field === "session_token" ? { recorded: "fingerprint" } : {}
}

/** A list of texts, such as a chain of certificates. */
const linesOf = (value: unknown): Secret<string> | null =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string")
    ? new Secret(value.join("\n"))
    : null
