import { readFileSync } from "node:fs"
import type { Credential } from "../answer.ts"
import { deliveryRefused } from "../failure.ts"
import { stepEnvironment } from "../runner.ts"

/** What the processes of later steps start with. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  /** The environment of now. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Linux: the limit of the stack, from which the kernel derives the room for arguments; NaN when unknown. */
  stackBytes(): number
}

/** What this step can know of them. */
export const surroundings = (): Surroundings => ({
  platform: process.platform,
  environment: stepEnvironment(),
  stackBytes: () => {
    try {
      const soft = /^Max stack size +([0-9]+|unlimited) /m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1]
      return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft)
    } catch {
      return Number.NaN
    }
  },
})

/** Linux, `MAX_ARG_STRLEN`: the name, the equals sign, the value and a NUL. */
const LINUX_VARIABLE_BYTES = 128 * 1024
/** Windows: the same, in characters of UTF-16. */
const WINDOWS_VARIABLE_CHARACTERS = 32_767
/** execve(2): a quarter of the stack, from 128 KiB up to three quarters of 8 MiB. */
const LINUX_LEAST_TOTAL_BYTES = 128 * 1024
const LINUX_MOST_TOTAL_BYTES = 6 * 1024 * 1024
const LINUX_USUAL_STACK_BYTES = 8 * 1024 * 1024
/** macOS, `ARG_MAX`. */
const MACOS_TOTAL_BYTES = 1024 * 1024
/** For arguments, and for variables that later steps add. A small total is shared instead: a quarter of it. */
const RESERVE_BYTES = 128 * 1024
const POINTER_BYTES = 8

/**
 * Refuses variables with which the system could start no process, because each later step of the job, the post steps among
 * them, would fail with "Argument list too long". `variables` are those that the step is about to set.
 * @throws {ActionError} `delivery_refused`; the message names the grant, the variable, and the remedy
 */
export function requireRoom(
  credentials: readonly Credential[],
  variables: ReadonlyMap<string, string>,
  around: Surroundings,
): void {
  if (variables.size === 0) return
  const isWindows = around.platform === "win32"
  const most = isWindows ? WINDOWS_VARIABLE_CHARACTERS : LINUX_VARIABLE_BYTES
  const sizes = new Map(
    [...variables].map(([name, value]) => [name, isWindows ? lengthOf(name, value) : bytesOf(name, value)]),
  )
  const [largest = "", size = 0] = [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0] as const)
  const remedy = `Deliver it as a file: add \`as: file\` to ${largest} in the policy.`
  if (around.platform !== "darwin" && size > most) {
    const limit = isWindows ? "32,767 characters" : "128 KiB"
    throw deliveryRefused(
      `The value of ${ownerOf(largest, credentials)} for ${largest} is too large. No later step could start with a variable of more than ${limit}. ${remedy}`,
    )
  }
  if (isWindows) return
  const total = totalOf(sizes, around.environment)
  if (total <= roomFor(total, around)) return
  throw deliveryRefused(
    `The variables of this step and the environment of this job are together too large for later steps to start with. The largest is ${largest} of ${ownerOf(largest, credentials)}. ${remedy}`,
  )
}

/** The environment of later steps: what is there now, with the new variables in the place of older ones. */
function totalOf(sizes: ReadonlyMap<string, number>, environment: Surroundings["environment"]): number {
  let total = 0
  for (const size of sizes.values()) total += size + POINTER_BYTES
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !sizes.has(name)) total += bytesOf(name, value) + POINTER_BYTES
  }
  return total
}

function roomFor(total: number, { platform, stackBytes }: Surroundings): number {
  if (platform === "darwin") return withoutReserve(MACOS_TOTAL_BYTES)
  const least = withoutReserve(LINUX_LEAST_TOTAL_BYTES)
  // The limit is a file of /proc, which most steps need not read.
  if (total <= least) return least
  const stack = stackBytes()
  const quarter = (Number.isNaN(stack) ? LINUX_USUAL_STACK_BYTES : stack) / 4
  return withoutReserve(Math.max(LINUX_LEAST_TOTAL_BYTES, Math.min(LINUX_MOST_TOTAL_BYTES, quarter)))
}

const withoutReserve = (bytes: number) => bytes - Math.min(RESERVE_BYTES, bytes / 4)

const bytesOf = (name: string, value: string) => Buffer.byteLength(name) + Buffer.byteLength(value) + 2

const lengthOf = (name: string, value: string) => name.length + value.length + 2

function ownerOf(variable: string, credentials: readonly Credential[]): string {
  return credentials.find(({ values }) => values.some(({ env }) => env === variable))?.grant ?? ""
}
