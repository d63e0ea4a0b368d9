import { execFileSync } from "node:child_process"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { commandLine, commandLineWithoutQuotes } from "../../action/clouds/command-line.ts"

/** How `sh -c` splits a command line. */
const split = (line: string): string[] =>
  execFileSync("sh", ["-c", `set -- ${line}\nfor one; do printf '%s\\0' "$one"; done`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1)

describe("the command line of credential_process", () => {
  test("needs no quotes on a usual runner", () => {
    const parts = [
      "/opt/runner/externals/node24/bin/node",
      "/opt/_actions/d@v1/dist/renew.js",
      "/opt/_temp/x/settings.json",
    ]
    expect(commandLine(parts, "linux")).toBe(parts.join(" "))
    const windows = ["C:\\r\\externals\\node24\\bin\\node.exe", "D:\\a\\dist\\renew.js", "C:\\Users\\RUNNER~1\\s.json"]
    expect(commandLine(windows, "win32")).toBe(windows.join(" "))
  })

  test.each([
    ["a blank", "/a b/node"],
    ["an expansion", "/$HOME/`id`/node"],
    ["double quotes", '/a"b/node'],
    ["other scripts", "/пароль/node"],
    ["signs of shells", "/a&b;c|d(e)#f*/node"],
  ])("quotes %s for a shell", (_, path) => {
    expect(split(commandLine([path, "/plain", path], "linux") ?? "")).toEqual([path, "/plain", path])
  })

  test("is what a shell splits into the same parts, whatever is in them", () => {
    const path = fc.array(fc.constantFrom(...' "$`#;&|<>()*?[]{}~!%=,@:-', "a", "é", "\t"), {
      minLength: 1,
      maxLength: 8,
    })
    const parts = fc.tuple(path, path).map((both) => both.map((one) => `/${one.join("")}`))
    fc.assert(
      fc.property(parts, (both) => {
        const line = commandLine(both, "linux")
        if (line !== null) expect(split(line)).toEqual(both)
      }),
      { numRuns: 60 },
    )
  })

  test.each<[string, readonly string[], NodeJS.Platform]>([
    ["a single quote", ["/it's/node", "/x"], "linux"],
    ["a backslash", ["/a\\b/node", "/x"], "linux"],
    ["a line end", ["/a\nb/node", "/x"], "linux"],
    ["what an SDK reads as a comment", ["/node", "/a #b"], "darwin"],
    ["a blank in the program's path, of which cmd drops the quotes", ["C:\\Program Files\\node.exe", "C:\\x"], "win32"],
    ["an expansion of cmd", ["C:\\node.exe", "C:\\%TEMP%\\x"], "win32"],
  ])("cannot hold %s", (_, parts, platform) => {
    expect(commandLine(parts, platform)).toBeNull()
  })

  test("quotes arguments on Windows", () => {
    expect(commandLine(["C:\\node.exe", "C:\\a b\\x"], "win32")).toBe('C:\\node.exe "C:\\a b\\x"')
  })
})

describe("the command line for Google's libraries", () => {
  test("has slashes on Windows, because Python's library takes backslashes away", () => {
    expect(commandLineWithoutQuotes(["C:\\r\\node.exe", "D:\\x\\renew.js"], "win32")).toBe(
      "C:/r/node.exe D:/x/renew.js",
    )
  })

  test.each(["/a b", "/a'b", '/a"b', "/a\\b", "/a\tb", "/é", ""])("cannot hold %j", (part) => {
    expect(commandLineWithoutQuotes(["/node", part], "linux")).toBeNull()
  })
})
