import { addressFault } from "../../broker/adapters/node/public-addresses.ts"
import { isLoopbackHost } from "../../broker/core/url.ts"
import { reasonOf } from "../arguments.ts"
import type { Got } from "./ask.ts"
import { type DoctorFinding, findingsFor } from "./finding.ts"
import type { Sight } from "./sight.ts"

const DAY_MS = 24 * 3600 * 1000
/** Authorities that issue for 90 days renew 30 days before the end: so late, a renewal has failed. */
const LATE_RENEWAL_DAYS = 14

/** The broker takes tokens whose times differ by a minute from its clock. */
const MAX_SKEW_SECONDS = 60
const NOTABLE_SKEW_SECONDS = 15

/** Whether clouds can reach the broker: they fetch its keys from its own URL. */
export async function addressFinding({ hostname }: URL, sight: Sight): Promise<DoctorFinding> {
  const { ok, note } = findingsFor("address")
  if (isLoopbackHost(hostname)) return note(`${hostname} is this machine: no cloud and no job of another can reach it.`)
  const host = hostname.replace(/^\[|\]$/g, "")
  const addresses = await sight.addresses(host).catch((error: unknown) => reasonOf(error))
  if (typeof addresses === "string") {
    return note(`This machine cannot look up ${host} (${addresses}), perhaps because it uses a proxy.`)
  }
  const hidden = addresses.filter((address) => addressFault(address, "public") !== null)
  if (hidden.length === 0) return ok(`${host} has ${addresses.join(", ")}: public.`)
  return note(
    `${host} has ${hidden.join(", ")} here, which is no public address. AWS, Google, Entra and hosted stores must reach the broker from the internet: look from outside.`,
  )
}

/** Whether the certificate ends soon. None for a broker without TLS. */
export async function certificateFindings(url: URL, now: Date, sight: Sight): Promise<readonly DoctorFinding[]> {
  if (url.protocol !== "https:") return []
  const { ok, note, fix } = findingsFor("certificate")
  const end = await sight.certificateEnd(url.hostname.replace(/^\[|\]$/g, ""), Number(url.port || 443))
  if (end === null) return [note("The certificate cannot be looked at from here, perhaps because of a proxy.")]
  const days = Math.floor((end.getTime() - now.getTime()) / DAY_MS)
  const until = `The certificate is valid until ${end.toISOString().slice(0, 10)}`
  return [days < LATE_RENEWAL_DAYS ? fix(`${until}, in ${days} days. Renew it: see why it was not.`) : ok(`${until}.`)]
}

/** Compares the answer's `Date` with this machine's clock. It has whole seconds, and may come from a proxy. */
export function clockFinding({ response, askedAt, gotAt }: Got): DoctorFinding {
  const { ok, note, fix } = findingsFor("clock")
  const told = Date.parse(response.header("date") ?? "")
  if (Number.isNaN(told)) return note("The answer has no Date, so the clocks cannot be compared.")
  // What the flight of the answer and the missing milliseconds explain is no difference.
  const ahead = told > gotAt ? told - gotAt : told + 1000 < askedAt ? told + 1000 - askedAt : 0
  const seconds = Math.round(ahead / 1000)
  if (seconds === 0) return ok("The broker's clock and this machine's agree.")
  const apart = `The clock of the broker, or of a proxy before it, is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} this machine's`
  if (Math.abs(seconds) > MAX_SKEW_SECONDS) return fix(`${apart}. Tokens are refused: synchronise both by NTP.`)
  return Math.abs(seconds) > NOTABLE_SKEW_SECONDS ? note(`${apart}.`) : ok(`${apart}, which is fine.`)
}
