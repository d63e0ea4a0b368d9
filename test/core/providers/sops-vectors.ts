import binarySopsJson from "../../vectors/sops/binary.sops.json?raw"
import changedSopsYaml from "../../vectors/sops/changed.sops.yaml?raw"
import charactersSopsJson from "../../vectors/sops/characters.sops.json?raw"
import commentOpenSopsYaml from "../../vectors/sops/comment-open.sops.yaml?raw"
import commentRegexSopsYaml from "../../vectors/sops/comment-regex.sops.yaml?raw"
import commentsSopsYaml from "../../vectors/sops/comments.sops.yaml?raw"
import deepSopsYaml from "../../vectors/sops/deep.sops.yaml?raw"
import emojiCommentSopsYaml from "../../vectors/sops/emoji-comment.sops.yaml?raw"
import emptyKeySopsYaml from "../../vectors/sops/empty-key.sops.yaml?raw"
import encryptedCommentRegexSopsYaml from "../../vectors/sops/encrypted-comment-regex.sops.yaml?raw"
import encryptedRegexSopsYaml from "../../vectors/sops/encrypted-regex.sops.yaml?raw"
import encryptedSuffixSopsYaml from "../../vectors/sops/encrypted-suffix.sops.yaml?raw"
import everyTypeSopsEnv from "../../vectors/sops/every-type.sops.env?raw"
import everyTypeSopsJson from "../../vectors/sops/every-type.sops.json?raw"
import everyTypeSopsYaml from "../../vectors/sops/every-type.sops.yaml?raw"
import exportSopsEnv from "../../vectors/sops/export.sops.env?raw"
import longKeySopsYaml from "../../vectors/sops/long-key.sops.yaml?raw"
import macOnlySopsEnv from "../../vectors/sops/mac-only.sops.env?raw"
import macOnlySopsYaml from "../../vectors/sops/mac-only.sops.yaml?raw"
import mergeSopsYaml from "../../vectors/sops/merge.sops.yaml?raw"
import multiSopsYaml from "../../vectors/sops/multi.sops.yaml?raw"
import nbspCommentSopsYaml from "../../vectors/sops/nbsp-comment.sops.yaml?raw"
import opened from "../../vectors/sops/opened.json?raw"
import otherKeySopsYaml from "../../vectors/sops/other-key.sops.yaml?raw"
import pagesSopsYaml from "../../vectors/sops/pages.sops.yaml?raw"
import protoSopsJson from "../../vectors/sops/proto.sops.json?raw"
import shamirSopsYaml from "../../vectors/sops/shamir.sops.yaml?raw"
import tabSopsEnv from "../../vectors/sops/tab.sops.env?raw"
import tabBlockSopsYaml from "../../vectors/sops/tab-block.sops.yaml?raw"
import tabEscapedSopsJson from "../../vectors/sops/tab-escaped.sops.json?raw"
import tabEscapedSopsYaml from "../../vectors/sops/tab-escaped.sops.yaml?raw"
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
  "characters.sops.json": charactersSopsJson,
  "comment-open.sops.yaml": commentOpenSopsYaml,
  "comment-regex.sops.yaml": commentRegexSopsYaml,
  "comments.sops.yaml": commentsSopsYaml,
  "deep.sops.yaml": deepSopsYaml,
  "emoji-comment.sops.yaml": emojiCommentSopsYaml,
  "empty-key.sops.yaml": emptyKeySopsYaml,
  "encrypted-comment-regex.sops.yaml": encryptedCommentRegexSopsYaml,
  "encrypted-regex.sops.yaml": encryptedRegexSopsYaml,
  "encrypted-suffix.sops.yaml": encryptedSuffixSopsYaml,
  "every-type.sops.env": everyTypeSopsEnv,
  "every-type.sops.json": everyTypeSopsJson,
  "every-type.sops.yaml": everyTypeSopsYaml,
  "export.sops.env": exportSopsEnv,
  "long-key.sops.yaml": longKeySopsYaml,
  "mac-only.sops.env": macOnlySopsEnv,
  "mac-only.sops.yaml": macOnlySopsYaml,
  "merge.sops.yaml": mergeSopsYaml,
  "multi.sops.yaml": multiSopsYaml,
  "nbsp-comment.sops.yaml": nbspCommentSopsYaml,
  "other-key.sops.yaml": otherKeySopsYaml,
  "pages.sops.yaml": pagesSopsYaml,
  "proto.sops.json": protoSopsJson,
  "shamir.sops.yaml": shamirSopsYaml,
  "tab-block.sops.yaml": tabBlockSopsYaml,
  "tab-escaped.sops.json": tabEscapedSopsJson,
  "tab-escaped.sops.yaml": tabEscapedSopsYaml,
  "tab.sops.env": tabSopsEnv,
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

// Parsed here, because a bundler makes an object literal of JSON, in which `__proto__` is not a key.
export const OPENED: Readonly<Record<string, Expected>> = JSON.parse(opened)
