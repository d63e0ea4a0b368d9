import * as core from "@actions/core"
import fc from "fast-check"
import { expect, test, vi } from "vitest"
import { workflowCommand } from "../../action/commands.ts"
import { runs } from "../support/laws.ts"

/** What GitHub's own client writes to stdout. */
function written(act: () => void): string {
  const texts: string[] = []
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    texts.push(String(chunk))
    return true
  })
  try {
    act()
  } finally {
    spy.mockRestore()
  }
  return texts.join("")
}

test.each(["", "plain", "100%", "a\r\nb", "a%0Ab", "::error::x", "title=a,b:c", "\u2028", "\ud800"])(
  "the command for %j is what GitHub's own client writes",
  (text) => {
    expect(workflowCommand("add-mask", text)).toBe(written(() => core.setSecret(text)))
    expect(workflowCommand("warning", text, { title: `t${text}` })).toBe(
      written(() => core.warning(text, { title: `t${text}` })),
    )
    expect(workflowCommand("error", text, { title: "Daypass: x", file: text, line: 7 })).toBe(
      written(() => core.error(text, { title: "Daypass: x", file: text, startLine: 7 })),
    )
    expect(workflowCommand("debug", text)).toBe(written(() => core.debug(text)))
  },
)

test("any text stays in one command, as GitHub's own client writes it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary", minLength: 1 }), (data, title) => {
      const command = workflowCommand("error", data, { title })
      expect(command).toBe(written(() => core.error(data, { title })))
      expect(command.slice(0, -1)).not.toMatch(/[\r\n]/)
    }),
    { numRuns: runs(300) },
  )
})

test("a property without a value is left out", () => {
  expect(workflowCommand("error", "text", { title: "t", file: undefined, line: undefined })).toBe(
    "::error title=t::text\n",
  )
  expect(workflowCommand("debug", "text", { title: "" })).toBe("::debug::text\n")
})
