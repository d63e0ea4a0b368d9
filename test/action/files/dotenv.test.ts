import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { writeDotenv } from "../../../action/files/dotenv.ts"
import { actionNode } from "../../support/runner.ts"

const folder = mkdtempSync(join(tmpdir(), "daypass-dotenv-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const PRINT = `process.stdout.write(JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([name]) => /^V\\d+$/.test(name)))))`

const write = (values: readonly string[]) => {
  const variables = new Map(values.map((value, index) => [`V${index}`, value]))
  const dotenv = writeDotenv(variables, () => "g")
  const path = join(folder, "values.env")
  writeFileSync(path, dotenv.text)
  return { ...dotenv, path, variables: Object.fromEntries(variables) }
}

const holds = (value: string): boolean => {
  try {
    writeDotenv(new Map([["V", value]]), () => "g")
    return true
  } catch {
    return false
  }
}

const env = { PATH: process.env["PATH"] ?? "" }
const nodeReads = (path: string): unknown =>
  JSON.parse(execFileSync(actionNode(), [`--env-file=${path}`, "-e", PRINT], { env, encoding: "utf8" }))
const shellReads = (path: string): unknown =>
  JSON.parse(
    execFileSync("sh", ["-c", `set -a; . "$1"; exec "$2" -e "$3"`, "sh", path, actionNode(), PRINT], {
      env,
      encoding: "utf8",
    }),
  )

/** As `docker run --env-file` reads a line: all after the first `=`, as it is. */
const dockerReads = (text: string): unknown =>
  Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  )

const VALUES = [
  "",
  "plain-value_1.2/3:4@5%6+7,8=9",
  "a password with blanks",
  " with blanks around ",
  "hash#inside",
  "# hash first",
  "hash #after a blank",
  "$HOME and $(id) and `id`",
  'a "quoted" word',
  "it's",
  "it's a 'word'",
  "back\\slash",
  "\\n is no line end",
  "C:\\Users\\x\\y",
  "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END KEY-----\n",
  "\n",
  '{"json":{"a":[1,"b"]}}',
  "пароль-密码-🔑",
  "tab\there",
  "~/x",
  "!history",
  "export X=1",
  "a=b=c",
  "=",
  "%PATH%",
  "*?[x]",
  ";&|<>",
]

describe("values.env", () => {
  test("is read alike by Node and by a shell", () => {
    const { path, variables } = write(VALUES)
    expect(nodeReads(path)).toEqual(variables)
    expect(shellReads(path)).toEqual(variables)
  })

  test("holds any value that it takes", () => {
    const units = [..."'\"\\$`{}#!~\n\t =;&|<>()*", "a", "Z", "0", "é", "🔑"]
    const value = fc.array(fc.constantFrom(...units), { maxLength: 12 }).map((parts) => parts.join(""))
    // Starting a process takes long, so each reads many values.
    const many = fc.array(value.filter(holds), { minLength: 150, maxLength: 200 })
    fc.assert(
      fc.property(many, (values) => {
        const { path, variables } = write(values)
        expect(nodeReads(path)).toEqual(variables)
        expect(shellReads(path)).toEqual(variables)
      }),
      { numRuns: 4 },
    )
  })

  test("is read by Docker, too, where no value is in quotes, and names those that are", () => {
    const plain = VALUES.filter((value) => /^[\w./:@%+,=-]*$/.test(value))
    expect(plain.length).toBeGreaterThan(4)
    const { text, variables, quoted } = write(plain)
    expect([dockerReads(text), quoted]).toEqual([variables, []])
    expect(write(["plain", "a blank", "it's"]).quoted).toEqual(["V1", "V2"])
  })

  test.each([
    ["both quotes", `it's "x"`],
    ["a quote and a dollar sign", "it's $5"],
    ["a quote and a backquote", "it's `x`"],
    ["a quote and a backslash", "it's \\x"],
    ["a quote and an exclamation mark", "it's!"],
    ["two backslashes", "\\\\server\\share"],
    ["a backslash at its end", "C:\\"],
    ["an expansion of python-dotenv", `\${HOME}`],
    ["a carriage return", "a\r\nb"],
  ])("refuses %s, and says what to change", (_, value) => {
    expect(() => writeDotenv(new Map([["TOKEN", value]]), () => "the-grant")).toThrow(
      expect.objectContaining({
        code: "delivery_refused",
        message: expect.stringContaining("The value of the-grant for TOKEN"),
        change: "Deliver it as a file: add `as: file` to TOKEN in the policy.",
      }),
    )
    try {
      writeDotenv(new Map([["TOKEN", value]]), () => "the-grant")
    } catch (thrown) {
      expect((thrown as Error).message).not.toContain(value)
    }
  })
})
