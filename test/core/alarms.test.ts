import { describe, expect, it } from "vitest"
import { rungBy } from "../../broker/core/alarms.ts"
import { type AuditRecord, auditIdentity, brokersDraft } from "../../broker/core/audit-record.ts"
import type { Alarms } from "../../broker/core/policy/schema-alarms.ts"
import { job } from "./job.ts"

const START = Date.parse("2026-11-22T12:00:00.000Z")
const MINUTE = 60_000

/** `d` denied, `s` denied by a stop, `m` minted, `c` closed by its job, `o` left open, `x` a stopped lease that the broker ends. */
function records(story: string, from = START, everyMs = MINUTE): readonly AuditRecord[] {
  return [...story].flatMap((letter, index): AuditRecord[] => {
    const at = new Date(from + index * everyMs)
    const lease = `lease-${index}-${from}`
    const of = (event: AuditRecord["event"], reason: string, byJob = true): AuditRecord => ({
      ...brokersDraft(event, { at, requestId: "r", lease, reason }),
      identity: byJob ? auditIdentity(job()) : null,
      seq: index + 1,
    })
    if (letter === "d") return [of("exchange.denied", "not_allowed: deploy")]
    if (letter === "s") return [of("exchange.denied", "stopped: deploy")]
    if (letter === "m") return [of("exchange.intended", "allowed"), of("exchange.minted", "minted")]
    if (letter === "c") return [of("lease.closed", "revoked 1")]
    if (letter === "o") return [of("lease.closed", "ended by the broker: revoked 1", false)]
    if (letter === "i")
      return [of("lease.closed", "failed: the exchange was interrupted, and nothing left the broker", false)]
    if (letter === "f")
      return [of("exchange.failed", "provider_denied: x"), of("lease.closed", "ended by the broker: revoked 1", false)]
    if (letter === "x") {
      const stopped = of("lease.revoking", "stopped (all): incident: deploy", false)
      return [stopped, of("lease.closed", "ended by the broker: revoked 1", false)]
    }
    return [of("token.replayed", "token_already_used")]
  })
}

const ALARMS: Alarms = {
  token_replayed: { stop: "unit" },
  denials_in_a_row: { stop: "unit", count: 3 },
  lease_not_closed: { stop: "unit", count: 2 },
}
const ring = (story: string, before = "", resumedAt = 0) =>
  rungBy(records(story, START), records(before, START - before.length * MINUTE), ALARMS, resumedAt).map(
    ({ kind, at }) => `${kind} ${(Date.parse(at.at) - START) / MINUTE}`,
  )

describe("an alarm", () => {
  it.each([
    ["at a used token that is sent again", "mr", "", ["token_replayed 1"]],
    ["once for a batch, at the first record that raises it", "rrddddd", "", ["token_replayed 0", "denials_in_a_row 4"]],
    ["at as many denials in a row as it counts", "ddd", "", ["denials_in_a_row 2"]],
    ["at denials of which some came in an earlier batch", "d", "mdd", ["denials_in_a_row 0"]],
    ["at leases that jobs left open", "ocoo", "", ["lease_not_closed 3"]],
  ])("rings %s", (_, story, before, rung) => {
    expect(ring(story, before)).toEqual(rung)
  })

  it("rings at a leaked value, and not where its public id alone was found", () => {
    const [one] = records("r")
    const leak = (reason: string) => [{ ...(one as AuditRecord), event: "leak.reported" as const, reason }]
    const rung = (reason: string) => rungBy(leak(reason), [], { leak_reported: { stop: "unit" } }, 0).length
    expect(rung("GitHub found it")).toBe(1)
    expect(rung("GitHub found it (by its public id alone)")).toBe(0)
  })

  it.each([
    ["at denials with a success in between", "ddmddm", ""],
    ["at denials because of a stop", "ssssss", "dd"],
    ["at what an earlier batch had already", "m", "ddddr"],
    ["at leases that jobs closed", "ococ", ""],
    ["at leases of exchanges that failed or were interrupted", "iiff", ""],
    ["at leases that a stop ended", "xxxx", ""],
  ])("does not ring %s", (_, story, before) => {
    expect(ring(story, before)).toEqual([])
  })

  it("counts what happened within an hour, and after the unit was resumed", () => {
    const spread = (minutes: number) => rungBy(records("ddd", START, minutes * MINUTE), [], ALARMS, 0).length
    expect([spread(29), spread(30)]).toEqual([1, 0])
    expect(ring("d", "ddd", START)).toEqual([])
    expect(ring("ddd", "ddd", START)).toEqual(["denials_in_a_row 2"])
    expect(ring("r", "", START + 1)).toEqual([])
  })

  it("that the organisation file does not ask for is silent", () => {
    expect(rungBy(records("rdddoo"), [], {}, 0)).toEqual([])
  })
})
