import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Desk } from "./sops-desk.ts"

/** Fenced blocks: what stands behind the fence, and the text. */
export interface Block {
  readonly info: string
  readonly text: string
}

/** The blocks of a page of docs/ below a heading, which is given with its hashes, up to the next one of its level or above. */
export function blocksBelow(page: string, heading: string): readonly Block[] {
  const level = heading.indexOf(" ")
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), "utf8")
  const section = text.split(new RegExp(`^(?=#{2,${level}} )`, "m")).find((part) => part.startsWith(`${heading}\n`))
  assert.ok(section, `the page has no section ${heading}`)
  return [...section.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info = "", text = ""]) => ({ info, text }))
}

/**
 * Follows one section of a page: runs its `sh` blocks, types into the editor what stands below `sh editor`, writes files that
 * name themselves in their first line, and holds outputs against those shown. `sh network` is left out. Resolves to the last
 * output.
 */
export async function followPage(desk: Desk, page: string, heading: string): Promise<string> {
  const blocks = blocksBelow(page, heading)
  let output: string | null = null
  for (const [index, { info, text }] of blocks.entries()) {
    const path = /^# (\S+\.yaml)\n/.exec(text)?.[1]
    if (info === "text") assert.match(output ?? "", shown(text))
    if (info === "sh editor") desk.type(blocks[index + 1]?.text ?? "")
    if (info === "sh" || info === "sh editor") output = await desk.run(text)
    else if (info.startsWith("yaml ") && path !== undefined) desk.write(path, text)
  }
  return output ?? ""
}

/** An output as the page shows it, where `...` stands for anything. */
function shown(text: string): RegExp {
  const parts = text.split("...").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  return new RegExp(`^${parts.join("[\\s\\S]*?")}$`)
}
