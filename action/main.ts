import { exchange } from "./exchange.ts"
import { reportFailure } from "./report.ts"
import { input } from "./runner.ts"

// A second bundle, so that a step without `run` does not load what only `run` needs. It reports its own failures.
const act = input("run") === "" ? exchange() : import("./run.ts").then(({ run }) => run())
act.catch(reportFailure)
