import { describe, expect, test } from "vitest"
import { readInputs } from "../../action/inputs.ts"

const read = (inputs: Record<string, string>) => {
  const all: Record<string, string> = { broker: "https://daypass.example.com", grants: "a", ...inputs }
  return readInputs((name) => all[name] ?? "")
}

test("an absent input has its default", () => {
  expect(read({})).toEqual({
    broker: "https://daypass.example.com",
    audience: "https://daypass.example.com",
    grants: ["a"],
    deliver: "environment",
    timeoutMs: 60_000,
    parallelJobs: 1,
    keep: false,
    sweep: { mode: "warn", paths: [] },
  })
})

test.each([
  ["a trailing slash", { broker: "https://daypass.example.com/" }, { broker: "https://daypass.example.com" }],
  [
    "capitals and the default port",
    { broker: "HTTPS://Daypass.Example.com:443" },
    { broker: "https://daypass.example.com" },
  ],
  ["http to loopback", { broker: "http://localhost:8787" }, { broker: "http://localhost:8787" }],
  ["grants on lines and with commas", { grants: "a, b\n c\n\nd," }, { grants: ["a", "b", "c", "d"] }],
  ["another audience", { audience: "daypass" }, { audience: "daypass" }],
  ["a lifetime", { ttl: "90s" }, { ttl: "90s" }],
  ["a timeout in seconds", { timeout: "90s" }, { timeoutMs: 90_000 }],
  ["the longest timeout", { timeout: "10m" }, { timeoutMs: 600_000 }],
  ["the size of the matrix", { "parallel-jobs": "256" }, { parallelJobs: 256 }],
  ["a job without a matrix", { "parallel-jobs": "0" }, { parallelJobs: 1 }],
  ["a lease that is kept", { keep: "true" }, { keep: true }],
  ["a lease that is not kept", { keep: "false", run: "true" }, { keep: false }],
  ["no sweep", { sweep: "off" }, { sweep: { mode: "off", paths: [] } }],
  [
    "a strict sweep of two places",
    { sweep: "fail", "sweep-paths": " dist \r\n\n/tmp/a b.tar\n" },
    { sweep: { mode: "fail", paths: ["dist", "/tmp/a b.tar"] } },
  ],
  ["an expression that nothing evaluated", { "parallel-jobs": `\${{ strategy.job-total }}` }, { parallelJobs: 1 }],
])("takes %s", (_, inputs, expected) => {
  expect(read(inputs)).toMatchObject(expected)
})

describe("a wrong input is refused with its name and what to write", () => {
  test.each([
    [
      { broker: "" },
      "The input `broker` is missing; write the broker's origin, for example https://daypass.example.com.",
    ],
    [{ broker: "daypass" }, "The input `broker` must be a URL, for example https://daypass.example.com."],
    [{ broker: "http://daypass.example.com" }, "The input `broker` must start with https://"],
    [{ broker: "http://127.0.0.1.example.com" }, "The input `broker` must start with https://"],
    [{ broker: "ftp://daypass.example.com" }, "The input `broker` must start with https://"],
    [{ broker: "https://user:pass@daypass.example.com" }, "The input `broker` must be an origin without user"],
    [{ broker: "https://daypass.example.com/v1" }, "The input `broker` must be an origin without user"],
    [{ broker: "https://daypass.example.com/?a=b" }, "The input `broker` must be an origin without user"],
    [{ broker: "https://daypass.example.com?" }, "The input `broker` must be an origin without user"],
    [{ broker: "https://daypass.example.com#" }, "The input `broker` must be an origin without user"],
    [{ broker: "https://@daypass.example.com" }, "The input `broker` must be an origin without user"],
    [{ broker: "https:\\\\daypass.example.com" }, "The input `broker` must be an origin without user"],
    [{ broker: "https://daypass.example.com." }, "The input `broker` must be an origin without user"],
    [{ grants: " ,\n" }, "The input `grants` is missing"],
    [{ grants: "a b a" }, "The input `grants` names a twice; name each grant once."],
    [{ grants: "a $(evil)" }, "The input `grants` has the name `$(evil)`;"],
    [
      { grants: Array.from({ length: 33 }, (_, index) => `g${index}`).join() },
      "The input `grants` may name at most 32",
    ],
    [{ ttl: "15" }, "The input `ttl` must be a whole number with a unit, for example 90s, 15m or 1h, not `15`."],
    [{ ttl: "0m" }, "The input `ttl` must be"],
    [{ ttl: "1h30m" }, "The input `ttl` must be"],
    [
      { timeout: "60" },
      "The input `timeout` must be a whole number with a unit, for example 30s or 5m; the default is 60s.",
    ],
    [{ timeout: "0s" }, "The input `timeout` must be a whole number with a unit"],
    [{ timeout: "1.5m" }, "The input `timeout` must be a whole number with a unit"],
    [{ timeout: "-1s" }, "The input `timeout` must be a whole number with a unit"],
    [{ timeout: "60 s" }, "The input `timeout` must be a whole number with a unit"],
    [{ timeout: "11m" }, "The input `timeout` must be at most 10m."],
    [{ timeout: "601s" }, "The input `timeout` must be at most 10m."],
    [{ timeout: "1h" }, "The input `timeout` must be at most 10m."],
    [{ "parallel-jobs": "many" }, "The input `parallel-jobs` must be a whole number; leave it out."],
    [{ keep: "yes" }, "The input `keep` must be true or false."],
    [{ keep: "True" }, "The input `keep` must be true or false."],
    [{ keep: "true", run: "true" }, "The input `keep` cannot be true with `run`"],
    [{ sweep: "on" }, "The input `sweep` must be warn, fail or off; the default is warn."],
    [{ sweep: "off", "sweep-paths": "dist" }, "The input `sweep-paths` is for a sweep"],
    [{ "sweep-paths": "a\0b" }, "The input `sweep-paths` must not contain a NUL character."],
    [{ "sweep-paths": "a\n".repeat(101) }, "The input `sweep-paths` may have at most 100 lines."],
    [{ audience: "a b" }, "The input `audience` must have at most 256 printable ASCII characters"],
    [{ audience: "a?jkt=b" }, "The input `audience` must not contain ?jkt="],
    [{ deliver: "everywhere" }, "The input `deliver` must be environment, outputs, both or files."],
    [{ deliver: "file" }, "The input `deliver` must be environment, outputs, both or files, not `file`."],
  ])("%j", (inputs, message) => {
    expect(() => read(inputs)).toThrow(message)
  })

  test("and without quoting it, because a value may be a misplaced secret", () => {
    for (const name of ["broker", "ttl", "deliver", "audience", "timeout", "parallel-jobs", "keep", "sweep"]) {
      expect(() => read({ [name]: "hunter2 hunter2" })).toThrow(/^(?!.*hunter2)/)
    }
    // Digits and letters alone are no time.
    expect(() => read({ ttl: "7correct" })).toThrow(/^(?!.*correct)/)
    expect(() => read({ ttl: "8401732" })).toThrow(/^(?!.*8401732)/)
  })
})
