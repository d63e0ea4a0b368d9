import { exchange } from "./exchange.ts"
import { reportFailure } from "./report.ts"
import { input } from "./runner.ts"

// What the rooms apart take from this bundle, so that all share the registered masks and the class of failures.
export * from "./answer.ts"
export * from "./deliver/environment.ts"
export * from "./deliver/files.ts"
export * from "./deliver/logins.ts"
export * from "./deliver/outputs.ts"
export * from "./escape.ts"
export * from "./exchange.ts"
export * from "./failure.ts"
export * from "./federated.ts"
export * from "./inputs.ts"
export * from "./issued.ts"
export * from "./json.ts"
export * from "./lease.ts"
export * from "./masks.ts"
export * from "./outcomes.ts"
export * from "./retry.ts"
export * from "./runner.ts"
export * from "./summary.ts"

// Loaded only when there is something to run, so that other steps start fast.
const act = input("run") === "" ? exchange() : import("./run/run.ts").then(({ exchangeAndRun }) => exchangeAndRun())
act.catch(reportFailure)
