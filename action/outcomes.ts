import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { info, warn } from "./runner.ts"

/** Logs what became of each credential of a lease. */
export function logOutcomes(answer: Omit<RevokeAnswer, "lease">): void {
  const { credentials, record_due: isRecordDue, unknown_until: unknownUntil } = answer
  for (const [grant, { outcome, expires_at: expiresAt }] of Object.entries(credentials)) {
    const end = expiresAt === null ? "It stays valid until it is changed in its store." : `It expires at ${expiresAt}.`
    if (outcome === "revoked") info(`Revoked ${grant}.`)
    else if (outcome === "expires-only") info(`Cannot revoke ${grant}. ${end}`)
    else if (outcome === "revoking" && unknownUntil === undefined) info(`Another call is revoking ${grant} now. ${end}`)
    else if (outcome === "failed") warn(`${grant} is not revoked yet; the broker tries again. ${end}`)
  }
  if (unknownUntil !== undefined) {
    const left = unknownUntil === null ? "" : ` What it cannot revoke lives until ${unknownUntil} at the latest.`
    info(`One exchange of this step did not end. The broker revokes what it minted, and gives it to nobody.${left}`)
  }
  if (isRecordDue) info("The broker cannot write its record of this now, and writes it as soon as it can.")
}
