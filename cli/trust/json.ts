import type { OpenSubjects } from "../../analysis/trust/model.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { Side } from "./side.ts"

/** What other sides must trust, for programs; in snake_case, like the wire. */
export const trustAsJson = (sides: readonly Side[], { version }: PolicySet, broker: string): object => ({
  ok: true,
  version,
  broker,
  connections: sides
    .filter(({ usesTokens }) => usesTokens)
    .map(({ connection, vendor, subjects, open, unreachable }) => ({
      connection: connection.name,
      provider: connection.provider,
      kind: vendor,
      subjects: subjects.map(
        ({ subject, audiences, grant, issuer, names, unitKind, unitId, environment, door, place }) => ({
          subject,
          audiences,
          grant,
          issuer,
          unit: names[0] ?? null,
          unit_kind: unitKind,
          unit_id: unitId,
          environment,
          trusted_by: door,
          file: place.file,
          line: place.line,
        }),
      ),
      open: open.map(openAsJson),
      unreachable: unreachable.map(({ grant, subject }) => ({ grant, subject })),
    })),
})

const openAsJson = ({
  subjects,
  audiences,
  why,
  grant,
  issuer,
  unit,
  unitKind,
  environment,
  door,
  place,
}: OpenSubjects) => ({
  pattern: subjects,
  audiences,
  why,
  grant,
  issuer,
  unit,
  unit_kind: unitKind,
  ...(environment === undefined ? {} : { environment }),
  trusted_by: door,
  file: place?.file ?? null,
  line: place?.line ?? null,
})
