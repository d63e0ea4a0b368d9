"""Gets tokens of Entra with the file that AZURE_FEDERATED_TOKEN_FILE names, before and after it is written anew. Prints as JSON
what each step gave, or the client's own error."""

import hashlib
import json
import os
import sys
import time

from azure.identity import DefaultAzureCredential, WorkloadIdentityCredential

settings = json.loads(sys.argv[1])
# The stand-in is not at Microsoft's names, which the library would otherwise look up.
options = {"disable_instance_discovery": True}
real_time = time.time


def token_of_broker():
    with open(os.environ["AZURE_FEDERATED_TOKEN_FILE"]) as file:
        return file.read()


at_start = token_of_broker()


def name_of(token):
    return hashlib.sha256(token.token.encode()).hexdigest()


def default():
    return name_of(DefaultAzureCredential(**options).get_token("https://management.azure.com/.default"))


def reread():
    credential = WorkloadIdentityCredential(**options)
    first = name_of(credential.get_token("https://vault.azure.net/.default"))
    deadline = real_time() + 30
    while settings.get("rewritten") and token_of_broker() == at_start:
        if real_time() > deadline:
            raise TimeoutError("the file was not written anew")
        time.sleep(0.05)
    # The library reads the file again after ten minutes.
    time.time = lambda: real_time() + 601
    return [first, name_of(credential.get_token("https://storage.azure.com/.default"))]


print(f"printed {at_start}", flush=True)
told = {}
for name, step in {"default": default, "reread": reread}.items():
    try:
        told[name] = step()
    except Exception as error:
        told[name] = {"refused": f"{type(error).__name__} {error}"}
print(json.dumps(told))
