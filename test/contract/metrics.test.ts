import { readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { describe, expect, test, vi } from "vitest"
import { createCountsHandover } from "../../broker/adapters/cloudflare/counts.ts"
import { added, createMemoryMetrics, NO_COUNTS } from "../../broker/adapters/memory/metrics.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { SqlCounts } from "../../broker/adapters/sqlite/operate/counts.ts"
import { COUNTERS, GAUGES, metricsText } from "../../broker/operate/metrics.ts"
import type { Counts } from "../../broker/ports/metrics.ts"

/** Reads the text format as a scraper does: one sample a line, its series and its value. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  const typed = new Set<string>()
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE (\S+) (?:counter|gauge|histogram)$/.exec(line)
    if (type) {
      expect(typed.has(type[1] ?? ""), `${type[1]} is typed once`).toBe(false)
      typed.add(type[1] ?? "")
    }
    if (line.startsWith("#")) continue
    const sample = /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (\S+)$/.exec(line)
    if (sample === null) throw new Error(`no sample: ${line}`)
    const [, name = "", labels = "", value = ""] = sample
    expect(typed.has(name.replace(/_(?:bucket|sum|count)$/, "")) || typed.has(name), line).toBe(true)
    expect(samples.has(name + labels), `${line} is there once`).toBe(false)
    samples.set(name + labels, Number(value))
  }
  return samples
}

describe("metrics", () => {
  test("count what happened, in the form that Prometheus reads", () => {
    const metrics = createMemoryMetrics()
    metrics.count("exchanges", { outcome: "minted", code: "ok" })
    metrics.count("exchanges", { outcome: "minted", code: "ok" })
    metrics.count("provider_calls", { provider: "aws", outcome: "provider_denied" })
    for (const milliseconds of [4, 5, 30, 9_000, 60_000]) metrics.exchanged(milliseconds)
    const samples = samplesOf(metricsText(metrics.read(), []))
    expect(samples.get('daypass_exchanges_total{outcome="minted",code="ok"}')).toBe(2)
    expect(samples.get('daypass_provider_calls_total{provider="aws",outcome="provider_denied"}')).toBe(1)
    const bucket = (end: string) => samples.get(`daypass_exchange_duration_seconds_bucket{le="${end}"}`)
    expect(["0.005", "0.025", "0.05", "10", "+Inf"].map(bucket)).toEqual([2, 2, 3, 4, 5])
    expect(samples.get("daypass_exchange_duration_seconds_count")).toBe(5)
    expect(samples.get("daypass_exchange_duration_seconds_sum")).toBeCloseTo(69.039)
  })

  test("escape a label's value, and hold it whatever it is", () => {
    const odd = 'a"b\\c\nd'
    const gauge = { name: "health" as const, samples: [{ labels: { part: odd }, value: 1 }] }
    const text = metricsText(NO_COUNTS, [gauge])
    expect(samplesOf(text).get('daypass_health{part="a\\"b\\\\c\\nd"}')).toBe(1)
    const metrics = createMemoryMetrics()
    metrics.count("requests", { route: odd, code: "ok" })
    expect(samplesOf(metricsText(metrics.read(), [])).get('daypass_requests_total{route="a_b_c_d",code="ok"}')).toBe(1)
  })

  test("are taken once, and added to those of other instances", () => {
    const [first, second] = [createMemoryMetrics(), createMemoryMetrics()]
    first.count("requests", { route: "exchange", code: "ok" })
    second.count("requests", { route: "exchange", code: "ok" })
    second.exchanged(7)
    const sum = added(added(NO_COUNTS, first.take()), second.take())
    expect(sum.counters).toEqual({ 'daypass_requests_total{route="exchange",code="ok"}': 2 })
    expect([sum.exchanges[1], sum.exchangeMs]).toEqual([1, 7])
    expect([first.take(), second.read()]).toEqual([NO_COUNTS, NO_COUNTS])
  })

  test("of isolates come together in one row, and none is lost when it cannot be handed over", async () => {
    const sql = new NodeSql(new DatabaseSync(":memory:"))
    const sum = new SqlCounts(sql)
    let fails = true
    const send = async (counts: Counts) => {
      if (fails) throw new Error("the object cannot be reached")
      sum.add(counts)
    }
    const isolates = [createMemoryMetrics(), createMemoryMetrics()]
    const handovers = isolates.map((metrics) => createCountsHandover(metrics, send))
    const use = () => {
      for (const metrics of isolates) {
        metrics.count("exchanges", { outcome: "minted", code: "ok" })
        metrics.exchanged(7)
      }
    }
    use()
    for (const handover of handovers) await expect(handover.now()).rejects.toThrow("cannot be reached")
    use()
    fails = false
    for (const handover of handovers) await handover.now()
    await Promise.all(handovers.map((handover) => handover.now()))
    const read = new SqlCounts(sql).read()
    expect(read.counters).toEqual({ 'daypass_exchanges_total{outcome="minted",code="ok"}': 4 })
    expect([read.exchanges[1], read.exchangeMs]).toEqual([4, 28])
    expect(isolates.map((metrics) => metrics.read())).toEqual([NO_COUNTS, NO_COUNTS])
  })

  test("of an isolate are handed over ten seconds after the last time, by one request of all that wait", async () => {
    vi.useFakeTimers({ now: 1_800_000_000_000 })
    try {
      const metrics = createMemoryMetrics()
      const sent: number[] = []
      const handover = createCountsHandover(metrics, async () => void sent.push(Date.now() - 1_800_000_000_000))
      const request = () => {
        metrics.count("requests", { route: "exchange", code: "ok" })
        return handover.soon()
      }
      await Promise.all([request(), vi.advanceTimersByTimeAsync(0)])
      const waiting = [request(), request()]
      await vi.advanceTimersByTimeAsync(9_999)
      expect(sent).toEqual([0])
      await vi.advanceTimersByTimeAsync(1)
      await Promise.all(waiting)
      expect(sent).toEqual([0, 10_000])
      // A request that the platform ended does not stand in the way for ever.
      void request()
      vi.clearAllTimers()
      vi.setSystemTime(1_800_000_000_000 + 80_000)
      await Promise.all([request(), vi.advanceTimersByTimeAsync(0)])
      expect(sent).toEqual([0, 10_000, 80_000])
    } finally {
      vi.useRealTimers()
    }
  })

  test("stay bounded, whatever is counted", () => {
    const metrics = createMemoryMetrics()
    for (let index = 0; index < 5_000; index++) metrics.count("requests", { route: `r${index}`, code: "ok" })
    expect(Object.keys(metrics.read().counters)).toHaveLength(2_000)
  })

  const ROOT = fileURLToPath(new URL("../..", import.meta.url))
  const read = (path: string) => readFileSync(join(ROOT, path), "utf8")
  const names = [
    ...Object.keys(COUNTERS).map((name) => `daypass_${name}_total`),
    "daypass_exchange_duration_seconds",
    ...Object.keys(GAUGES).map((name) => `daypass_${name}`),
  ]

  test("are all in docs/metrics.md, and none besides", () => {
    const listed = [...read("docs/metrics.md").matchAll(/^\| `(daypass_[a-z_]+)` \|/gm)].map(([, name]) => name)
    expect(listed.sort()).toEqual([...names].sort())
  })

  test.each(["alerts.yml", "alerts.test.yml", "dashboard.json"])("that examples/monitoring/%s names exist", (file) => {
    const used = new Set(read(`examples/monitoring/${file}`).match(/\bdaypass_[a-z_]+/g))
    expect(used.size).toBeGreaterThan(10)
    expect([...used].filter((name) => !names.includes(name.replace(/_bucket$/, "")))).toEqual([])
  })
})
