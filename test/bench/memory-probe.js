// Loaded into a broker's process by `node --import`: writes its memory to the file DAYPASS_BENCH_MEMORY, one line a second.
import { appendFileSync } from "node:fs"

const file = process.env.DAYPASS_BENCH_MEMORY
setInterval(() => appendFileSync(file, `${JSON.stringify(process.memoryUsage())}\n`), 1000).unref()
