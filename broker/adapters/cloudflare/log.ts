import type { Log } from "../../ports/log.ts"
import { jsonLine } from "../web/json-line.ts"

/** One JSON line for each event, which Workers Logs makes searchable by its fields. The platform adds the time. */
export const consoleLog: Log = (event) => console.log(jsonLine(event))
