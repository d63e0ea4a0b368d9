import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { info, warn } from "./runner.ts"

/** Logs what became of each credential of a lease. */
export function logOutcomes({ credentials, record_due: isRecordDue }: Omit<RevokeAnswer, "lease">): void {
  for (const [grant, { outcome, expires_at: expiresAt }] of Object.entries(credentials)) {
    const end = expiresAt === null ? "It does not expire." : `It expires at ${expiresAt}.`
    if (outcome === "revoked") info(`Revoked ${grant}.`)
    else if (outcome === "expires-only") info(`Cannot revoke ${grant}. ${end}`)
    else if (outcome === "revoking") info(`Another call is revoking ${grant} now. ${end}`)
    else warn(`${grant} is not revoked yet; the broker tries again. ${end}`)
  }
  if (isRecordDue) info("The broker cannot write its record of this now, and writes it as soon as it can.")
}
