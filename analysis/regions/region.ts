import { ok, type Result } from "../../broker/core/result.ts"
import { type Axis, allValues, type Space } from "./space.ts"
import { type TooComplex, tooComplex } from "./too-complex.ts"

/** A set of identities of one space: all that are in any of its boxes. */
export interface Region {
  readonly space: Space
  readonly boxes: readonly Box[]
}

/** For each axis of the space, the values that it admits, as bits; never none. What a rule matches is one box. */
export type Box = readonly bigint[]

/** One identity, as far as its space tells: claims by name, those left out that are missing. */
export type Witness = Readonly<Record<string, string>>

const MAX_BOXES = 2_000

/** Every identity of the space. */
export const everything = (space: Space): Region => ({ space, boxes: meaningful([space.axes.map(allValues)]) })

/** No identity. */
export const nothing = (space: Space): Region => ({ space, boxes: [] })

/** The box in which each named axis is narrowed to some of its values. Empty when one is narrowed to none. */
export function boxRegion(space: Space, narrowed: (axis: Axis) => bigint): Region {
  return { space, boxes: meaningful([space.axes.map((axis) => allValues(axis) & narrowed(axis))]) }
}

export const isEmpty = ({ boxes }: Region): boolean => boxes.length === 0

/** What is in any of the regions. */
export function union(space: Space, regions: readonly Region[]): Result<Region, TooComplex> {
  const boxes = regions.flatMap((region) => region.boxes)
  return boxes.length > MAX_BOXES ? TOO_MANY_CUTS : absorbed(space, boxes)
}

/** What is in both. */
export function intersect(one: Region, other: Region): Result<Region, TooComplex> {
  const common: Box[] = []
  for (const a of one.boxes) {
    if (!spend(one.space, other.boxes.length)) return TOO_MANY_CUTS
    for (const b of other.boxes) {
      const box = commonTo(a, b)
      if (box !== null) common.push(box)
    }
    if (common.length > MAX_BOXES) return TOO_MANY_CUTS
  }
  return absorbed(one.space, common)
}

/** What is in the first and in no box of the second. */
export function subtract(from: Region, other: Region): Result<Region, TooComplex> {
  let left: readonly Box[] = from.boxes
  for (const taken of other.boxes) {
    if (!spend(from.space, left.length)) return TOO_MANY_CUTS
    const pieces: Box[] = []
    for (const box of left) cut(box, taken, pieces)
    left = pieces
    if (left.length > MAX_BOXES) return TOO_MANY_CUTS
  }
  return ok({ space: from.space, boxes: left })
}

/** Whether all of one region is in the other. */
export function isWithin(one: Region, other: Region): Result<boolean, TooComplex> {
  const left = subtract(one, other)
  return left.ok ? ok(isEmpty(left.value)) : left
}

/** Whether two regions have an identity in common. */
export const meets = (one: Region, other: Region): boolean =>
  one.boxes.some((a) => other.boxes.some((b) => commonTo(a, b) !== null))

/** An identity of the region, each claim as plausible as the space's samples allow; null when the region is empty. */
export function witness({ space, boxes }: Region): Witness | null {
  const [box] = boxes
  if (box === undefined) return null
  const claims: [string, string][] = []
  for (const [index, axis] of space.axes.entries()) {
    const value = axis.values[lowestBit(box[index] ?? 0n)] ?? null
    if (value !== null) claims.push([axis.claim, value])
  }
  return Object.fromEntries(claims)
}

/** Whether an identity of the space, one of the values on each axis, is in the region. Left out: missing. */
export function contains({ space, boxes }: Region, point: Witness): boolean {
  const bits = space.axes.map(({ claim, values }) => {
    const index = values.indexOf(Object.hasOwn(point, claim) ? (point[claim] ?? null) : null)
    return index < 0 ? 0n : 1n << BigInt(index)
  })
  return boxes.some((box) => box.every((admitted, axis) => (admitted & (bits[axis] ?? 0n)) !== 0n))
}

/** The values that a box admits on each axis that it narrows. */
export function narrowedBy(space: Space, box: Box): ReadonlyMap<string, readonly (string | null)[]> {
  const narrowed = new Map<string, readonly (string | null)[]>()
  for (const [index, axis] of space.axes.entries()) {
    const bits = box[index] ?? 0n
    if (bits !== allValues(axis))
      narrowed.set(
        axis.claim,
        axis.values.filter((_, at) => (bits >> BigInt(at)) & 1n),
      )
  }
  return narrowed
}

// The loops below run millions of times for two large folders: they end at the first axis that decides, and make nothing.

/** What two boxes have in common; null when that is nothing. */
function commonTo(one: Box, other: Box): Box | null {
  const common: bigint[] = []
  for (let axis = 0; axis < one.length; axis++) {
    const bits = (one[axis] ?? 0n) & (other[axis] ?? 0n)
    if (bits === 0n) return null
    common.push(bits)
  }
  return common
}

/** Adds to `pieces` what is left of a box: pieces without overlap, at most one an axis. */
function cut(box: Box, taken: Box, pieces: Box[]): void {
  const common = commonTo(box, taken)
  if (common === null) {
    pieces.push(box)
    return
  }
  for (let axis = 0; axis < box.length; axis++) {
    const kept = (box[axis] ?? 0n) ^ (common[axis] ?? 0n)
    if (kept === 0n) continue
    const piece = box.slice()
    for (let before = 0; before < axis; before++) piece[before] = common[before] ?? 0n
    piece[axis] = kept
    pieces.push(piece)
  }
}

/** The same boxes without those that another of them holds. */
function absorbed(space: Space, boxes: readonly Box[]): Result<Region, TooComplex> {
  const kept: Box[] = []
  for (const box of boxes) {
    if (!spend(space, 2 * kept.length)) return TOO_MANY_CUTS
    if (kept.some((other) => holds(other, box))) continue
    kept.splice(0, kept.length, ...kept.filter((other) => !holds(box, other)), box)
  }
  return ok({ space, boxes: kept })
}

function holds(outer: Box, inner: Box): boolean {
  for (let axis = 0; axis < inner.length; axis++) {
    const bits = inner[axis] ?? 0n
    if ((bits & (outer[axis] ?? 0n)) !== bits) return false
  }
  return true
}

const meaningful = (boxes: readonly Box[]): readonly Box[] => boxes.filter((box) => box.every((bits) => bits !== 0n))

/** A box compared with so many others, on every axis. */
const spend = ({ axes, work }: Space, boxes: number): boolean => work.spend(boxes * axes.length)

const TOO_MANY_CUTS = tooComplex("these rules cut each other in too many ways")

function lowestBit(bits: bigint): number {
  return bits === 0n ? -1 : (bits & -bits).toString(2).length - 1
}
