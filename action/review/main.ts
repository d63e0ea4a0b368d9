import * as core from "@actions/core"
import { context } from "@actions/github"
import { nodeIo } from "../../cli/node-io.ts"
import { runStep } from "./step.ts"

/** Runs the step, and ends it with an error for a fault of our own. */
async function main(): Promise<void> {
  try {
    const passes = await runStep({
      io: nodeIo("review"),
      input: (name) => core.getInput(name),
      event: context.payload,
      runner: {
        print: (line) => core.info(line),
        warning: (sentence) => core.warning(sentence),
        error: (sentence) => core.error(sentence),
        setOutput: (name, value) => core.setOutput(name, value),
        summary: async (markdown) => void (await core.summary.addRaw(markdown, true).write()),
      },
    })
    process.exitCode = passes ? 0 : 1
  } catch (error) {
    // Not the error's message: it could quote what a server sent.
    const kind = error instanceof Error ? error.name : "unknown"
    core.debug(error instanceof Error ? (error.stack ?? "") : "")
    core.setFailed(
      `The review itself has a fault (${kind}). It approved nothing. Please report the fault, with the log of a run with debug logging.`,
    )
  }
}

void main()
