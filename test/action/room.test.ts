import { spawnSync } from "node:child_process"
import { describe, expect, test } from "vitest"
import type { Credential } from "../../action/answer.ts"
import { requireRoom, type Surroundings, surroundings } from "../../action/deliver/room.ts"
import { ActionError } from "../../action/failure.ts"
import type { Expected } from "../support/scripted-broker.ts"
import { granted, play, revoked } from "./story.ts"

const KIB = 1024
const LINUX: Surroundings = { platform: "linux", environment: {}, stackBytes: () => 8 * KIB * KIB }

/** What is wrong with these variables, all of the grant `shop`; null when nothing is. */
function faultOf(variables: Record<string, string>, around: Partial<Surroundings> = {}): string | null {
  const values = Object.entries(variables).map(([env, value]) => ({
    name: env.toLowerCase(),
    value,
    secret: true,
    env,
  }))
  const credential: Credential = { grant: "shop", provider: "p", expiresAt: null, revocation: "expires-only", values }
  try {
    requireRoom([credential], new Map(Object.entries(variables)), { ...LINUX, ...around })
    return null
  } catch (thrown) {
    if (thrown instanceof ActionError && thrown.code === "delivery_refused") return thrown.message
    throw thrown
  }
}

/** Variables of this many bytes each, as the kernel counts them: with the name, the equals sign and the NUL. */
const variablesOf = (count: number, bytes: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = `V${String(index).padStart(3, "0")}`
      return [name, "x".repeat(bytes - name.length - 2)]
    }),
  )

const starts = (environment: Record<string, string>) => spawnSync("/bin/true", { env: environment }).error === undefined

describe.runIf(process.platform === "linux")("on this Linux", () => {
  const around: Surroundings = { ...surroundings(), environment: {} }

  test("the largest variable that is accepted starts a process, and one more byte does not", () => {
    const [most, more] = [variablesOf(1, 128 * KIB), variablesOf(1, 128 * KIB + 1)]
    expect([faultOf(most, around), starts(most)]).toEqual([null, true])
    expect([faultOf(more, around) === null, starts(more)]).toEqual([false, false])
  })

  test("characters of several bytes count as their bytes", () => {
    const value = "é".repeat(64 * KIB)
    expect([faultOf({ A: value }, around) === null, starts({ A: value })]).toEqual([false, false])
  })

  test("the most variables that are accepted start a process, and what starts none is refused", () => {
    const accepted = (count: number) => faultOf(variablesOf(count, 64 * KIB), around) === null
    let count = 1
    while (accepted(count + 1)) count++
    expect(count).toBeGreaterThan(4)
    expect(starts(variablesOf(count, 64 * KIB))).toBe(true)
    let failing = count
    while (starts(variablesOf(failing, 64 * KIB))) failing++
    expect(accepted(failing)).toBe(false)
  })
})

describe("what later steps could not start with", () => {
  test("is refused with its grant, its variable and the remedy, and without the value", () => {
    const fault = faultOf({ SMALL: "x", TLS_CHAIN: "y".repeat(128 * KIB) })
    expect(fault).toBe(
      "The value of shop for TLS_CHAIN is too large. No later step could start with a variable of more than 128 KiB. Deliver it as a file: add `as: file` to TLS_CHAIN in the policy.",
    )
  })

  test("counts the environment of now, and not the older value of a variable that is set anew", () => {
    const environment = variablesOf(24, 64 * KIB)
    expect(faultOf({ A: "x".repeat(60 * KIB) })).toBe(null)
    expect(faultOf(variablesOf(6, 64 * KIB), { environment })).toBe(null)
    expect(faultOf({ ...variablesOf(6, 64 * KIB), A: "x".repeat(60 * KIB) }, { environment })).toBe(null)
    const others = Object.fromEntries(
      Object.entries(variablesOf(6, 64 * KIB)).map(([name, value]) => [`O${name}`, value]),
    )
    expect(faultOf(others, { environment })).toBe(
      "The variables of this step and the environment of this job are together too large for later steps to start with. The largest is OV000 of shop. Deliver it as a file: add `as: file` to OV000 in the policy.",
    )
  })

  test("is nothing when the step sets no variable, whatever the environment is", () => {
    expect(faultOf({}, { environment: variablesOf(40, 64 * KIB) })).toBe(null)
  })

  test.each<[string, number, number]>([
    ["a small stack", 1024 * KIB, 2],
    ["a tiny stack, for which the kernel has a least room", 64 * KIB, 1],
    ["the usual stack", 8192 * KIB, 29],
    ["a stack without a limit, for which the kernel has a most room", Number.POSITIVE_INFINITY, 93],
    ["an unknown stack", Number.NaN, 29],
  ])("follows from %s", (_, stack, most) => {
    const around = { stackBytes: () => stack }
    expect(faultOf(variablesOf(most, 64 * KIB), around)).toBe(null)
    expect(faultOf(variablesOf(most + 1, 64 * KIB), around)).not.toBe(null)
  })

  test("on macOS is a total of 1 MiB, without a limit for one variable", () => {
    const around = { platform: "darwin" as const }
    expect(faultOf(variablesOf(1, 800 * KIB), around)).toBe(null)
    expect(faultOf(variablesOf(1, 900 * KIB), around)).not.toBe(null)
  })

  test("on Windows is a variable of more than 32,767 characters, however many bytes they have", () => {
    const around = { platform: "win32" as const }
    expect(faultOf({ AB: "é".repeat(32_763) }, around)).toBe(null)
    expect(faultOf({ AB: "x".repeat(32_764) }, around)).toContain("32,767 characters")
    expect(faultOf(variablesOf(60, 30_000), around)).toBe(null)
  })
})

describe("a step", () => {
  const grant = (count: number, deliver = "environment") => {
    const values = Object.entries(variablesOf(count, 64 * KIB)).map(
      ([env, value]) => [env.toLowerCase(), { value, secret: false, env }] as const,
    )
    return { script: granted({ g: { values: Object.fromEntries(values) } }), inputs: { grants: "g", deliver } }
  }
  const run = async (count: number, more: readonly Expected[], deliver?: string) => {
    const { script, inputs } = grant(count, deliver)
    return (await play([...script, ...more], { inputs })).run
  }

  test("delivers much, and a later process starts with it", async () => {
    const { exitCode, env } = await run(24, [])
    expect([exitCode, Object.keys(env).length]).toEqual([0, 24])
    expect(starts({ ...env, PATH: process.env["PATH"] ?? "" })).toBe(true)
  })

  test("sets nothing and gives the lease back when no later process could start", async () => {
    const { exitCode, env, outputs, state, log } = await run(32, revoked())
    expect([exitCode, env, outputs, state["lease"]]).toEqual([1, {}, {}, ""])
    expect(log).toContain("Deliver it as a file: add `as: file` to V000 in the policy.")
  })

  test("that delivers outputs sets no variables, and is not refused", async () => {
    expect((await run(32, [], "outputs")).exitCode).toBe(0)
  })
})
