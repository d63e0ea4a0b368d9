// `broker.js`: the built broker as a program, without the command line.
import { serve } from "./serve.ts"

await serve(process.argv.slice(2))
