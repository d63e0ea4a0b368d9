import { relative } from "node:path"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** What starts brokers, command lines or wrangler, and mostly waits for them: begun last, it would run alone on one core. */
const LONGEST = [
  /^test\/cli\/push-edge/,
  /^test\/flow\//,
  /^test\/entry\/(?:node|keys|incidents|outbound|edge)/,
  /^test\/cli\/exec\//,
  /^test\/contract\/ledger\./,
  /^test\/docs-walkthrough/,
  /^test\/analysis\/(?:diff|warnings)\//,
  /^test\/action\//,
  /^test\/cli\/(?:package|login)/,
  /^test\/ci-templates/,
]

/** Begins with the files that take longest, in an order that does not depend on what an earlier run has left behind. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId, project }: TestSpecification) => {
      const rank = LONGEST.findIndex((pattern) => pattern.test(relative(project.config.root, moduleId)))
      return rank === -1 ? LONGEST.length : rank
    }
    const ranked = files.map((file) => ({ file, rank: rankOf(file) }))
    return ranked
      .toSorted((a, b) => a.rank - b.rank || (a.file.moduleId < b.file.moduleId ? -1 : 1))
      .map(({ file }) => file)
  }
}
