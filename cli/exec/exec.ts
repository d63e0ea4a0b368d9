import { ActionError } from "../../action/failure.ts"
import type { Inputs } from "../../action/inputs.ts"
import { StepLeases } from "../../action/lease.ts"
import { writeTo } from "../../action/log.ts"
import { findAzureCli } from "../../action/run/azure-login.ts"
import { ChildOutput } from "../../action/run/output.ts"
import { runWithCredentials, type Wanted } from "../../action/run/run.ts"
import { impossible, misused } from "../arguments.ts"
import type { Arguments, CliIo } from "../io.ts"
import { useCaller, withBroker } from "./caller.ts"
import { planProgram } from "./command.ts"
import { startClient } from "./host.ts"
import { END_WITHIN_MS, endLeases } from "./leases.ts"
import { type Options, readClientOptions, readsTokenFromInput, readTokenOptions } from "./options.ts"
import { report } from "./report.ts"
import { exitCodeOf, Signals } from "./signals.ts"

const FAILED = 125

/** `daypass exec`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const { options, after: command } = given
  if (command === null) return misused("write -- before the command")
  if (command.length === 0) return misused("write the command after --")
  const started = Date.now()
  const { hasCommands } = startClient(io)
  try {
    return await execute({ options, command, started, hasCommands }, io)
  } catch (thrown) {
    report(thrown)
    return thrown instanceof ActionError && thrown.code === "input_invalid" ? 2 : FAILED
  }
}

interface Asked {
  readonly options: Options
  readonly command: readonly string[]
  readonly started: number
  /** True where the CI reads GitHub's workflow commands. */
  readonly hasCommands: boolean
}

/** Looks for all that the command needs before the exchange, so that no credential is minted for one that cannot start. */
async function execute({ options, command, started, hasCommands }: Asked, io: CliIo): Promise<number> {
  const inputs = readClientOptions(withBroker(options), io.env)
  const tokenOptions = readTokenOptions(options)
  const signals = new Signals()
  let isRunning = false
  const onStart = () => {
    if (signals.received !== null) throw cancelled()
    isRunning = true
  }
  const readsInput = !readsTokenFromInput(tokenOptions)
  const from = planProgram(command, io, { readsInput, isOnGithub: hasCommands, onStart })
  if ("exitCode" in from) {
    impossible(from.message, io)
    return from.exitCode
  }
  const az = options["azure-cli"] === true ? findAzureCli({ ...io.env }, process.platform) : null
  const withheld = await useCaller(options, io)
  const passesIdToken = options["pass-id-token"] === true
  const wanted: Wanted = {
    from,
    az,
    passesIdToken,
    withheld: new Set(passesIdToken ? [] : withheld.map((name) => name.toUpperCase())),
    asFiles: options["files"] === true,
    output: options["unmasked"] === true ? null : new ChildOutput(outputTo(hasCommands)),
  }
  const leases = new StepLeases(inputs)
  const running = runWithCredentials(inputs, wanted, { leases, started }).catch(async (thrown: unknown) => {
    if (signals.received !== null) return FAILED
    report(thrown)
    await endLeases(leases, inputs)
    return FAILED
  })
  const first = await Promise.race([running, signals.first])
  if (typeof first === "number") return first
  return isRunning ? running : cancel({ inputs, leases, running, signal: first })
}

const outputTo = (hasCommands: boolean) => ({
  stdout: (bytes: Uint8Array) => writeTo(process.stdout, bytes),
  stderr: (bytes: Uint8Array) => writeTo(process.stderr, bytes),
  hasCommands,
})

const cancelled = () =>
  new ActionError("unexpected", "The job was cancelled before the command started.", {
    change: "Nothing was delivered.",
  })

/**
 * Ends before the command has started. A lease that was asked for is revoked although its answer has not come: the broker then
 * hands nothing out for it.
 */
async function cancel(begun: {
  readonly inputs: Inputs
  readonly leases: StepLeases
  readonly running: Promise<number>
  readonly signal: NodeJS.Signals
}): Promise<number> {
  const { inputs, leases, running, signal } = begun
  await endLeases(leases, inputs)
  // An exchange that waits for its answer would otherwise hold this process.
  await Promise.race([running, new Promise((resolve) => setTimeout(resolve, END_WITHIN_MS / 2).unref())])
  process.exit(exitCodeOf(signal))
}
