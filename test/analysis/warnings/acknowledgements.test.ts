import { describe, expect, it } from "vitest"
import { allowing, checked, organisation, roled } from "./checked.ts"

const OPEN = allowing("{ ref: refs/heads/** }")
const codes = (text: string) => {
  const { warnings, acknowledged } = checked({ "p.yaml": text })
  return [warnings.map(({ code }) => code), acknowledged.map(({ code }) => code)]
}
const onLine = (line: number, comment: string, text = OPEN) =>
  text
    .split("\n")
    .map((content, index) => (index === line - 1 ? `${content} ${comment}` : content))
    .join("\n")
const above = (line: number, comment: string, text = OPEN) =>
  text
    .split("\n")
    .toSpliced(line - 1, 0, comment)
    .join("\n")

describe("a warning is acknowledged", () => {
  it("by a comment with its code on its line", () => {
    expect(codes(onLine(6, "# daypass: allow double_star"))).toEqual([[], ["double_star"]])
  })

  it("by a comment above its line, with further comments between", () => {
    expect(codes(above(6, "    # daypass: allow double_star"))).toEqual([[], ["double_star"]])
    expect(codes(above(6, "    # daypass: allow double_star\n    # because\n"))).toEqual([[], ["double_star"]])
  })

  it("by a comment with several codes", () => {
    const text = allowing("{ ref: refs/heads/**, actor: ada }")
    expect(codes(onLine(6, "# daypass: allow double_star, name_without_id", text))).toEqual([
      [],
      ["double_star", "name_without_id"],
    ])
  })

  it("in a file with carriage returns", () => {
    expect(codes(onLine(6, "# daypass: allow double_star").replaceAll("\n", "\r\n"))).toEqual([[], ["double_star"]])
  })

  it("in the organisation file", () => {
    const boundaries =
      'boundaries:\n  - name: x\n    when: { repository_id: "41", sub: "repo:acme/shop:ref:refs/heads/main" } # daypass: allow free_text_pattern\n'
    const { warnings, acknowledged } = checked({ "daypass.yaml": organisation(boundaries) })
    expect([warnings, acknowledged.length]).toEqual([[], 1])
  })
})

describe("a comment that acknowledges nothing is reported, and the warning stays", () => {
  it.each([
    ["on another line", onLine(7, "# daypass: allow double_star"), ["double_star", "acknowledgement_unused"]],
    [
      "two lines above, with a line between that says something",
      above(5, "# daypass: allow double_star"),
      ["acknowledgement_unused", "double_star"],
    ],
    ["of another warning", onLine(6, "# daypass: allow owner_unlisted"), ["double_star", "acknowledgement_unused"]],
    ["that is misspelled", onLine(6, "# daypass: allow double_stars"), ["double_star", "acknowledgement_unused"]],
    [
      "of a warning that is not given",
      roled("x").replace("event_name: push }", "event_name: push } # daypass: allow double_star"),
      ["acknowledgement_unused"],
    ],
  ])("%s", (_, text, expected) => {
    expect(codes(text)).toEqual([expected, []])
  })

  it("at its own place", () => {
    const { warnings } = checked({ "p.yaml": onLine(6, "# daypass: allow double_stars") })
    expect(warnings).toMatchObject([{ column: 18 }, { line: 6, column: 34, severity: "notice" }])
  })

  it.each([
    ["in quotes", OPEN.replace("the rule", '"the rule # daypass: allow double_star"')],
    [
      "in single quotes, with more on the line",
      `${OPEN.replace("{ ref: refs/heads/** }", "{ ref: [refs/heads/**, '# daypass: allow double_star'] }")}`,
    ],
    ["behind a sharp sign that begins no comment", OPEN.replace("refs/heads/**", "refs/heads/**#x")],
  ])("and a text is no comment: %s", (_, text) => {
    const [first, ...others] = codes(text)
    expect(first).toContain("double_star")
    expect(others).toEqual([[]])
    expect(first).not.toContain("acknowledgement_unused")
  })

  it("and a mark that is part of a text counts for nothing more than it says", () => {
    expect(codes(onLine(7, "# daypass: forbid double_star"))).toEqual([["double_star"], []])
    expect(codes(onLine(6, "# daypass allow double_star"))).toEqual([["double_star"], []])
  })
})
