import { spawn } from "node:child_process"

/** The program that opens an address in the person's browser, by system. None of them is a shell: an address has `&` in it. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["rundll32.exe", "url.dll,FileProtocolHandler"],
  linux: ["xdg-open"],
}

/** Opens an https address, or one of this machine, in the browser. Says nothing when there is none: the address is printed too. */
export function openBrowser(address: string, platform: NodeJS.Platform = process.platform): void {
  const [command, ...before] = OPENERS[platform] ?? []
  if (command === undefined) return
  const child = spawn(command, [...before, address], { stdio: "ignore", detached: true })
  child.on("error", () => {})
  child.unref()
}
