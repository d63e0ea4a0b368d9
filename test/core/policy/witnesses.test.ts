import { expect, it } from "vitest"
import { compiledOrganisation, revivedOrganisation } from "../../../broker/core/policy/compiled.ts"
import vectors from "../../vectors/checkpoint.json" with { type: "json" }
import { faultsOf, ORGANISATION, setOf } from "./support.ts"

const KEY = vectors.witness_key
const withWitnesses = (...lines: readonly string[]) =>
  `${ORGANISATION}witnesses: |\n${lines.map((line) => `  ${line}\n`).join("")}`

it("a policy of witnesses is kept as it is written, in the compiled form, too", () => {
  const text = `witness w1 ${KEY} https://witness.example/daypass\nquorum w1\n`
  const { organisation } = setOf({ "daypass.yaml": withWitnesses(...text.trimEnd().split("\n")) })
  expect(organisation.witnesses).toBe(text)
  const stored = JSON.parse(JSON.stringify(compiledOrganisation(organisation)))
  expect(revivedOrganisation(stored).witnesses).toBe(text)
})

it.each([
  ["no quorum", [`witness w1 ${KEY} https://w.example`], "has no quorum line"],
  ["no witness", ["quorum none"], "it names no witness"],
  [
    "a log",
    [`log ${vectors.log_key}`, `witness w1 ${KEY} https://w.example`, "quorum w1"],
    "leave out the line of the log",
  ],
  ["no URL", [`witness w1 ${KEY}`, "quorum w1"], "the witness w1 needs the URL"],
  ["a URL without TLS", [`witness w1 ${KEY} http://w.example`, "quorum w1"], "the witness w1 needs the URL"],
  ["a URL with a password", [`witness w1 ${KEY} https://a:b@w.example`, "quorum w1"], "the witness w1 needs the URL"],
  [
    "the key of a log",
    [`witness w1 ${vectors.log_key} https://w.example`, "quorum w1"],
    "line 1 has a key that signs no cosig",
  ],
])("a policy of witnesses with %s is refused where it stands", (_, lines, reason) => {
  const [fault, ...more] = faultsOf({ "daypass.yaml": withWitnesses(...lines) })
  expect([fault?.code, fault?.line, more]).toEqual(["value_invalid", ORGANISATION.split("\n").length, []])
  expect(fault?.message).toContain(reason)
})
