import { ActionError } from "../../action/failure.ts"
import type { Inputs } from "../../action/inputs.ts"
import { StepLeases } from "../../action/lease.ts"
import { writeTo } from "../../action/log.ts"
import { findAzureCli } from "../../action/run/azure-login.ts"
import { ChildOutput } from "../../action/run/output.ts"
import { runWithCredentials, type Wanted } from "../../action/run/run.ts"
import { impossible, misused, readArguments } from "../arguments.ts"
import type { CliIo } from "../io.ts"
import { useCaller, withBroker } from "./caller.ts"
import { planProgram } from "./command.ts"
import { startClient } from "./host.ts"
import { END_WITHIN_MS, endLeases } from "./leases.ts"
import { CLIENT_OPTIONS, type Options, readClientOptions, readsTokenFromInput, readTokenOptions } from "./options.ts"
import { report } from "./report.ts"
import { exitCodeOf, Signals } from "./signals.ts"

const USAGE = `Usage: daypass exec --broker URL --grants a,b [--ttl 15m] [--files] [--azure-cli] [--audience TEXT]
  [--timeout 60s] [--source NAME] [--token-file FILE] [--token-variable NAME] [--pass-id-token] [--unmasked]
  -- COMMAND [ARGUMENT...]
       daypass exec --policies DIR --local --grants a,b [--ttl 15m] [--files] [--unmasked] -- COMMAND [ARGUMENT...]

Exchanges the job's ID token for credentials, runs one command with them, and revokes them when it ends. Finds the token by
itself in the CIs that it knows. Outside of CI, a person's login counts: run daypass login first. With --local, no broker is asked:
the policies in DIR decide here what you get with your age key.

  --broker URL           the broker's origin; default: the variable DAYPASS_BROKER
  --policies DIR         the policy folder, for --local
  --local                decides on this machine, without any network, and records in your own folder
  --grants a,b           the names of the grants that the command needs
  --ttl TIME             a shorter lifetime than the policy's: 90s, 15m, 1h
  --files                values go to files; variables hold paths and public values only
  --azure-cli            logs az in before the command; needs a grant of Azure that hands over the broker's token
  --audience TEXT        the broker's audience, if it is not its origin
  --timeout TIME         for the calls to the broker together; default 60s
  --source NAME          the CI whose token is meant, when there are several; login for a person's own
  --token-file FILE      a file with the job's ID token; - for standard input
  --token-variable NAME  a variable with the job's ID token
  --pass-id-token        leaves the variables with which the CI gives ID tokens to the command
  --unmasked             the command gets this process's own streams; values in its output are not replaced

Exit codes: the command's own; 128 and the signal's number after a signal; 125 when Daypass fails and the command does
not run; 127 when there is no such command; 2 when the arguments are wrong.`

const FAILED = 125

/** `daypass exec`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const dashes = args.indexOf("--")
  const [before, command] = dashes === -1 ? [args, []] : [args.slice(0, dashes), args.slice(dashes + 1)]
  const own = {
    ...CLIENT_OPTIONS,
    files: { type: "boolean" },
    "azure-cli": { type: "boolean" },
    "pass-id-token": { type: "boolean" },
    unmasked: { type: "boolean" },
  } as const
  const read = readArguments(before, USAGE, own, io)
  if (typeof read === "number") return read
  if (read.positionals.length > 0 || dashes === -1) return misused("write -- before the command", USAGE, io)
  if (command.length === 0) return misused("write the command after --", USAGE, io)
  const started = Date.now()
  const { hasCommands } = startClient(io)
  try {
    return await execute({ options: read.options, command, started, hasCommands }, io)
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
