// Files share their process: a command line that ran in one has told the client that it is no step of a job.
import { runOn } from "../../action/runner.ts"

runOn(null)
