import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { cefLine } from "../../../broker/core/export-formats/cef.ts"
import { NAMED_EVENTS } from "../../../broker/core/export-formats/event-words.ts"
import type { LedgerRecord } from "../../../broker/core/export-formats/facts.ts"
import { ocsfEvent } from "../../../broker/core/export-formats/ocsf.ts"
import { otlpLogs } from "../../../broker/core/export-formats/otlp.ts"
import { visible } from "../../../broker/core/policy/faults.ts"

const LEDGER = { issuer: "https://token.actions.githubusercontent.com", unit_id: "41" }

const RECORD = {
  version: 2,
  seq: 7,
  at: "2026-11-22T12:00:00.000Z",
  request_id: "0d5c6a8e-0f0b-4b52-8f6b-0f4f5a1f6d6e",
  event: "exchange.minted",
  identity: {
    issuer: "github",
    unit_kind: "repository",
    unit: "acme/shop",
    unit_id: "41",
    owner: "acme",
    owner_id: "9001",
    environment: "production",
    ref: "refs/heads/main",
    event: "push",
    actor: "octocat",
    actor_id: "583231",
    run_id: "2001",
    run_attempt: "1",
  },
  token_digest: "q1J0",
  token_binding: "thumbprint",
  lease: "019aa3f4-6d0c-7c7e-9a56-0d8a2f1b7c11",
  grants: [
    {
      name: "aws-deploy",
      connection: "aws-prod",
      provider: "aws",
      resource: "arn:aws:iam::1:role/d",
      ttl_seconds: 900,
    },
  ],
  decision: "allow",
  reason: "minted",
  policy_version: "f0da",
  client_address: "203.0.113.7",
}

/** The names that others choose, in a record. */
const withNames = (name: string): LedgerRecord => ({
  ledger: LEDGER,
  record: {
    ...RECORD,
    reason: name,
    identity: { ...RECORD.identity, unit: name, ref: name, actor: name, environment: name },
    grants: [{ ...RECORD.grants[0], resource: name }],
  },
})

/** Reads CEF as its specification says, and independently of the writer: character by character. */
function readCef(line: string): { header: string[]; fields: Map<string, string> } {
  const header: string[] = []
  let at = 0
  for (let part = ""; header.length < 7; at++) {
    const character = line[at]
    if (character === undefined) throw new Error("the header is cut")
    if (character === "\\") part += line[++at]
    else if (character === "|") {
      header.push(part)
      part = ""
    } else part += character
  }
  const fields = new Map<string, string>()
  let key: string | null = null
  let text = ""
  const close = (value: string) => {
    if (key === null) return
    if (fields.has(key)) throw new Error(`the key ${key} stands twice`)
    fields.set(key, value)
  }
  for (; at < line.length; at++) {
    const character = line[at]
    if (character === "\\") text += line[++at]
    else if (character !== "=") text += character
    else {
      const space = text.lastIndexOf(" ")
      close(text.slice(0, Math.max(0, space)))
      key = text.slice(space + 1)
      text = ""
    }
  }
  close(text)
  return { header, fields }
}

const HOSTILE = [
  "a|b",
  "a=b",
  "x cs1=forged act=allow",
  "back\\slash \\= \\| \\n",
  "two\nlines\r\nCEF:0|Daypass|broker|1|token.replayed|forged|10|",
  "\u2028separator\u2029",
  "\u0000\u001b[2J\u0085",
  "\"quotes\" and 'quotes'",
  "\u202eright to left",
  " spaces  at the ends ",
  "",
]

describe("CEF", () => {
  it("is one line whose fields a parser reads back, whatever names people choose", () => {
    const check = (name: string) => {
      const line = cefLine(withNames(name))
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u)
      const { header, fields } = readCef(line)
      expect(header).toEqual(["CEF:0", "Daypass", "broker", "1", "exchange.minted", "Credentials minted", "1"])
      const shown = visible(name)
      const expected = {
        reason: shown,
        suser: shown,
        cs1: shown === "" ? "41" : shown,
        cs4: shown,
        flexString1: shown,
        flexString2: shown,
      }
      for (const [key, value] of Object.entries(expected)) expect(fields.get(key) ?? "").toBe(value)
      expect(Object.fromEntries(fields)).toMatchObject({
        rt: "1795348800000",
        cn1: "7",
        act: "allow",
        src: "203.0.113.7",
      })
    }
    for (const name of HOSTILE) check(name)
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), check))
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("|", "=", "\\", " ", "a", "\n", "\u2028"), maxLength: 12 }), check),
    )
  })

  it("names an IPv6 address under CEF's own key for it", () => {
    const { fields } = readCef(cefLine({ ledger: LEDGER, record: { ...RECORD, client_address: "2001:db8::1" } }))
    expect(fields.get("c6a2")).toBe("2001:db8::1")
    expect(fields.has("src")).toBe(false)
  })
})

describe("OCSF", () => {
  const event = (record: object) => ocsfEvent({ ledger: LEDGER, record: record as never }) as Record<string, unknown>

  it("has the class, the activity and the outcome of what happened", () => {
    const classOf = (name: string) => {
      const { class_uid, activity_id, status_id } = event({ ...RECORD, event: name })
      return [class_uid, activity_id, status_id]
    }
    expect(classOf("exchange.minted")).toEqual([3003, 1, 1])
    expect(classOf("exchange.failed")).toEqual([3003, 1, 2])
    expect(classOf("exchange.denied")).toEqual([3002, 1, 2])
    expect(classOf("token.replayed")).toEqual([3002, 1, 2])
    expect(classOf("lease.closed")).toEqual([3002, 2, 1])
    expect(classOf("policies.changed")).toEqual([3004, 3, 1])
    expect(classOf("stop.ordered")).toEqual([3004, 11, 1])
    expect(classOf("something.newer")).toEqual([3004, 99, 0])
  })

  it("keeps what OCSF has no place for", () => {
    expect(event(RECORD)["unmapped"]).toMatchObject({ ref: "refs/heads/main", run_id: "2001", policy_version: "f0da" })
  })
})

describe("OTLP", () => {
  it("has the time in nanoseconds as a text, and a severity", () => {
    const { resourceLogs } = otlpLogs([{ ledger: LEDGER, record: RECORD }], "https://b.example")
    const [record] = resourceLogs[0]?.scopeLogs[0]?.logRecords ?? []
    expect(record).toMatchObject({
      timeUnixNano: "1795348800000000000",
      severityNumber: 9,
      eventName: "daypass.exchange.minted",
      body: { stringValue: "Credentials minted: minted" },
    })
  })
})

describe("every format", () => {
  it("takes records of version 1, of newer versions, and of no form at all", () => {
    const old = {
      ...RECORD,
      version: undefined,
      identity: { repository: "acme/shop", repository_id: "41", owner: "acme" },
    }
    const broken = { event: 5, identity: "x", grants: [null, 3, { name: {} }], at: "never", seq: "1" }
    for (const record of [old, { ...RECORD, event: "a.newer|event" }, broken, {}]) {
      const from = { ledger: LEDGER, record: record as never }
      readCef(cefLine(from))
      expect(ocsfEvent(from)).toMatchObject({ category_uid: 3 })
      expect(JSON.stringify(otlpLogs([from], "b"))).not.toContain("NaN")
    }
    expect(readCef(cefLine({ ledger: LEDGER, record: old as never })).fields.get("cs1")).toBe("acme/shop")
  })

  it("never writes a line break or a separator that ends a line", () => {
    for (const name of HOSTILE) {
      const from = withNames(name)
      for (const text of [JSON.stringify(ocsfEvent(from)), JSON.stringify(otlpLogs([from], "b"))]) {
        expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
      }
    }
  })

  it("has words for the events that the record knows", () => {
    expect(NAMED_EVENTS).toContain("exchange.minted")
    for (const event of NAMED_EVENTS)
      expect(cefLine({ ledger: LEDGER, record: { ...RECORD, event } })).not.toContain(`|${event}|${event}|`)
  })
})
