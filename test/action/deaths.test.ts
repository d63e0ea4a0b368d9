import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Expected } from "../support/scripted-broker.ts"
import { GONE, held, KEY, pathOf, post, type SavedLease, savedLeases } from "./killed.ts"
import { granted, leftIn, play, revoked } from "./story.ts"

// Each process that can be killed, with SIGKILL, which it cannot handle: what stays behind, and what the post step does then.

let temp = ""
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "daypass-temp-"))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

describe("main, killed", () => {
  test("before it asks for the exchange: nothing is saved, and the post step does nothing", async () => {
    const token = held("token")
    const { run } = await play([token.request], { temp, killed: token.arrived })
    expect([run.exitCode, run.state, run.env, readdirSync(temp)]).toEqual([null, {}, {}, []])
    const after = await post(run, [], { temp })
    expect([after.run.exitCode, after.run.stdout]).toEqual([0, ""])
  })

  test.each<[string, Expected[], RegExp]>([
    ["which the broker minted for", revoked(), /^::add-mask::[^\n]+\nCannot revoke aws-deploy/],
    ["which the broker refused", revoked(GONE), /^::add-mask::[^\n]+\n$/],
  ])("while it waits for the exchange, %s: the lease is saved, and the post step ends it", async (_, script, says) => {
    const exchange = held("exchange")
    const { run } = await play([{ on: "token" }, exchange.request], { temp, killed: exchange.arrived })
    expect([run.exitCode, run.env, readdirSync(temp)]).toEqual([null, {}, []])
    const [lease, ...more] = savedLeases(run)
    expect([lease?.expiresAt, more]).toEqual([null, []])
    const after = await post(run, script, { temp })
    expect(after.revocations).toEqual([pathOf(lease as SavedLease)])
    expect(after.run.stdout).toMatch(says)
  })

  test("between the answer and the delivery: nothing is delivered, and the post step revokes", async () => {
    // So many masks that the step waits for its log, which is not read until then.
    const leaves = Array.from({ length: 60 }, (_, index) => `leaf-${index}-${"x".repeat(80)}`)
    const values = { many: { value: JSON.stringify(leaves), secret: true, env: "MANY" }, key: KEY }
    let kills = 0
    const { run } = await play(granted({ g: { values } }), {
      temp,
      inputs: { grants: "g" },
      watch: (stdout, send) => {
        if (kills > 0 || !stdout.includes("::add-mask::leaf-0")) return
        kills += 1
        send("SIGKILL")
      },
    })
    const [lease] = savedLeases(run)
    expect([run.exitCode, run.env, lease?.expiresAt]).toEqual([null, {}, "2031-05-06T07:08:09.000Z"])
    const after = await post(run, revoked(), { temp })
    expect([after.revocations, readdirSync(temp)]).toEqual([[pathOf(lease as SavedLease)], []])
  })

  test("at any moment: a lease that the broker was asked for is saved, and no file stays after the post step", async () => {
    const script = granted({ g: { values: { key: KEY } } })
    const whole = await play(script, { temp, inputs: { grants: "g" } })
    for (const folder of ["files", "issued"]) rmSync(whole.run.state[folder] ?? "", { recursive: true })
    const moments = Array.from({ length: 8 }, (_, at) => whole.run.durationMs * (0.5 + at / 12))
    for (const moment of moments) {
      let asked = false
      const watched = script.map((one): Expected => {
        if (one.on !== "exchange") return one
        const when = async () => {
          asked = true
          return one.reply
        }
        return { on: "exchange", reply: { when } }
      })
      const killed = new Promise((resolve) => setTimeout(resolve, moment))
      // A step that died early leaves requests of the script undone, which is no fault here.
      const run = await play(watched, { temp, inputs: { grants: "g" }, killed }).then(
        (story) => story.run,
        () => null,
      )
      if (run === null) {
        expect(asked).toBe(false)
        continue
      }
      const leases = savedLeases(run)
      expect({ moment, leases: leases.length }).toEqual({ moment, leases: 1 })
      const after = await post(run, revoked(), { temp })
      expect([after.revocations, readdirSync(temp)]).toEqual([leases.map(pathOf), []])
    }
  })
})

describe("post, killed while it revokes", () => {
  test("has removed the files already, and a second one revokes", async () => {
    const main = await play(granted({ g: { values: { key: KEY } } }), { temp, inputs: { grants: "g" } })
    const revocation = held("revoke")
    const first = await post(main.run, [{ on: "token" }, revocation.request], { temp, killed: revocation.arrived })
    expect([first.run.exitCode, leftIn(temp)]).toEqual([null, []])
    const second = await post(main.run, revoked(), { temp })
    expect([second.run.exitCode, second.revocations, readdirSync(temp)]).toEqual([
      0,
      savedLeases(main.run).map(pathOf),
      [],
    ])
  })
})
