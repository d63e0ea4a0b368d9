import { exchange } from "./exchange.ts"
import { reportFailure } from "./report.ts"

exchange().catch(reportFailure)
