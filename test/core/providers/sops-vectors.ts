import binarySopsJson from "../../vectors/sops/binary.sops.json?raw"
import changedSopsYaml from "../../vectors/sops/changed.sops.yaml?raw"
import encryptedCommentRegexSopsYaml from "../../vectors/sops/encrypted-comment-regex.sops.yaml?raw"
import encryptedRegexSopsYaml from "../../vectors/sops/encrypted-regex.sops.yaml?raw"
import encryptedSuffixSopsYaml from "../../vectors/sops/encrypted-suffix.sops.yaml?raw"
import everyTypeSopsEnv from "../../vectors/sops/every-type.sops.env?raw"
import everyTypeSopsJson from "../../vectors/sops/every-type.sops.json?raw"
import everyTypeSopsYaml from "../../vectors/sops/every-type.sops.yaml?raw"
import macOnlySopsEnv from "../../vectors/sops/mac-only.sops.env?raw"
import macOnlySopsYaml from "../../vectors/sops/mac-only.sops.yaml?raw"
import opened from "../../vectors/sops/opened.json" with { type: "json" }
import otherKeySopsYaml from "../../vectors/sops/other-key.sops.yaml?raw"
import pagesSopsYaml from "../../vectors/sops/pages.sops.yaml?raw"
import shamirSopsYaml from "../../vectors/sops/shamir.sops.yaml?raw"
import testOnlyAgeKeyTxt from "../../vectors/sops/test-only.age-key.txt?raw"
import testOnlyOtherAgeKeyTxt from "../../vectors/sops/test-only-other.age-key.txt?raw"
import unencryptedCommentRegexSopsYaml from "../../vectors/sops/unencrypted-comment-regex.sops.yaml?raw"
import unencryptedRegexSopsYaml from "../../vectors/sops/unencrypted-regex.sops.yaml?raw"

/** What the real sops makes of a file, by the names of its values. */
export type Expected = Readonly<Record<string, string | number | boolean | null | { readonly base64: string }>>

// Imported one by one, so that they come along into workerd, which reads no files.
const FILES: Readonly<Record<string, string>> = {
  "binary.sops.json": binarySopsJson,
  "changed.sops.yaml": changedSopsYaml,
  "encrypted-comment-regex.sops.yaml": encryptedCommentRegexSopsYaml,
  "encrypted-regex.sops.yaml": encryptedRegexSopsYaml,
  "encrypted-suffix.sops.yaml": encryptedSuffixSopsYaml,
  "every-type.sops.env": everyTypeSopsEnv,
  "every-type.sops.json": everyTypeSopsJson,
  "every-type.sops.yaml": everyTypeSopsYaml,
  "mac-only.sops.env": macOnlySopsEnv,
  "mac-only.sops.yaml": macOnlySopsYaml,
  "other-key.sops.yaml": otherKeySopsYaml,
  "pages.sops.yaml": pagesSopsYaml,
  "shamir.sops.yaml": shamirSopsYaml,
  "test-only-other.age-key.txt": testOnlyOtherAgeKeyTxt,
  "test-only.age-key.txt": testOnlyAgeKeyTxt,
  "unencrypted-comment-regex.sops.yaml": unencryptedCommentRegexSopsYaml,
  "unencrypted-regex.sops.yaml": unencryptedRegexSopsYaml,
}

/** A file of test/vectors/sops. */
export function vector(name: string): string {
  const text = FILES[name]
  if (text === undefined) throw new Error(`there is no vector ${name}`)
  return text
}

export const OPENED = opened as unknown as Readonly<Record<string, Expected>>
