import { expect, it } from "vitest"
import { compiledOrganisation, revivedOrganisation } from "../../../broker/core/policy/compiled.ts"
import { faultsOf, ORGANISATION, setOf } from "./support.ts"

const FOLDER = "exports:\n  files: { kind: folder, path: /srv/record }\n"

it("the age after which records leave is kept in days, in the compiled form, too", () => {
  const { organisation } = setOf({ "daypass.yaml": `${ORGANISATION}${FOLDER}archive: { after: 400d }\n` })
  expect(organisation.archive).toEqual({ after: 400 })
  const stored = JSON.parse(JSON.stringify(compiledOrganisation(organisation)))
  expect(revivedOrganisation(stored).archive).toEqual({ after: 400 })
})

it.each([
  ["no export", "archive: { after: 400d }\n", "name one under exports"],
  [
    "exports that cannot be verified",
    "exports:\n  siem: { kind: folder, path: /srv/record, format: cef }\n  otel: { kind: otlp, url: https://otel.example/v1/logs }\narchive: { after: 400d }\n",
    "name one under exports",
  ],
  ["a few days", `${FOLDER}archive: { after: 29d }\n`, "at least 30d"],
  ["hours", `${FOLDER}archive: { after: 9600h }\n`, "a whole number of days"],
  ["nothing", `${FOLDER}archive: {}\n`, "after"],
])("an archive with %s is refused where it stands", (_, text, reason) => {
  const file = `${ORGANISATION}${text}`
  const faults = faultsOf({ "daypass.yaml": file })
  expect(faults).toHaveLength(1)
  expect(file.split("\n")[(faults[0]?.line ?? 0) - 1]).toContain("archive:")
  expect(faults[0]?.message).toContain(reason)
})
