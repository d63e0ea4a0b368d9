// What is used of age. Imported on demand by this name, so that a bundle holds no other part of it: with `age-encryption` itself,
// the Worker's would grow by 14 KB.
export { armor, Decrypter, identityToRecipient } from "age-encryption"
