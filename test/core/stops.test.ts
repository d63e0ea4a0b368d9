import { describe, expect, it } from "vitest"
import type { Grant } from "../../broker/core/policy/model.ts"
import {
  isSameScope,
  readStops,
  type Stop,
  type StopScope,
  scopeText,
  stopOf,
  writeStops,
} from "../../broker/core/stops.ts"
import { job } from "./job.ts"

const NOW = Date.parse("2026-11-22T12:00:00.000Z")
const ISSUER = "https://token.actions.githubusercontent.com"

const stop = (scope: StopScope, until: string | null = null): Stop => ({
  ...scope,
  reason: "an incident",
  by: "ann of acme/ops",
  at: "2026-11-22T11:00:00.000Z",
  until,
})

const grant = (name: string, connection: string, provider = "aws", fields: unknown = {}): Grant => ({
  name,
  file: "p.yaml",
  line: 1,
  connection: { name: connection, provider, settings: {}, requireBoundToken: false },
  fields,
  ttlSeconds: 900,
  minTtlSeconds: 1,
})

const DEPLOY = grant("deploy", "aws-prod")
const READ = grant("read", "vault")
const JOB = job()

const holds = (scope: StopScope, grants: readonly Grant[] = [DEPLOY], identity = JOB) =>
  stopOf([stop(scope)], identity, grants, NOW) !== null

describe("a stop", () => {
  it.each<[string, StopScope]>([
    ["everything", { on: "all" }],
    ["an issuer", { on: "issuer", issuer: ISSUER, name: "github" }],
    ["an owner", { on: "owner", issuer: ISSUER, id: "9001", name: "acme" }],
    ["a unit", { on: "unit", issuer: ISSUER, id: "41", name: "acme/shop" }],
    ["a unit, whatever its name is now", { on: "unit", issuer: ISSUER, id: "41", name: "acme/old-name" }],
    ["a connection", { on: "connection", name: "aws-prod" }],
    ["a grant", { on: "grant", name: "deploy" }],
    ["a grant of one unit", { on: "grant", name: "deploy", issuer: ISSUER, id: "41", unit: "acme/shop" }],
  ])("concerns %s", (_, scope) => {
    expect(holds(scope)).toBe(true)
    expect(holds(scope, [READ, DEPLOY])).toBe(true)
  })

  it.each<[string, StopScope]>([
    ["another issuer", { on: "issuer", issuer: "https://gitlab.com", name: "github" }],
    ["the same owner id at another issuer", { on: "owner", issuer: "https://gitlab.com", id: "9001", name: "acme" }],
    ["an owner whose id is the unit's", { on: "owner", issuer: ISSUER, id: "41", name: "acme" }],
    ["a unit whose id is the owner's", { on: "unit", issuer: ISSUER, id: "9001", name: "acme/shop" }],
    ["another unit of the same name", { on: "unit", issuer: ISSUER, id: "42", name: "acme/shop" }],
    ["another connection", { on: "connection", name: "deploy" }],
    ["another grant", { on: "grant", name: "aws-prod" }],
    ["the grant of another unit", { on: "grant", name: "deploy", issuer: ISSUER, id: "42", unit: "acme/other" }],
  ])("does not concern %s", (_, scope) => {
    expect(holds(scope)).toBe(false)
  })

  it("ends by itself at its time, and not before", () => {
    const at = (until: number) => stopOf([stop({ on: "all" }, new Date(until).toISOString())], JOB, [DEPLOY], NOW)
    expect(at(NOW + 1)).not.toBeNull()
    expect(at(NOW)).toBeNull()
  })

  it("concerns more, not less, when members are missing", () => {
    expect(holds({ on: "unit" })).toBe(true)
    expect(holds({ on: "owner", issuer: ISSUER })).toBe(true)
  })

  it("never concerns a grant with which stops are lifted, and all others of the same call", () => {
    const lifts = grant("operator", "broker", "broker", { may: ["audit.read", "stop"] })
    const reads = grant("auditor", "broker", "broker", { may: ["audit.read"] })
    const pretends = grant("fake", "aws-prod", "aws", { may: ["stop"] })
    for (const scope of [
      { on: "all" },
      { on: "issuer", issuer: ISSUER },
      { on: "connection", name: "broker" },
      { on: "grant", name: "operator" },
    ] satisfies StopScope[]) {
      expect(holds(scope, [lifts])).toBe(false)
    }
    for (const other of [reads, pretends, DEPLOY]) {
      expect(holds({ on: "all" }, [other])).toBe(true)
      expect(holds({ on: "all" }, [lifts, other])).toBe(true)
    }
  })

  it("is told in words, with the ids that decide", () => {
    const texts = [
      scopeText({ on: "all" }),
      scopeText({ on: "issuer", issuer: ISSUER, name: "github" }),
      scopeText({ on: "owner", issuer: ISSUER, id: "9001", name: "acme" }),
      scopeText({ on: "unit", issuer: ISSUER, id: "41", name: "acme/shop" }),
      scopeText({ on: "unit", issuer: ISSUER, id: "4\n1", name: "\u202eshop" }),
      scopeText({ on: "connection", name: "aws-prod" }),
      scopeText({ on: "grant", name: "deploy" }),
      scopeText({ on: "grant", name: "deploy", issuer: ISSUER, id: "41", unit: "acme/shop" }),
    ]
    expect(texts).toEqual([
      "all",
      "issuer github",
      "owner acme (9001)",
      "unit acme/shop (41)",
      "unit \\u{202e}shop (4\\u{a}1)",
      "connection aws-prod",
      "grant deploy",
      "grant deploy of acme/shop (41)",
    ])
  })

  it("is the same as another by ids, and not by names for people", () => {
    const unit = (id: string, name: string): StopScope => ({ on: "unit", issuer: ISSUER, id, name })
    expect(isSameScope(unit("41", "acme/shop"), unit("41", "acme/new"))).toBe(true)
    expect(isSameScope(unit("41", "acme/shop"), unit("42", "acme/shop"))).toBe(false)
    expect(isSameScope({ on: "grant", name: "a" }, { on: "grant", name: "b" })).toBe(false)
    expect(isSameScope({ on: "grant", name: "a" }, { on: "connection", name: "a" })).toBe(false)
  })
})

it("a list of stops is read as it was written, and nothing else is", () => {
  const stops = [stop({ on: "connection", name: "aws-prod" }), stop({ on: "all" }, "2026-11-22T13:00:00.000Z")]
  expect(readStops(writeStops(stops))).toEqual({ ok: true, value: stops })
  expect(readStops(null)).toEqual({ ok: true, value: [] })
  for (const text of ["", "[]", '{"v":1}', '{"v":1,"stops":[{"on":"all"}]}', '{"v":1,"stops":[],"more":1}']) {
    expect(readStops(text)).toEqual({ ok: false, fault: "unreadable" })
  }
})
