import type { ComparedIssuer, PolicyDiff } from "../../analysis/diff/model.ts"
import { fieldOfClaim, isFieldClaim } from "../../analysis/scopes/field-axes.ts"
import type { ChangeSubject } from "../../analysis/scopes/scope.ts"
import { tokenOf } from "../../analysis/scopes/token.ts"
import { familyOf } from "../../analysis/scopes/unit-claims.ts"
import type { RecordedDiff } from "../../analysis/used/changed-runs.ts"

/** A diff for programs; in snake_case, like the wire. */
export function diffAsJson({ widens, narrows, changes, limitsDiffer, issuers }: PolicyDiff) {
  return {
    widens,
    narrows,
    changes: changes.map(({ regions: _, subjects, example, cases, ...change }) => ({
      ...change,
      subjects: subjects.map(jsonOfSubject),
      cases,
      example: example && { claims: tokenOf(example, familyOf(subjects[0])), ...fieldsOf(example) },
    })),
    limits_differ: limitsDiffer,
    issuers: issuers.map(({ old, next }) => ({ old: jsonOfIssuer(old), new: jsonOfIssuer(next) })),
  }
}

/** What a record says of a change. */
export function runsAsJson({ changes, first, last, exchanges, alike, otherwise, uncounted }: RecordedDiff) {
  return {
    from: first,
    to: last,
    exchanges,
    alike,
    otherwise,
    uncounted,
    changes: changes.map(({ unit: { issuerUrl, unit_kind, unit, unit_id }, examples, ...change }) => ({
      ...change,
      issuer: issuerUrl,
      unit_kind,
      unit,
      unit_id,
      runs: examples,
    })),
  }
}

const jsonOfIssuer = (issuer: ComparedIssuer["old"]) =>
  issuer && { name: issuer.name, family: issuer.family, url: issuer.url }

function fieldsOf(example: Readonly<Record<string, string>>): object {
  const fields = Object.fromEntries(
    Object.entries(example).flatMap(([claim, value]) => (isFieldClaim(claim) ? [[fieldOfClaim(claim), value]] : [])),
  )
  return Object.keys(fields).length === 0 ? {} : { fields }
}

/** `environment`: null for jobs without an environment, absent for jobs in any environment or none. */
const jsonOfSubject = ({ issuer, unitKind, unit, unitId, environment }: ChangeSubject) => ({
  issuer,
  unit_kind: unitKind,
  unit,
  unit_id: unitId,
  ...(environment === undefined ? {} : { environment }),
})
