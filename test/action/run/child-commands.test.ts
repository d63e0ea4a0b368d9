import { describe, expect, test } from "vitest"
import { ChildCommands } from "../../../action/run/child-commands.ts"

const read = (commands: ChildCommands, line: string) => commands.read(line, line)

describe("a stop of commands", () => {
  test.each([
    "::stop-commands::token-1",
    "  ::stop-commands::token-1\r\n",
    "::STOP-COMMANDS::token-1",
    "::stop-commands x=1::token-1",
    "text ##[stop-commands]token-1",
    "::unknown:: ##[stop-commands]token-1",
    Buffer.from("\u00a0::stop-commands::token-1").toString("latin1"),
  ])("is noticed in %j, and its end as well", (line) => {
    const commands = new ChildCommands()
    expect(read(commands, line)).toBe("text")
    expect(commands.stopToken).toBe("token-1")
    expect(read(commands, "::add-mask::x")).toBe("text")
    expect(read(commands, "::stop-commands::another")).toBe("text")
    expect(commands.stopToken).toBe("token-1")
    expect(read(commands, "::TOKEN-1::")).toBe("text")
    expect(commands.stopToken).toBeNull()
  })

  test.each([
    "",
    " ",
    "two words",
    "a::b",
    "]",
    "add-mask",
    "Stop-Commands",
    "pause-logging",
    "a%0Ab",
    "é",
    " token",
    "token ",
  ])("that could not be ended is not passed on: %j", (token) => {
    const commands = new ChildCommands()
    expect(read(commands, `::stop-commands::${token}\n`)).toHaveProperty("instead")
    expect(commands.stopToken).toBeNull()
  })

  test("whose token is shown as *** is not passed on", () => {
    const commands = new ChildCommands()
    expect(commands.read("::stop-commands::secret\n", "::stop-commands::***\n")).toHaveProperty("instead")
  })
})

describe("a line", () => {
  test.each([
    ["::add-mask::s", "mask"],
    ["##[add-mask]s", "mask"],
    ["::error file=a.ts,line=1::broken", "text"],
    ["::group::name", "text"],
    ["a::add-mask::s", "text"],
    ["std::vector::at", "text"],
    ["plain", "text"],
  ])("%s is taken as %s", (line, use) => {
    expect(read(new ChildCommands(), line)).toBe(use)
  })

  test.each(["::save-state name=lease::", "x ##[save-state name=lease;]y", "::Save-State name=lease::[]"])(
    "%s would change what the post step revokes, and is not passed on",
    (line) => {
      expect(read(new ChildCommands(), line)).toHaveProperty("instead")
    },
  )
})
