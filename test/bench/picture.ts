import type { Axis, Curve } from "./section.ts"

const WIDTH = 640
const HEIGHT = 320
const LEFT = 56
const RIGHT = 28
const TOP = 56
const BOTTOM = 48
/** Seen on white and on black; the dashes tell the lines apart without colours. */
const STROKES = [
  { colour: "#3b82f6", dashes: "none" },
  { colour: "#d97706", dashes: "6 3" },
  { colour: "#16a34a", dashes: "2 3" },
] as const

type Point = readonly [x: number, y: number]

/**
 * A curve as an SVG file without scripts, fonts or other files. The ground is transparent, and text and grid are a grey that
 * can be read on a light and on a dark page: a picture in Markdown does not learn the page's colours.
 */
export function pictureOf({ title, x, y, lines }: Curve): string {
  const points = lines.flatMap((line) => line.points)
  const across = scaleOf(
    x,
    points.map(([at]) => at),
    [LEFT, WIDTH - RIGHT],
  )
  const up = scaleOf(
    y,
    points.map(([, at]) => at),
    [HEIGHT - BOTTOM, TOP],
  )
  const grid = up.ticks.map(
    (tick) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(up, tick)}" y2="${at(up, tick)}" stroke="#757b83" stroke-opacity="0.3"/>` +
      `<text x="${LEFT - 8}" y="${at(up, tick) + 4}" text-anchor="end">${shown(tick)}</text>`,
  )
  const below = across.ticks.map(
    (tick) => `<text x="${at(across, tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${shown(tick)}</text>`,
  )
  const drawn = lines.map(({ points }, index) => {
    const { colour, dashes } = strokeOf(index)
    const path = thinned(points).map(([px, py]) => `${at(across, px)},${at(up, py)}`)
    return `<polyline points="${path.join(" ")}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"/>`
  })
  const legend = lines.map(({ name }, index) => {
    const { colour, dashes } = strokeOf(index)
    const from = LEFT + index * 190
    return (
      `<line x1="${from}" x2="${from + 24}" y1="38" y2="38" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"/>` +
      `<text x="${from + 30}" y="42">${escaped(name)}</text>`
    )
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#757b83">`,
    `<title>${escaped(title)}</title>`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${escaped(`${title}, ${y.label}`)}</text>`,
    ...legend,
    ...grid,
    ...below,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(x.label)}</text>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n")
}

interface Scale {
  readonly ticks: readonly number[]
  readonly of: (value: number) => number
}

const at = (scale: Scale, value: number) => Math.round(scale.of(value) * 10) / 10

function scaleOf({ scale }: Axis, values: readonly number[], [from, to]: readonly [number, number]): Scale {
  if (scale === undefined) {
    const step = stepFor(Math.max(...values))
    const ticks = Array.from(
      { length: Math.max(1, Math.ceil(Math.max(...values) / step)) + 1 },
      (_, index) => index * step,
    )
    const most = ticks.at(-1) ?? 1
    return { ticks, of: (value) => from + ((to - from) * value) / most }
  }
  const log = scale === "log2" ? Math.log2 : Math.log10
  const least = Math.floor(log(Math.min(...values)))
  const most = Math.max(least + 1, Math.ceil(log(Math.max(...values))))
  const ticks = Array.from({ length: most - least + 1 }, (_, index) => (scale === "log2" ? 2 : 10) ** (least + index))
  return { ticks, of: (value) => from + ((to - from) * (log(value) - least)) / (most - least) }
}

/** 1, 2 or 5 times a power of ten, so that there are four to nine lines. */
function stepFor(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most || 1))
  const steps = [power / 5, power / 2, power, power * 2]
  return steps.find((step) => most / step <= 9) ?? power
}

/** One sample a second for minutes is more than the picture has pixels: of each stretch, the highest. */
function thinned(points: readonly Point[]): readonly Point[] {
  const stretch = Math.ceil(points.length / 300)
  return points.flatMap((_, index) => {
    if (index % stretch !== 0) return []
    const part = points.slice(index, index + stretch)
    return [part.reduce((highest, point) => (point[1] > highest[1] ? point : highest))]
  })
}

const strokeOf = (index: number) => STROKES[index % STROKES.length] ?? STROKES[0]
const shown = (value: number) => Number(value.toPrecision(3)).toLocaleString("en-US")
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
