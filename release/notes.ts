const HEADING = /^## \[([^\]]+)\](?: - (.+))?$/

/**
 * The section of a version in the changelog: the text of its release.
 * @throws {Error} when it is missing, has no date, or is empty
 */
export function notesOf(changelog: string, version: string): string {
  const lines = changelog.split("\n")
  const headings = lines.flatMap((line, at) => {
    const [, name = "", date = ""] = HEADING.exec(line) ?? []
    return name === "" ? [] : [{ name, date, at }]
  })
  const index = headings.findIndex(({ name }) => name === version)
  const heading = headings[index]
  if (heading === undefined) throw new Error(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD"`)
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(heading.date))
    throw new Error(`CHANGELOG.md: the section of ${version} needs its date, as in "## [${version}] - 2026-12-01"`)
  const notes = lines
    .slice(heading.at + 1, headings[index + 1]?.at)
    .join("\n")
    .trim()
  if (notes === "") throw new Error(`CHANGELOG.md: the section of ${version} is empty`)
  return `${notes}\n`
}

/** The version that a tag names. @throws {Error} when it is not the one of this checkout */
export function versionOfTag(tag: string, version: string): string {
  if (tag !== `v${version}`)
    throw new Error(`the tag is ${tag}, and package.json has version ${version}: they must agree`)
  return version
}
