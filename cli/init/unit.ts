/** Before the path of the deployment key on the machine where init made it. */
export const KEY_MARK = "# Deployment key: "

/**
 * A unit of systemd for a broker at this URL: examples/node/daypass.service without its comments. It remembers where the key is, so
 * that a later run makes no other one.
 */
export const unitText = (url: string, keyFile: string): string => `# A Daypass broker under systemd: docs/run-on-node.md
${KEY_MARK}${keyFile}
[Unit]
Description=Daypass broker
Documentation=https://github.com/daypass/daypass/blob/main/docs/run-on-node.md
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=daypass
Group=daypass
WorkingDirectory=/opt/daypass
EnvironmentFile=/etc/daypass/kek
EnvironmentFile=-/etc/daypass/secrets
ExecStart=/usr/bin/node /opt/daypass/cli/bin.js serve \\
  --policies /etc/daypass/policies --data /var/lib/daypass \\
  --url ${url} --port 8787
KillSignal=SIGTERM
TimeoutStopSec=60
Restart=on-failure
RestartSec=2
StateDirectory=daypass
StateDirectoryMode=0700
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`
