import { expect, it } from "vitest"
import { compiledOrganisation, revivedOrganisation } from "../../../broker/core/policy/compiled.ts"
import { faultsOf, ORGANISATION, setOf } from "./support.ts"

const SECTIONS = `alerts:
  ops: { url: https://hooks.example.com/in, secret: env:ALERT_SECRET }
  team: { url: "https://10.0.0.8/in", secret: [env:NEW, env:OLD], events: [leak.reported], private_network: true }
exports:
  files: { kind: folder, path: /srv/record }
  bucket: { kind: r2, binding: ARCHIVE, prefix: a/b, format: ocsf }
  otel: { kind: otlp, url: https://otel.example/v1/logs, authorization: env:OTEL }
`

it("alerts and exports are the same in the compiled form", () => {
  const { organisation } = setOf({ "daypass.yaml": `${ORGANISATION}${SECTIONS}` })
  expect([...(organisation.alerts ?? [])].map(([name, { secret }]) => [name, secret])).toEqual([
    ["ops", ["env:ALERT_SECRET"]],
    ["team", ["env:NEW", "env:OLD"]],
  ])
  const revived = revivedOrganisation(JSON.parse(JSON.stringify(compiledOrganisation(organisation))))
  expect([revived.alerts, revived.exports]).toEqual([organisation.alerts, organisation.exports])
})

const endpoint = (change: string) => `alerts:\n  ops: { url: https://h.example/in, secret: env:S, ${change} }\n`
const target = (keys: string) => `exports:\n  out: { ${keys} }\n`

it.each([
  ["no endpoint", "alerts: {}\n"],
  ["an endpoint without a secret", "alerts:\n  ops: { url: https://h.example/in }\n"],
  ["an endpoint over http", "alerts:\n  ops: { url: http://h.example/in, secret: env:S }\n"],
  ["an endpoint with a user", "alerts:\n  ops: { url: https://u@h.example/in, secret: env:S }\n"],
  ["a secret in the file", "alerts:\n  ops: { url: https://h.example/in, secret: whsec_c2VjcmV0 }\n"],
  ["one of the broker's own secrets", "alerts:\n  ops: { url: https://h.example/in, secret: env:DAYPASS_KEK }\n"],
  ["three secrets", "alerts:\n  ops: { url: https://h.example/in, secret: [env:A, env:B, env:C] }\n"],
  ["an event that there is not", endpoint("events: [leak.found]")],
  ["no events", endpoint("events: []")],
  ["a private network that is false", endpoint("private_network: false")],
  ["a key that there is not", endpoint("retries: 3")],
  ["a kind that there is not", target("kind: ftp, path: /srv")],
  ["a folder below the broker's own", target("kind: folder, path: record")],
  ["a path that climbs", target("kind: folder, path: /srv/../etc")],
  ["a prefix that climbs", target("kind: r2, binding: ARCHIVE, prefix: a/../b")],
  ["a prefix that ends in a slash", target("kind: r2, binding: ARCHIVE, prefix: a/")],
  ["a binding in lower case", target("kind: r2, binding: archive")],
  ["a format that there is not", target("kind: folder, path: /srv, format: csv")],
  [
    "a connection that there is not",
    target("kind: s3, connection: none, role: arn:aws:iam::111122223333:role/w, bucket: acme"),
  ],
  [
    "a bucket's name in capitals",
    target("kind: s3, connection: aws, role: arn:aws:iam::111122223333:role/w, bucket: ACME"),
  ],
  ["a header in the file", target("kind: otlp, url: https://o.example/v1/logs, authorization: Bearer abcdefgh")],
])("alerts or exports with %s are refused where they stand", (_, section) => {
  const file = `${ORGANISATION}${section}`
  const faults = faultsOf({ "daypass.yaml": file })
  expect(faults).not.toEqual([])
  const first = ORGANISATION.split("\n").length
  for (const { line } of faults) expect(line).toBeGreaterThanOrEqual(first)
  // A value that should not be in the file is not repeated.
  expect(JSON.stringify(faults)).not.toMatch(/whsec_c2|abcdefgh/)
})
