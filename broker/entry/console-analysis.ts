import { Replayer } from "../../analysis/used/replay.ts"
import { Runs } from "../../analysis/used/runs.ts"
import { whoCan } from "../../analysis/who-can/who-can.ts"
import type { Analysis } from "../console/analysis.ts"
import { compilePattern } from "../core/policy/pattern.ts"
import { PROVIDERS } from "../providers/index.ts"

/** The analysis of policies for the console. Only this entry brings the two together: no exchange depends on it. */
export const consoleAnalysis: Analysis = {
  whoCan(set, { connection, unit }) {
    // A unit's name is meant as it is: a star in it is a star.
    const named = unit === undefined ? null : compilePattern(unit.replaceAll("\\", "\\\\").replaceAll("*", "\\*"))
    const query = { ...(connection === undefined ? {} : { connection }), ...(named?.ok ? { unit: named.value } : {}) }
    return whoCan(set, query, { providers: PROVIDERS })
  },

  decideAgain({ issuerUrl, unitId, record, leaf }, set) {
    const runs = new Runs([set])
    // A record of version 1 names no unit, and has no claims.
    const complete = record.identity?.unit !== undefined
    if (!complete) return null
    runs.add({ ledger: { issuer: issuerUrl, unit_id: unitId }, record: { ...record, complete }, leaf })
    const [group] = runs.groups
    return group === undefined ? null : new Replayer(set).replay(group)
  },
}
