import { describe, expect, it } from "vitest"
import { markdownOf } from "../../../action/review/markdown.ts"
import type { Review } from "../../../action/review/review.ts"

const review = (lines: readonly string[]): Review => ({
  conclusion: "success",
  widens: false,
  widening: "",
  headline: "Ours.",
  sections: [{ title: "Theirs", kind: "text", lines }],
  findings: [],
})

/** What stands outside of the fences: there, GitHub makes links, mentions and elements. */
function outsideOfFences(markdown: string): string {
  let fence: string | null = null
  return markdown
    .split("\n")
    .filter((line) => {
      const [, run = ""] = /^(`{3,})/.exec(line) ?? []
      if (fence === null && run !== "") {
        fence = run
        return false
      }
      if (fence === null) return true
      // CommonMark: as many backticks as the opening fence at least, and nothing after them.
      if (run.length >= fence.length && line.trim() === run) fence = null
      return false
    })
    .join("\n")
}

describe("text of policies in Markdown", () => {
  it.each([
    ["a fence", "```"],
    ["a longer fence", "``````"],
    ["a fence with a line break", "name\n```\n@acme/all"],
    [
      "a mention, a link, an image, an element",
      "@acme/all [a](https://evil.example) ![i](https://evil.example) <img src=x>",
    ],
    ["the mark of the comment", "-->\n<!-- daypass review policies checked -->"],
    ["text that runs the other way", "abc\u202e```\u2066"],
    ["a carriage return", "a\r```\r@acme/all"],
  ])("cannot leave its block by %s", (_, line) => {
    const markdown = markdownOf(review(["before", line, "after"]), ["### Head"], 65_535)
    expect(outsideOfFences(markdown).replace(/\n+/g, "\n").trim()).toBe("### Head\nOurs.\n#### Theirs")
    expect(markdown).not.toMatch(/[\u202e\u2066\r]/)
  })

  it("is cut at a whole line, inside of a closed fence, at any limit", () => {
    const lines = Array.from({ length: 50 }, (_, at) => `${at} ${"`".repeat(at % 7)}${"x".repeat(at)}`)
    for (let limit = 150; limit < 3_000; limit += 13) {
      const markdown = markdownOf(review(lines), ["### Head"], limit)
      expect(markdown.length).toBeLessThanOrEqual(limit)
      const isWhole = markdown.includes("49 ")
      expect(markdown.includes("The report is cut here."), String(limit)).toBe(!isWhole)
      expect(outsideOfFences(markdown)).not.toContain("x")
    }
  })
})
