import { describe, expect, test } from "vitest"
import { chooseShell } from "../../../action/run/shell.ts"

const everything = (program: string) => `/found/${program}`
const only = (program: string) => (asked: string) => (asked === program ? `/found/${program}` : null)

describe("a shell is started as the runner starts it", () => {
  test.each([
    ["bash", "/found/bash", ["--noprofile", "--norc", "-e", "-o", "pipefail", "/a b/s.sh"], ".sh"],
    ["sh", "/found/sh", ["-e", "/a b/s.sh"], ".sh"],
    ["python", "/found/python", ["/a b/s.sh"], ".py"],
    ["pwsh", "/found/pwsh", ["-command", ". '/a b/s.sh'"], ".ps1"],
    ["bash -x {0} last", "/found/bash", ["-x", "/a b/s.sh", "last"], ".sh"],
    ["perl {0}", "/found/perl", ["/a b/s.sh"], ""],
    [`node --title "two words" "\\"{0}\\""`, "/found/node", ["--title", "two words", `"/a b/s.sh"`], ""],
  ])("%s", (option, program, args, extension) => {
    const shell = chooseShell(option, false, everything)
    expect([shell.program, shell.args("/a b/s.sh"), shell.extension]).toEqual([program, args, extension])
  })

  test.each([
    ["bash without pipefail, when there is bash", everything, "/found/bash"],
    ["sh, when there is no bash", only("sh"), "/found/sh"],
  ])("no name: %s", (_, find, program) => {
    const shell = chooseShell("", false, find)
    expect([shell.program, shell.args("/s.sh")]).toEqual([program, ["-e", "/s.sh"]])
  })

  test.each([
    ["pwsh, when it is there", everything, "/found/pwsh"],
    ["powershell, when it is not", only("powershell"), "/found/powershell"],
  ])("no name on Windows: %s", (_, find, program) => {
    const shell = chooseShell("", true, find)
    expect([shell.program, shell.args("C:\\s.ps1")]).toEqual([program, ["-command", ". 'C:\\s.ps1'"]])
    expect(shell.fileText("one\ntwo\r\n")).toBe(
      "$ErrorActionPreference = 'stop'\r\none\r\ntwo\r\n\r\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }",
    )
  })

  test("cmd gets one text in its own syntax", () => {
    const shell = chooseShell("cmd", true, everything)
    expect(shell.verbatim).toBe(true)
    expect(shell.args("C:\\a b\\s.cmd")).toEqual([`/D /E:ON /V:OFF /S /C "CALL "C:\\a b\\s.cmd""`])
    expect(shell.fileText("dir")).toBe("@echo off\r\ndir")
  })

  test.each(["perl", "bash -x", "zsh -e"])("and %s is refused, because no script is named", (option) => {
    expect(() => chooseShell(option, false, everything)).toThrow("{0}")
  })

  test("and a program that is not there is refused", () => {
    expect(() => chooseShell("fish {0}", false, only("bash"))).toThrow("PATH")
  })
})
