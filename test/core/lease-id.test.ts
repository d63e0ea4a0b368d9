import { describe, expect, test } from "vitest"
import { LEASE_ID, newLeaseId } from "../../broker/wire/lease-id.ts"

const NOW = new Date("2026-11-22T12:00:00.000Z")

describe("a lease's id", () => {
  test("is a UUID of version 7, with the time in front", () => {
    const id = newLeaseId(NOW, crypto.randomUUID())
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(NOW.getTime())
  })

  test("is another one each time, also within one millisecond", () => {
    expect(new Set(Array.from({ length: 1000 }, () => newLeaseId(NOW, crypto.randomUUID()))).size).toBe(1000)
  })

  test("sorts behind the ids of every earlier millisecond", () => {
    const times = [0, 1, 0xffff, 0x10000, NOW.getTime(), NOW.getTime() + 1, Date.UTC(9999, 11, 31)]
    const ids = times.map((time) => newLeaseId(new Date(time), crypto.randomUUID()))
    expect(ids.toSorted()).toEqual(ids)
  })

  test.each([
    ["a new one", newLeaseId(NOW, crypto.randomUUID()), true],
    ["another version's", "5f0ec0de-6d0c-4c7e-9a56-0d8a2f1b7c11", false],
    ["another variant's", "5f0ec0de-6d0c-7c7e-ca56-0d8a2f1b7c11", false],
    ["capital letters", newLeaseId(NOW, crypto.randomUUID()).toUpperCase().replaceAll(/[0-9]/g, "A"), false],
    ["a longer text", `${newLeaseId(NOW, crypto.randomUUID())}0`, false],
    ["a text with something in front", `0${newLeaseId(NOW, crypto.randomUUID())}`, false],
    ["nothing", "", false],
  ])("is recognised as it is spelled: %s", (_name, id, expected) => {
    expect(LEASE_ID.test(id)).toBe(expected)
  })
})
