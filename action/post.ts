import { revoke } from "./revoke.ts"

void revoke()
