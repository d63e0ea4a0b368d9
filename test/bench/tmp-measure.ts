import { buildWorker } from "../../broker/entry/build-worker.ts"
import { measureWorker, modulesIn } from "./bundles.ts"
await buildWorker("/tmp/w-console/worker")
console.log(measureWorker("/tmp/w-console/worker"), modulesIn("/tmp/w-console/worker"))
