import { consoleCase } from "./interop/console-case.ts"

await consoleCase("", async (name, body) => {
  try {
    await body()
    console.log("ok", name)
  } catch (e) {
    console.log("NOT OK", name, e)
  }
})
