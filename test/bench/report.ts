import { type ArmFigures, isKept, type Row, type Section } from "./section.ts"

/** The results as text: budgets first, then loads, then other numbers and what was not measured. */
export function printed(sections: Readonly<Record<string, Section>>, failed: Readonly<Record<string, string>>): string {
  const all = Object.entries(sections)
  const rows = all.flatMap(([, { rows = [] }]) => rows)
  const arms = all.flatMap(([, { arms = {} }]) => Object.entries(arms))
  const figures = all.flatMap(([section, { figures = {} }]) =>
    Object.entries(figures).map(([name, value]) => [`${section}: ${name}`, shown(value)] as const),
  )
  const missing = all.flatMap(([, { unmeasured = [] }]) => unmeasured)
  return [
    ...titled("budget", rows.map(rowLine)),
    ...titled(
      `${"".padEnd(34)}${["a second", "p50 ms", "p99 ms", "CPU ms", "main ms", "fsyncs"].map((head) => head.padStart(10)).join("")}`,
      arms.map(([name, arm]) => armLine(name, arm)),
    ),
    ...titled(
      "other numbers",
      figures.map(([name, value]) => `${name.padEnd(56)}${value.padStart(12)}`),
    ),
    ...titled("not measured", missing),
    ...titled(
      "failed",
      Object.entries(failed).map(([name, why]) => `${name}: ${why}`),
    ),
  ].join("\n")
}

const titled = (title: string, lines: readonly string[]) => (lines.length > 0 ? [title, ...lines, ""] : [])

const rowLine = (row: Row) =>
  `${isKept(row) ? "ok    " : "MISSED"} ${row.name.padEnd(72)}${shown(row.ratio).padStart(8)}   ${row.bound} ${row.budget}`

function armLine(name: string, arm: ArmFigures): string {
  const { requests_per_second, p50_ms, p99_ms, cpu_ms, main_cpu_ms, fsyncs } = arm
  const cells = [requests_per_second, p50_ms, p99_ms, cpu_ms, main_cpu_ms, fsyncs]
  return name.padEnd(34) + cells.map((cell) => (cell === null ? "not counted" : shown(cell)).padStart(10)).join("")
}

/** Three digits after the point for what is small, none for what is large. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return "none"
  return Math.abs(value) >= 1000
    ? String(Math.round(value))
    : String(Number(value.toFixed(Math.abs(value) < 10 ? 3 : 1)))
}
