import { cp } from "node:fs/promises"
import { join } from "node:path"
import { ROOT, run } from "./place.ts"

const PAGES = ["LICENSE", "README.md", "SECURITY.md"]
/** An action's metadata, and what a runner loads for it: the content of the release branch. */
const PART = /^(?:action\/(?:[a-z-]+\/)?)?(?:action\.yml$|dist\/)/

/** Fills a folder with the actions as a runner needs them, without sources and tests: a runner fetches all of it in each job. */
export async function layOutAction(folder: string): Promise<void> {
  const tracked = (await run("git", "ls-files", "-z", "action.yml", "action", ...PAGES)).split("\0")
  for (const path of tracked.filter((each) => PART.test(each) || PAGES.includes(each))) {
    await cp(join(ROOT, path), join(folder, path), { recursive: true })
  }
}
