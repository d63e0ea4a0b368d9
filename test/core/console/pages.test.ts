import * as fc from "fast-check"
import { describe, expect, it, test } from "vitest"
import { html, pathOf } from "../../../broker/console/html.ts"
import { barsOf, chart, sum } from "../../../broker/console/pages/chart.ts"
import { nowPage } from "../../../broker/console/pages/now.ts"
import { picture } from "../../../broker/console/pages/picture.ts"
import { type ConsoleServices, part, type View } from "../../../broker/console/view.ts"
import { auditIdentity } from "../../../broker/core/audit-record.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { HourCount } from "../../../broker/ports/record-index.ts"
import { TestClock } from "../../support/clock.ts"
import { job } from "../job.ts"

const HOUR_MS = 3_600_000
const NOW = Date.parse("2026-11-22T12:34:56.000Z")

const HOSTILE = ["<", ">", "&", '"', "'", "\n", "\u0000", "\u202e", "\u2028", "\ud800", "a", "ß", "😀"]

describe("what a page shows", () => {
  test("is text in whatever place, and one line", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...HOSTILE) }), (text) => {
        const shown = html`<p title="${text}">${[text, [text]]}</p>`.toString()
        const inside = shown.slice('<p title="'.length, -"</p>".length)
        expect(inside.replace('">', "")).not.toMatch(/[<>"'\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(inside.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "")).not.toContain("&")
      }),
    )
  })

  it("keeps pieces as they are, and puts texts into addresses as texts", () => {
    expect(html`<b>${html`<i>${"<"}</i>`}${null}${1}</b>`.toString()).toBe("<b><i>&lt;</i>1</b>")
    expect(pathOf("/console/unit", { issuer: "https://x/?a&b", id: "", to: undefined })).toBe(
      "/console/unit?issuer=https%3A%2F%2Fx%2F%3Fa%26b",
    )
  })
})

describe("the chart", () => {
  test("has a bar for each hour, counts what is in them, and fits into its frame", () => {
    const counts = fc.array(fc.record({ back: fc.nat(60), minted: fc.nat(1e6), denied: fc.nat(1e6) }), {
      maxLength: 50,
    })
    fc.assert(
      fc.property(counts, (given) => {
        const byHour = new Map(given.map(({ back, ...events }) => [back, events]))
        const hours = [...byHour].map(([back, { minted, denied }]): HourCount => {
          const hour = Math.floor(NOW / HOUR_MS) * HOUR_MS - back * HOUR_MS
          return { hour, events: { "exchange.minted": minted, "exchange.denied": denied } }
        })
        const bars = barsOf(hours, NOW)
        expect(bars).toHaveLength(48)
        const shown = [...byHour].filter(([back]) => back < 48).map(([, events]) => events)
        expect(sum(bars, "granted")).toBe(shown.reduce((all, { minted }) => all + minted, 0))
        expect(sum(bars, "refused")).toBe(shown.reduce((all, { denied }) => all + denied, 0))
        for (const [, y = ""] of chart(bars)
          .toString()
          .matchAll(/<rect[^>]* y="([^"]+)"/g)) {
          expect(Number(y)).toBeGreaterThanOrEqual(0)
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe("the picture", () => {
  it("draws what several ways share once, and says when it leaves some out", () => {
    const few = picture(
      "t",
      ["a", "b"],
      [
        ["u", "x"],
        ["u", "y"],
        ["u", "x"],
      ],
      0,
    ).toString()
    expect([...few.matchAll(/<rect/g)]).toHaveLength(3)
    expect([...few.matchAll(/<path/g)]).toHaveLength(2)
    const many = picture(
      "t",
      ["a", "b"],
      Array.from({ length: 3000 }, (_, at) => [`u${at}`, "x"]),
      0,
    ).toString()
    expect(many).toContain("The picture shows 40 of 3000 ways.")
    expect([...many.matchAll(/<rect/g)]).toHaveLength(41)
  })
})

describe("a part of a page", () => {
  it("that fails is told, with our own sentence alone", async () => {
    const known = await part("The search", () => Promise.reject(new BrokerError("ledger_unavailable", "it is broken.")))
    expect(known).toEqual({ ok: false, fault: "The search cannot be shown: it is broken." })
    const unknown = await part("The search", () => Promise.reject(new Error("a password")))
    expect(unknown).toMatchObject({ ok: false, fault: expect.not.stringContaining("password") })
  })

  it("that a person may not see is no fault, but the answer of the page", async () => {
    const hidden = new BrokerError("not_allowed", "there is no such unit")
    await expect(part("The unit", () => Promise.reject(hidden))).rejects.toBe(hidden)
  })
})

describe("the page of now", () => {
  it("shows what can be read, and says what is lost, broken or unwell", async () => {
    const broken = () => Promise.reject(new BrokerError("ledger_unavailable", "the file of the index is damaged."))
    const unwell = {
      state: "degraded",
      reason: "a witness does not cosign",
      since: new Date(NOW - HOUR_MS).toISOString(),
    }
    const services = {
      broker: {
        clock: new TestClock(NOW),
        health: [{ part: "checkpoints", look: async () => unwell }],
        policySource: {
          snapshot: async () => ({ version: "v1", organisation: { issuers: new Map() } }),
          status: () => ({ version: "v1", policies: 7, loaded_at: new Date(NOW - 2 * HOUR_MS).toISOString() }),
        },
      },
      documents: { read: async () => ({ version: 0, text: null }) },
      index: { hours: broken, search: broken },
    } as unknown as ConsoleServices
    const may = new Set(["audit.read", "leases.read", "stop", "policies.read"] as const)
    const operator = {
      identity: auditIdentity(job()),
      grant: "operator",
      may,
      scope: {},
      lease: "",
      expiresAt: new Date(),
    }
    const view: View = { services, session: { operator, form: "" }, query: new URLSearchParams() }
    const text = html`${(await nowPage(view)).body}`.toString()
    expect(text).toContain("<strong>checkpoints: degraded</strong> for 1 hour. a witness does not cosign")
    expect(text).toContain("The counts by hour cannot be shown: the file of the index is damaged.")
    expect(text).toContain("The open leases cannot be shown: This broker does not follow its ledgers")
    expect(text).toContain("loaded 2 hours ago")
    expect(text).toContain("nothing is stopped")
    expect(text).not.toContain("<svg")
  })
})
