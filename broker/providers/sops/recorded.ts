// Files that sops 3.11.0 wrote, for the stories of this provider. The keys were made only for these files.

/** The age key that the files are encrypted for. */
export const AGE_KEY = "AGE-SECRET-KEY-1YDGCQA98K988N8AF4K3WEH7VHE95PVW99Q2JXRU4P73U07A6Q29QADH7W4" // secretlint-disable-line -- of the test vectors
export const OTHER_AGE_KEY = "AGE-SECRET-KEY-1J7XR75ENTELD5FGYQMSZPKXUWTP0KG2K5NLG3RKHENFMSWPA0SXSTDRPSF" // secretlint-disable-line -- of the test vectors

export const SHOP = `database:
    #ENC[AES256_GCM,data:kIMf1m1pDapXdXMWtQ==,iv:gd7L82Fm6E6sCLra2WkA3oOTZPlAKJeUnXF6jfojDQE=,tag:XolxApxqM1QcGif90hrdiQ==,type:comment]
    user: ENC[AES256_GCM,data:nnhvew==,iv:7GA381gd8G7Do+YspMe3MBDl0JGzR1fuAIM4kNMq2a8=,tag:RaOCdevOmvSZznjwP26ZMw==,type:str]
    password: ENC[AES256_GCM,data:k4tjqf5+4R+LuhB8SvXM84Nb8AzIaA==,iv:vZ5xrdy8PWhL0S0NIUo6Q3/15m7918Wj1eNQWQnaTA8=,tag:hD72cC8newy/CHdYD1Horw==,type:str]
    port: ENC[AES256_GCM,data:V3Nc/g==,iv:L1Ac55BvXbTD0Fm54b1bUfbb6PXj1IDuhyHIV05trxg=,tag:KfHE122r7DgBwNSJJ6pRsg==,type:int]
    tls: ENC[AES256_GCM,data:INeJzA==,iv:dA1Mh842/TwxhjUVvMEnO9P+OMHlIOfw9I0FOnwRkOY=,tag:by6KbwnpwovLY5SfVQFTLg==,type:bool]
    comment: ""
    nothing: null
hosts:
    - ENC[AES256_GCM,data:XHP1Q+o=,iv:K7QGqYgCldjQsTeIsdE7FSRvZS4G71zmadNbmUSl8BE=,tag:uyuHWfas8sAGSLBuYHwJ3A==,type:str]
    - name: ENC[AES256_GCM,data:Y/dxvEWK,iv:kHq+lCB5Uj6PsOSYBikGPygAy+ng7WacQbKhm10kFAs=,tag:yVR0Jv3j/CXBbxDYfID3Jw==,type:str]
region_unencrypted: eu-west-1
carriage: ENC[AES256_GCM,data:89w5,iv:GT/QHWD7qqBaxE9sjQqyr5tJ6jXLIWddooRaUTb+WGM=,tag:iKuxOGuDUaA+0YWoSdwmNQ==,type:str]
sops:
    age:
        - recipient: age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy
          enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBjWGJGYmNHRU5YTnJYemly
            Y2t5bzlwOVhLOGlObHg2QXQ5UjlzblZ4V3hVCjhHUC9DYzhaTGFXaERGWFYzSFNu
            OGgyT29QaXFOVGZlN3ArRUhuMUYxblUKLS0tIEdpTjdESUs1TVB5TzlESXhZejBu
            d0NOaE9oNHBqU2JYeGJKZ0MraFBFdWcKe7V8SDJ8krhGj+NBak5LM1g/NXpYHvyp
            sB85zF+fBh+KBxwNRyiyP7X8dSf6lXLimCY3kUm84fVTknmYzyKyzw==
            -----END AGE ENCRYPTED FILE-----
    lastmodified: "2026-11-28T04:00:50Z"
    mac: ENC[AES256_GCM,data:zeKlUJMZ/KkKq9C3rb44nzrfg85kJtSP2BHOc8GRqZ4uYZIY0MyRp6R8dhG+q368RAlRkKkyKL/Wq+GCi9oYEzBR3n6UZ2rKAo4hfo/IvLw64pcteQ04xwwiYY/vCp+WLliCNePuXtkrssyBdkX5mbhm2H1ozqCxBirPMCEzjPk=,iv:ElqJqWrsN1LCjBDgT/jigJCispIREKydp9831wEnjHE=,tag:/LF4yKtXEDzhZi5Kf593rw==,type:str]
    unencrypted_suffix: _unencrypted
    version: 3.11.0
`

/** Its MAC covers only encrypted values. */
export const MAC_ONLY_ENCRYPTED = `user: shop
password: ENC[AES256_GCM,data:D+n/E3g694D7X8iAz2ss3meUSpH4xA==,iv:SLE3zo+hKaOKhNV3YclZmaJGKw0ipn7V/HWLCsIYjIw=,tag:fHiOsjOG16uzKTcTP8feBQ==,type:str]
sops:
    age:
        - recipient: age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy
          enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBTY2hldFBDL1N2WjlqV3pV
            R29VVWhEZTh6bU5lMDU1cGVqS1RwZUlEZkRNCndNVjNubExCQkFoNnVwVyswb1pr
            YWhHQmY2RFd3S3d1dFdWS3Qza1kxYncKLS0tIFBpQlZ5WVN2K01iQ0xnWVhxb29Q
            SXo1aURLZ2tJcFlTT2xwaXVBRjQxaWsKv/mbfwlUrup3KGhPhDK+amaOFzbOtNrU
            IRMlEoKebchyHbsiwhd988LVYNy26bkzBLUeL2b1imkI+uw+/LVlXg==
            -----END AGE ENCRYPTED FILE-----
    lastmodified: "2026-11-28T04:01:36Z"
    mac: ENC[AES256_GCM,data:bOktM5yVV37DSvVSq5sRFy+YwxgtyP528lBlyFlOrz3ze6YOmy2Kd4nce1we4wGog2blyrMsmYzs0cQFtCQtIFw3Fchl1C43FMWsRJ4NIP4Nyp5QjVO2oZWzAgXRKawtugDnlxhPkuY9XfGk+OYeAjZzKeSCPNrUPwYoGMaHDI8=,iv:PYHWSkbLwcjEufsdEscn+/kFu1Avblgkw7U/bWYjOIc=,tag:pmFcH6+qMYUaI5x7rVaOTw==,type:str]
    encrypted_regex: ^password$
    mac_only_encrypted: true
    version: 3.11.0
`

/** A dotenv file with the keys `export H`, `I ` (with a space at its end) and `J`. */
export const EXPORTED = `export H=ENC[AES256_GCM,data:mg==,iv:y80YnXx1UOBLNyPra3G2H9n1YU3CRz0UnNMuzpwUzxM=,tag:gA8ZJ8VPhLq/yFKZ6ukTIg==,type:str]
I =ENC[AES256_GCM,data:mdE=,iv:0FKMxDBpf6CUVUEOkGRsgDcBkujaOzr4o4OSAW0FjPc=,tag:oWSo+lt0n17YG411DA7hWg==,type:str]
J=ENC[AES256_GCM,data:dw==,iv:qV8GMVqed/0rh2oKyBvbjodE0WmGy/su/Z1qZe01Po0=,tag:/7+NRZdbzlfME9A4HIqnWQ==,type:str]
sops_age__list_0__map_enc=-----BEGIN AGE ENCRYPTED FILE-----\\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBrN3luNXhGZEpsR0lLeFd4\\nSS9ZUG9EWXVvaXlWOEV6bHJmN0hJYVdIdVdBCmgyUmMybVY0ZEVReE9FL0tmZUtH\\nSS83a0NUM0pveEFZWmZ4TzRuaWIrYncKLS0tIExkYUpDUUJiQlZuK3BBamRrY1Fy\\ncXFmUFlmT2xGU2RjZk5ydzJIczdHY3MKXuwDje1bSjJAXXHMpF0PEp4UL+QZVYwa\\nUsQvD2vltkJJGH3U/ERrkU4Ma+e3VDtt9OBLKgI+tFHEE8/LnXf/UA==\\n-----END AGE ENCRYPTED FILE-----\\n
sops_age__list_0__map_recipient=age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy
sops_lastmodified=2026-11-28T22:20:18Z
sops_mac=ENC[AES256_GCM,data:MHxHclqFP6zEU67cNWOxOEHCWAPTTMox72wMpTmYDne2E4dGd8ZQ4g9B2CCS3PUBDn4alSVb7t3t4tJBMDWm8NNVvxSaLqyDsdmzTzoYSfq53H2Zglji0jwHmOpZDT85Z5N/na0xu3IFYyFuXtsmnzm7/0ZlNSQj4/XJMiGXspM=,iv:hhZAxpHcSMh6kSBibMOpINpNj5TAHAX/WPpjKHsJWK0=,tag:parn79u0qst6d89oZdkbKw==,type:str]
sops_unencrypted_suffix=_unencrypted
sops_version=3.11.0
`

/** What is not encrypted has a tab in it. */
export const TABBED = `kind: Secret
stringData:
    token: ENC[AES256_GCM,data:rSIG,iv:QsfbJuSCpt0GaSK4/oKqVUplqZ+yRJtO2Pj7cq1GwtI=,tag:L+j/yyoJLAHfa9u0KZb6hQ==,type:str]
notes: |
    all:
    	make
sops:
    age:
        - recipient: age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy
          enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSByb0wwNlFCN1ZxQkx3cUZT
            RzdEeTA4eVoyU09RVHRqKzFzSllidFZaUkgwCnZnQzArdkxYZEhIdEVRZU9hZyt5
            T1VaWnh2b3lKR1dacWxhdW41V0htbWsKLS0tIHFhdXBaZGlvdjBmbzZ6a1RyRTNI
            MlhjY3lPSkN4bnJYeWpQTWdVOGs4YzQKCrP0lzIpdzC+LSPungt7P4Pg9jOFl00E
            pkgzFNwr96v/KJ6bpwpf4eQrkTZnXhRIzpbxRUDfJN6D9GLS+vAjNQ==
            -----END AGE ENCRYPTED FILE-----
    lastmodified: "2026-11-28T22:20:17Z"
    mac: ENC[AES256_GCM,data:goMAGPwGn1GrApOJ6Fqi4Uu+vAU0veqj36lzwWjmUKlXh0F6xqIJAFRc9RVk+4zcZIMqa9Umkh7n8Uwa0rJlQQ699dQ1FySNadfVMuGe+Zc6e65BQ3ec5ngHltxCIt7stGBsGb9tEkH48zVZChBsJgWXYbp6EKQ/hFHQsKq+VB4=,iv:pmWMponPUWfdelx9NPIoR79fImwLMO9G4FpMS8nad8g=,tag:ycyUp8lEt7F/JEaON/XzWw==,type:str]
    encrypted_regex: ^(data|stringData)$
    version: 3.11.0
`
