import json

import botocore.session

# What botocore's own chain finds, by the files and variables that Daypass set.
session = botocore.session.Session()
try:
    credentials = session.get_credentials()
    key = credentials.get_frozen_credentials().access_key if credentials else None
    found = {"key": key, "region": session.get_config_variable("region"), "expires": hasattr(credentials, "_expiry_time")}
except Exception as error:
    found = {"refused": f"{type(error).__name__} {error}"}
print(json.dumps({"session": found}))
