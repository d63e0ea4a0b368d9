import { describe, expect, test } from "vitest"
import { readDatabaseAddress } from "../../broker/adapters/postgres/address.ts"
import { readStorePlace } from "../../broker/entry/node-store.ts"

const read = (url: string, password?: string) => {
  const address = readDatabaseAddress(url, password)
  return address.ok ? address.value : address.fault
}

describe("the URL of a database", () => {
  test.each([
    ["postgres://db.example/daypass", [{ host: "db.example", port: 5432 }]],
    ["postgresql://u:p@DB.example:6432/daypass", [{ host: "db.example", port: 6432 }]],
    ["postgres://[::1]:6432/daypass", [{ host: "::1", port: 6432 }]],
    [
      "postgres://a.example,b.example:1/daypass",
      [
        { host: "a.example", port: 5432 },
        { host: "b.example", port: 1 },
      ],
    ],
    ["postgres:///daypass?host=/run/postgresql", [{ host: "/run/postgresql", port: 5432 }]],
  ])("%s names its hosts", (url, hosts) => {
    expect(read(url)).toMatchObject({ hosts, database: "daypass" })
  })

  test("has user and password, or the password comes from PGPASSWORD; its name has neither", () => {
    const own = read("postgres://a%40b:p%3Aw@h.example/d", "other")
    expect(own).toMatchObject({ user: "a@b", name: "h.example:5432/d" })
    expect(typeof own === "object" && own.password.reveal()).toBe("p:w")
    const given = read("postgres://a@h.example/d", "other")
    expect(typeof given === "object" && given.password.reveal()).toBe("other")
    expect(JSON.stringify(own)).not.toContain("p:w")
  })

  test.each([
    ["postgres://db.example/d", {}],
    ["postgres://db.example/d?sslmode=verify-full", {}],
    ["postgres://db.example/d?sslmode=require", { rejectUnauthorized: false }],
    ["postgres://127.0.0.1/d", false],
    ["postgres://localhost/d?sslmode=prefer", false],
    ["postgres:///d?host=/run/postgresql", false],
    ["postgres://localhost/d?sslmode=verify-full", {}],
  ])("%s says how it is encrypted", (url, tls) => {
    expect(read(url)).toMatchObject({ tls })
  })

  test.each([
    ["postgres://db.example/d?sslmode=disable", /without TLS to another machine/],
    ["postgres://db.example/d?sslmode=prefer", /without TLS to another machine/],
    ["postgres://localhost,db.example/d?sslmode=disable", /without TLS to another machine/],
    ["postgres://db.example/d?sslmode=on", /sslmode/],
    ["postgres://db.example/d?sslrootcert=/nowhere", /sslrootcert/],
    ["postgres://db.example/d?options=x", /not known/],
    ["postgres://db.example", /must be postgres:/],
    ["postgres:///d", /must name a host/],
    ["postgres://db.example:0/d", /must name a host/],
    ["postgres://u:p%@db.example/d", /%25/],
    ["mysql://u:secret@db.example/d", /must be postgres:/],
  ])("%s is refused, without a word of it", (url, reason) => {
    const fault = read(url)
    expect(fault).toMatch(reason)
    expect(fault).not.toMatch(/secret|db\.example/)
  })
})

describe("where a broker's store is", () => {
  const place = (given: Partial<Parameters<typeof readStorePlace>[0]>) => {
    const read = readStorePlace({ data: undefined, store: undefined, env: {}, ...given })
    return read.ok ? read.value.kind : read.fault
  }

  test("is a folder, or a database by option or environment, and one of them", () => {
    expect(place({ data: "/data" })).toBe("folder")
    expect(place({ store: "postgres://h.example/d" })).toBe("database")
    expect(place({ env: { DAYPASS_STORE: "postgres://u:p@h.example/d" } })).toBe("database")
    expect(place({})).toMatch(/^--data or --store is required/)
    expect(place({ data: "/data", env: { DAYPASS_STORE: "postgres://h.example/d" } })).toMatch(/exclude each other/)
  })

  test("is not taken from a command line with a password, which is in the list of processes", () => {
    expect(place({ store: "postgres://u:secret@h.example/d" })).toMatch(/^--store has a password(?!.*secret)/)
  })
})
